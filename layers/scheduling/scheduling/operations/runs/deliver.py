"""Handle one delivery of an occurrence: run it, or do what the rule decides instead (contract, section 6)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from scheduling.domain.deliveries.decision import (
    Acknowledge,
    Execute,
    ExecuteNewest,
    ExecuteNominal,
    Skip,
    Wait,
    close_unrun,
    decide_delivery,
    supersede,
)
from scheduling.domain.deliveries.delivery import Delivery, DeliveryResult
from scheduling.domain.deliveries.spread import find_spread
from scheduling.domain.deliveries.waiting import next_capacity_check
from scheduling.domain.errors import Conflict, Unavailable
from scheduling.domain.ids import new_token
from scheduling.domain.runs import Fire, Run, RunStatus, SkipReason
from scheduling.domain.schedule import Schedule
from scheduling.operations.runs.continuation import (
    build_unattempted_run,
    give_up,
    send_continuation,
    send_dead_letter,
)
from scheduling.operations.runs.execute import RunEndpoint, execute_attempt
from scheduling.operations.services import Services, retry_on_conflict
from scheduling.operations.sync.completion import find_schedule_change


def deliver_occurrence(
    services: Services, run_endpoint: RunEndpoint, delivery: Delivery
) -> Sequence[DeliveryResult]:
    """Run the occurrence, or do what the rule decides instead; the message can then be acknowledged.

    A late delivery may run a newer occurrence in its place, which is then the first of two results. While DynamoDB
    does not respond, the occurrence waits in a newer message.

    Raises:
        Unavailable: Neither the table nor the queue responds; deliver the message again.
    """
    try:
        result = _handle_occurrence(services, run_endpoint, delivery)
        if isinstance(result, ExecuteNominal):
            delivery = delivery.with_nominal_time(result.scheduled_time)
            result = _handle_occurrence(services, run_endpoint, delivery)
        if isinstance(result, DeliveryResult):
            return [result]
        return _run_newest_instead(services, run_endpoint, delivery, result.scheduled_time)
    except Unavailable as unavailable:
        return [_postpone(services, delivery, unavailable)]


def _run_newest_instead(
    services: Services, run_endpoint: RunEndpoint, delivery: Delivery, newest_time: str
) -> Sequence[DeliveryResult]:
    """Handle the newest occurrence, then record that it superseded this one.

    In this order, because a delivery after a crash in between has to find the newest one again.
    """
    newest = _handle_occurrence(services, run_endpoint, delivery.with_occurrence(newest_time))
    if not isinstance(newest, DeliveryResult):
        raise Unavailable("A newer occurrence has become due meanwhile")
    superseded = _skip_superseded(services, delivery, newest_time)
    return [newest, superseded] if newest.run or newest.continued else [superseded]


@retry_on_conflict
def _skip_superseded(services: Services, delivery: Delivery, newest_time: str) -> DeliveryResult:
    snapshot = services.runs.read_fire_snapshot(delivery.fire)
    now = services.clock()
    skip = supersede(newest_time)
    run = snapshot.run
    if snapshot.schedule and (run is None or not (run.was_attempted or run.is_final)):
        _record_skip(services, delivery.fire, snapshot.schedule, run, skip)
    return DeliveryResult(delivery=delivery, delivered_at=now, reason=skip.reason)


@retry_on_conflict
def _handle_occurrence(
    services: Services, run_endpoint: RunEndpoint, delivery: Delivery
) -> DeliveryResult | ExecuteNewest | ExecuteNominal:
    snapshot = services.runs.read_fire_snapshot(delivery.fire)
    if snapshot.install:
        services.bind_install(snapshot.install)
    now = services.clock()
    decision = decide_delivery(delivery, snapshot.state, services.limits, now)
    if isinstance(decision, ExecuteNewest | ExecuteNominal):
        return decision
    if isinstance(decision, Execute):
        return execute_attempt(services, run_endpoint, delivery, snapshot)
    spread = find_spread(snapshot.schedule, services.limits) if snapshot.schedule else timedelta()
    result = DeliveryResult(delivery=delivery, delivered_at=now, spread=spread)
    if isinstance(decision, Acknowledge):
        return replace(result, reason=decision.reason)
    _, schedule = snapshot.require_target()
    if isinstance(decision, Skip):
        _record_skip(services, delivery.fire, schedule, snapshot.run, decision)
        return replace(result, reason=decision.reason)
    if isinstance(decision, Wait):
        _wait(services, delivery, schedule, snapshot.run, decision.until)
        return replace(result, reason=decision.reason, continued=True)
    return replace(
        result, run=give_up(services, delivery, snapshot.require_target()[1], snapshot.run, decision.text)
    )


def _record_skip(services: Services, fire: Fire, schedule: Schedule, run: Run | None, skip: Skip) -> None:
    """Record why the occurrence is not run; the schedule is released if a dead attempt still holds it."""
    if run is None:
        unattempted_run = build_unattempted_run(fire, RunStatus.SKIPPED, services.clock(), skip.text)
        skipped_run = replace(unattempted_run, skip_reason=skip.reason)
        services.runs.record_run(
            schedule, skipped_run, find_schedule_change(services, schedule, fire, skipped_run)
        )
        return
    closed_run = close_unrun(run, skip)
    services.runs.finish_run(
        fire,
        run,
        closed_run,
        release_lease=schedule.running_occurrence == fire.scheduled_time,
        change=find_schedule_change(services, schedule, fire, closed_run),
    )


def _wait(
    services: Services, delivery: Delivery, schedule: Schedule, run: Run | None, until: datetime
) -> None:
    """Send the message that counts from now on, then name it in the run's row.

    If the row has changed meanwhile, whoever has changed it continues the occurrence, and the message is a copy.
    """
    token = new_token()
    send_continuation(services, delivery, schedule, until, token)
    try:
        if run:
            services.runs.update_run(delivery.fire, run, replace(run, wait_token=token, not_before=until))
        else:
            waiting_run = build_unattempted_run(delivery.fire, RunStatus.WAITING, services.clock(), None)
            services.runs.record_run(schedule, replace(waiting_run, wait_token=token, not_before=until))
    except Conflict:
        return


def _postpone(services: Services, delivery: Delivery, reason: Unavailable) -> DeliveryResult:
    """Continue in a message that counts as much as this one, since the row cannot name another."""
    now = services.clock()
    result = DeliveryResult(delivery=delivery, delivered_at=now, reason=SkipReason.UNAVAILABLE)
    check_time = next_capacity_check(delivery.first_sent_at, now, services.limits.max_wait)
    if check_time is None:
        send_dead_letter(services, delivery, None, str(reason))
        return result
    send_continuation(services, delivery, None, check_time, delivery.event.wait_token)
    return replace(result, continued=True)
