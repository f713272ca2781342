"""The faults that raise the alarms, each played on a stack in memory.

A rehearsal of an alarm on the service's own metrics leaves the metrics in the output. One of an alarm on AWS's own
metrics returns the resource of the template that shows the fault, after it has checked the cause: a raised error, a
status, or a message that stays.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.session import Session
from scheduling.api.observability import report_secret_outage
from scheduling.clients.secrets import Secret
from scheduling.domain.errors import Unavailable
from scheduling.domain.runs import NO_RESPONSE, Outcome, RunStatus

from tests.support.aws.calls import client_error
from tests.support.faults.cases import (
    Case,
    fire_message,
    kill_at,
    next_fire_event,
    record_two_attempts,
    update_case_schedule,
)
from tests.support.oracles.alarms import read_properties
from tests.support.oracles.event_cases import load_event
from tests.support.stacks.functions import Context, http_event, load_function
from tests.support.stacks.world import DEAD_LETTER_QUEUE_URL, TIMER_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.aws.calls import Call

    Rehearsal = Callable[[Case], str | None]

SUCCESS = Outcome(status=RunStatus.SUCCESS, http_status=200)
EXTENSION_REFUSES = Outcome(status=RunStatus.ERROR, http_status=404, error="no")
EXTENSION_FAILS = Outcome(status=RunStatus.ERROR, http_status=500, error="no", retryable=True)
RUNNER_REFUSES = Outcome(status=RunStatus.ERROR, error="401", retryable=True, runner_status=401)
RUNNER_IS_DOWN = Outcome(status=RunStatus.ERROR, error="down", retryable=True, retry_after=timedelta())
RUNNER_TIMES_OUT = Outcome(status=RunStatus.ERROR, error="late", retryable=True, runner_error=NO_RESPONSE)


def fire(case: Case, outcome: Outcome, *, times: int = 1, minutes_late: float = 0) -> Any:
    """Deliver the next occurrences, one an hour, and return the result of the last delivery."""
    module = load_function("execute")
    module.run_endpoint = case.world.runner
    case.world.runner.outcome = outcome
    result = None
    for _ in range(times):
        event = next_fire_event(case)
        message = fire_message(event)
        sent_at = datetime.fromisoformat(event["scheduledTime"])
        message["Records"][0]["attributes"]["SentTimestamp"] = str(round(sent_at.timestamp() * 1000))
        case.world.clock[0] = sent_at.astimezone(UTC) + timedelta(minutes=minutes_late)
        result = module.handler(message, Context())
    return result


def fail_calls(case: Case, *operations: str, code: str = "InternalServerError", status: int = 500) -> None:
    """Let every call of these operations fail from now on; without any, every call of all."""

    def fail(call: Call) -> None:
        if not operations or call.operation in operations:
            raise client_error(code, call.operation, status)

    case.world.calls.before = fail


def queue_of(variable: str) -> str:
    """Return the queue that the variable of the function `execute` names."""
    return str(read_properties("ExecuteFunction")["Environment"]["Variables"][variable])


def refuse_runs(case: Case) -> None:
    fire(case, RUNNER_REFUSES)


def let_runs_time_out(case: Case) -> None:
    fire(case, RUNNER_TIMES_OUT, times=6)


def fail_attempts(case: Case) -> None:
    fire(case, EXTENSION_FAILS)


def fail_for_good(case: Case) -> None:
    fire(case, EXTENSION_REFUSES, times=5)


def stop_the_runner(minutes: float) -> Rehearsal:
    """Return the rehearsal of a runner that is down, with an occurrence that has waited for so long."""

    def rehearse(case: Case) -> None:
        assert fire(case, RUNNER_IS_DOWN, minutes_late=minutes) == {"batchItemFailures": []}

    return rehearse


def hide_secrets(case: Case) -> None:
    fail_calls(case, "GetSecretValue")
    with pytest.raises(Unavailable):
        Secret(Session(), "secret", report_outage=report_secret_outage).read_value()


def leave_a_change_pending(case: Case) -> None:
    kill_at("UpdateSchedule", update_case_schedule(cron="5 9 * * *"))(case)
    case.world.advance(minutes=11)
    fail_calls(case, "UpdateSchedule", "CreateSchedule", "GetSchedule")
    load_function("reconcile").handler({}, Context())


def send_an_unreadable_message(_case: Case) -> None:
    load_function("execute").handler(fire_message({}), Context())


def break_the_reconciler(case: Case) -> str:
    module = load_function("reconcile")
    fail_calls(case, "Query", code="AccessDeniedException", status=400)
    with pytest.raises(Exception, match="AccessDenied"):
        module.handler({}, Context())
    return "ReconcileFunction"


def break_a_route(case: Case) -> str:
    module = load_function("get")
    fail_calls(case, code="AccessDeniedException", status=400)
    event = http_event(installId=case.install_id, scheduleId=case.schedule.id)
    assert module.handler(event, Context())["statusCode"] == 500
    return "Api"


def exhaust_attempts(case: Case) -> str:
    record_two_attempts(case)
    fire(case, EXTENSION_FAILS)
    (letter,) = case.world.list_sent_messages(DEAD_LETTER_QUEUE_URL)
    assert letter.attributes["ERROR_MESSAGE"] == "no"
    return queue_of("DEAD_LETTER_QUEUE_URL")


def keep_timers_from_sending(case: Case) -> str:
    """EventBridge itself sends the dead letter of a timer to the queue that the timer names."""
    (timer,) = case.world.read_timers().values()
    assert timer["Target"]["DeadLetterConfig"]["Arn"] == TIMER_SETTINGS.timer_dlq_arn
    return queue_of("TIMER_DLQ_ARN")


def let_messages_stay(case: Case) -> str:
    """Neither table nor queue responds, so that the message stays, as it does while the mapping is disabled."""
    fail_calls(case)
    assert fire(case, SUCCESS) == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    return str(read_properties("OccurrenceMapping")["EventSourceArn"])


def break_the_bus(case: Case) -> str:
    event = load_event("audit/schedule_created")
    module = load_function("audit")
    fail_calls(case, "PutEvents")
    (failure,) = module.handler(event, Context())["batchItemFailures"]
    assert failure["itemIdentifier"]
    return "AuditFunction"


def break_the_bus_for_hours(case: Case) -> str:
    """Lambda sends what the audit has not accepted for six hours to the mapping's destination."""
    break_the_bus(case)
    mapping = read_properties("AuditMapping")
    assert mapping["MaximumRecordAgeInSeconds"] == 6 * 3600
    return str(mapping["DestinationConfig"]["OnFailure"]["Destination"])


REHEARSALS: Mapping[str, Rehearsal] = {
    "ApiErrorsAlarm": break_a_route,
    "AuditAgeAlarm": break_the_bus,
    "DeadLettersAlarm": exhaust_attempts,
    "ExecuteErrorsAlarm": fail_attempts,
    "FailedOccurrencesAlarm": fail_for_good,
    "LatenessAlarm": stop_the_runner(minutes=31),
    "OccurrencesAgeAlarm": let_messages_stay,
    "PendingRowsAlarm": leave_a_change_pending,
    "ReconcileErrorsAlarm": break_the_reconciler,
    "RunnerOverloadAlarm": let_runs_time_out,
    "RunnerRefusalsAlarm": refuse_runs,
    "SecretReadsAlarm": hide_secrets,
    "TimerDeadLettersAlarm": keep_timers_from_sending,
    "UnpublishedAlarm": break_the_bus_for_hours,
    "UnreadableItemsAlarm": send_an_unreadable_message,
    "WaitingAlarm": stop_the_runner(minutes=11),
}
"""The fault of each alarm, by the alarm's logical id."""
