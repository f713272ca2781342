"""Events of the queue of occurrences and of the table's stream, and the functions' results (contract, section 5)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from scheduling.api.observability import MetricValues, bind_request, count_unreadable, emit_metrics, logger
from scheduling.domain.deliveries.delivery import Delivery, DeliveryResult
from scheduling.domain.errors import InvalidFireEvent
from scheduling.domain.fire_events import parse_fire_event
from scheduling.domain.runs import UNRESOLVED_HOST, UNTRUSTED_HOST, RunStatus, SkipReason, Trigger
from scheduling.operations.audit import PublishResult

Deliver = Callable[[Delivery], Sequence[DeliveryResult]]
"""Handles a delivery; raises what leaves it undecided, so that it has to be delivered again."""
SendDeadLetter = Callable[[str, str | None, str], None]
"""Sends a message's body, its group and the reason to the queue of dead letters."""

_SECOND = timedelta(seconds=1)


def handle_deliveries(
    event: Mapping[str, Any],
    context: LambdaContext,
    deliver: Deliver,
    send_dead_letter: SendDeadLetter,
    clock: Callable[[], datetime],
) -> dict[str, object]:
    """Handle the messages of the queue, or an occurrence that the event itself describes, and return the result.

    Of messages, the result has those to be delivered again: a failed run is none, since what remains to be done is in
    a newer message. Of a direct event, it has the status of the occurrence.
    """
    records = event.get("Records")
    if records is None:
        delivery = Delivery(event=parse_fire_event(event), accepted_at=clock())
        return _result_fields(delivery, _deliver_and_report(delivery, context, deliver))
    undecided = [
        record["messageId"]
        for record in records
        if not _handle_message(record, context, deliver, send_dead_letter, clock)
    ]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in undecided]}


def _handle_message(
    record: Mapping[str, Any],
    context: LambdaContext,
    deliver: Deliver,
    send_dead_letter: SendDeadLetter,
    clock: Callable[[], datetime],
) -> bool:
    """Return whether the message can be acknowledged."""
    bind_request(context, "execute", message_id=record["messageId"])
    attributes = record.get("attributes", {})
    group = attributes.get("MessageGroupId")
    try:
        try:
            fire_event = parse_fire_event(record["body"])
        except InvalidFireEvent as error:
            logger.error("unreadable message", reason=str(error))
            logger.info("occurrence", scheduled_time=None, status="unreadable", attempt=None)
            emit_metrics(count_unreadable(1))
            send_dead_letter(record["body"], group, f"The message names no occurrence: {error}")
            return True
        delivery = Delivery(event=fire_event, accepted_at=_parse_sent_at(attributes) or clock(), group=group)
        _deliver_and_report(delivery, context, deliver)
    except Exception:  # an error of the function would slow down the queue for everybody
        logger.exception("delivery undecided")
        emit_metrics({"UndecidedDeliveries": (MetricUnit.Count, 1)})
        return False
    return True


def _parse_sent_at(attributes: Mapping[str, str]) -> datetime | None:
    """Return when SQS accepted the message."""
    millis = attributes.get("SentTimestamp", "")
    return datetime.fromtimestamp(int(millis) / 1000, UTC) if millis.isdigit() else None


def _deliver_and_report(
    delivery: Delivery, context: LambdaContext, deliver: Deliver
) -> Sequence[DeliveryResult]:
    fire = delivery.fire
    bind_request(context, "execute", install_id=fire.install_id, schedule_id=fire.schedule_id)
    try:
        results = deliver(delivery)
    except Exception:
        _log_occurrence(delivery, "undecided", None)
        raise
    for result in results:
        _report_result(result)
    return results


def _result_fields(delivery: Delivery, results: Sequence[DeliveryResult]) -> dict[str, object]:
    """Return the result of a direct event: that of the newest occurrence, if it runs in place of the event's own."""
    result = results[0]
    fields: dict[str, object] = {
        "scheduleId": delivery.fire.schedule_id,
        "scheduledTime": result.delivery.fire.scheduled_time,
        "status": result.status,
    }
    return (
        fields if result.run is None else {**fields, "attempt": result.run.attempt, "error": result.run.error}
    )


def _report_result(result: DeliveryResult) -> None:
    """Log and count what has become of an occurrence."""
    run = result.run
    _log_occurrence(result.delivery, result.status, run.attempt if run else None)
    if run and run.status is RunStatus.WAITING:
        logger.info("no capacity", reason=run.error, detail=run.detail)
    elif run and run.error:
        logger.warning("attempt failed", attempt=run.attempt, reason=run.error, detail=run.detail)
    if values := {**_count_attempt(result), **_count_occurrence(result), **_measure_delays(result)}:
        emit_metrics(values)
    _emit_fire_metrics(result)
    if result.runner_response:
        emit_metrics({"RunnerResponses": (MetricUnit.Count, 1)}, code=result.runner_response)
    if result.waiting_cause:
        emit_metrics({"Waiting": (MetricUnit.Count, 1)}, cause=result.waiting_cause.value)


def _log_occurrence(delivery: Delivery, status: str, attempt: int | None) -> None:
    """Write the one line that each delivery has."""
    logger.info("occurrence", scheduled_time=delivery.fire.scheduled_time, status=status, attempt=attempt)


def _count_attempt(result: DeliveryResult) -> MetricValues:
    """Return whether there was an attempt, whether it failed, and whether the runner refused it.

    A lack of the runner's capacity is none.
    """
    run = result.run
    if run is None or result.runner_response is None or run.status is RunStatus.WAITING:
        return {}
    values: MetricValues = {
        "Attempts": (MetricUnit.Count, 1),
        "FailedAttempts": (MetricUnit.Count, int(run.status is RunStatus.ERROR)),
    }
    refused = run.runner_status is not None or run.runner_error in (UNRESOLVED_HOST, UNTRUSTED_HOST)
    return {**values, "RunnerRefusals": (MetricUnit.Count, 1)} if refused else values


def _count_occurrence(result: DeliveryResult) -> MetricValues:
    """Return whether the occurrence has ended, and whether it has failed for good."""
    if not result.finished:
        return {}
    return {
        "FinishedOccurrences": (MetricUnit.Count, 1),
        "FailedOccurrences": (MetricUnit.Count, int(result.failed)),
    }


def _measure_delays(result: DeliveryResult) -> MetricValues:
    """Return how late the delivery is, and how long the occurrence has waited for its first attempt or for capacity."""
    fire = result.delivery.fire
    values: MetricValues = {}
    if fire.trigger is Trigger.SCHEDULE and not fire.replay:
        values = {"Lateness": (MetricUnit.Seconds, result.lateness / _SECOND)}
    if _waits_for_capacity(result):
        waited = max(result.delivered_at - result.delivery.first_sent_at, timedelta())
        values = {**values, "WaitingSeconds": (MetricUnit.Seconds, waited / _SECOND)}
    return values


def _emit_fire_metrics(result: DeliveryResult) -> None:
    run, fire = result.run, result.delivery.fire
    values: MetricValues = {"Fires": (MetricUnit.Count, 1)}
    if run and run.duration_ms is not None:
        values = {**values, "RunDurationMs": (MetricUnit.Milliseconds, run.duration_ms)}
    emit_metrics(values, outcome=_find_outcome(result), trigger=fire.trigger.value)


def _find_outcome(result: DeliveryResult) -> str:
    """Return the outcome by which a delivery is counted: what failed for good is an `error`, whatever the reason."""
    if result.failed:
        return RunStatus.ERROR.value
    if result.run and result.run.status is RunStatus.ERROR:
        return "retried"
    if result.run is None and result.continued:
        return "waiting" if result.reason is SkipReason.OVERLAP else "delayed"
    return result.status


def _waits_for_capacity(result: DeliveryResult) -> bool:
    """Return whether the occurrence has waited for its first attempt until now, or goes on waiting."""
    fire = result.delivery.fire
    if fire.replay or fire.trigger is Trigger.BACKFILL:
        return False
    if result.run is None:
        return result.continued and result.reason is not SkipReason.RUNNING
    return result.run.status is RunStatus.WAITING or result.run.attempt == 1


audit_logger = Logger(service="audit", level="INFO")
"""A separate logger, which the log level of the functions does not silence."""


def stream_response(result: PublishResult) -> dict[str, object]:
    """Log every published event and unreadable record, and return the record from which Lambda must redeliver, if any.

    Unreadable records are counted once: by the delivery after which nothing is redelivered.
    """
    for item in result.unreadable:
        audit_logger.error(str(item))
    if result.unreadable and result.republish_from is None:
        emit_metrics(count_unreadable(len(result.unreadable)))
    for event in result.published:
        audit_logger.info(event.name.value, detail=event.detail)
    if result.republish_from is None:
        return {"batchItemFailures": []}
    audit_logger.warning("to be redelivered", sequence=result.republish_from)
    return {"batchItemFailures": [{"itemIdentifier": result.republish_from}]}
