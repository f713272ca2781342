"""What follows an occurrence: the message that continues it, or its dead letter, sent before the old message goes."""

from dataclasses import replace
from datetime import datetime

from scheduling.domain.deliveries.delivery import Delivery
from scheduling.domain.fire_events import format_fire_event, message_group
from scheduling.domain.ids import new_token
from scheduling.domain.runs import Fire, Run, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.services import Services
from scheduling.operations.sync.completion import find_schedule_change


def send_continuation(
    services: Services,
    delivery: Delivery,
    schedule: Schedule | None,
    until: datetime,
    wait_token: str | None,
) -> None:
    """Send the message that continues the occurrence at that time, or before it where SQS cannot delay it as long.

    Raises:
        Unavailable: The message may not have been sent.
    """
    now = services.clock()
    event = delivery.next_event(now, wait_token)
    services.queue.send_event(event, _find_group(delivery, schedule), until - now)


def send_dead_letter(services: Services, delivery: Delivery, schedule: Schedule | None, reason: str) -> str:
    """Send the dead letter of the occurrence, which is its own replay; return the token by which the row names it.

    Raises:
        Unavailable: The message may not have been sent.
    """
    token = new_token()
    body = format_fire_event(delivery.dead_letter_event(services.clock(), token))
    services.queue.send_dead_letter(body, _find_group(delivery, schedule), reason)
    return token


def give_up(services: Services, delivery: Delivery, schedule: Schedule, run: Run | None, reason: str) -> Run:
    """Send the dead letter, then finish the occurrence as an error that names it, and return its run.

    Raises:
        Conflict: The run is another one meanwhile.
        Unavailable: The dead letter may not have been sent, or the run not been written.
    """
    token = send_dead_letter(services, delivery, schedule, reason)
    if run is None:
        unattempted_run = build_unattempted_run(delivery.fire, RunStatus.ERROR, services.clock(), reason)
        failed_run = replace(unattempted_run, wait_token=token)
        change = find_schedule_change(services, schedule, delivery.fire, failed_run)
        services.runs.record_run(schedule, failed_run, change)
        return failed_run
    failed_run = replace(
        run,
        status=RunStatus.ERROR,
        error=reason,
        lease_expires_at=None,
        retryable=False,
        wait_token=token,
        not_before=None,
    )
    services.runs.finish_run(
        delivery.fire,
        run,
        failed_run,
        release_lease=schedule.running_occurrence == delivery.fire.scheduled_time,
        change=find_schedule_change(services, schedule, delivery.fire, failed_run),
    )
    return failed_run


def build_unattempted_run(fire: Fire, status: RunStatus, now: datetime, error: str | None) -> Run:
    """Return the run of an occurrence without an attempt."""
    return Run(
        scheduled_time=fire.scheduled_time,
        trigger=fire.trigger,
        status=status,
        attempt=0,
        started_at=now,
        error=error,
    )


def _find_group(delivery: Delivery, schedule: Schedule | None) -> str:
    return delivery.group or (message_group(schedule) if schedule else delivery.fire.install_id)
