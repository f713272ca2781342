"""The executor's events and results: messages of the queue, direct events, and what is logged and counted."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from scheduling.api.observability import logger
from scheduling.api.triggers import handle_deliveries
from scheduling.domain.deliveries.delivery import Delivery, DeliveryResult
from scheduling.domain.errors import InvalidFireEvent, Unavailable
from scheduling.domain.fire_events import FireEvent
from scheduling.domain.runs import Run, RunStatus, SkipReason

from tests.support.stacks.functions import Context
from tests.unit.builders import INSTALL_ID, NOW, SCHEDULE_ID, fire

EVENT: dict[str, Any] = {
    "installId": INSTALL_ID,
    "scheduleId": SCHEDULE_ID,
    "revision": 1,
    "scheduledTime": "2026-11-23T09:00:00Z",
    "attempt": "1",
}
OCCURRENCE = {"scheduleId": SCHEDULE_ID, "scheduledTime": "2026-11-23T09:00:00Z"}
CONTEXT: Any = Context()
SENT_AT = datetime(2026, 11, 23, 9, 0, 3, 250_000, tzinfo=UTC)
RUN = Run(
    scheduled_time="2026-11-23T09:00:00Z", status=RunStatus.ERROR, attempt=2, started_at=NOW, error="no"
)


def message(message_id: str = "message-1", **fields: object) -> dict[str, Any]:
    default = {
        "messageId": message_id,
        "body": json.dumps(EVENT),
        "attributes": {"SentTimestamp": "1795424403250", "MessageGroupId": "tenant-1"},
    }
    return {**default, **fields}


@dataclass
class Handler:
    """Handles events with the result, or the error, that a test chooses."""

    fields: dict[str, Any] = field(default_factory=lambda: {"reason": SkipReason.DUPLICATE})
    error: Exception | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    dead_letters: list[tuple[str, str | None, str]] = field(default_factory=list)

    def __call__(self, event: dict[str, Any]) -> dict[str, object]:
        return handle_deliveries(
            event, CONTEXT, self.deliver, lambda *letter: self.dead_letters.append(letter), lambda: NOW
        )

    def deliver(self, delivery: Delivery) -> Sequence[DeliveryResult]:
        self.deliveries.append(delivery)
        if self.error:
            raise self.error
        return [DeliveryResult(delivery=delivery, delivered_at=NOW, **self.fields)]


def test_message_is_delivered_with_its_time_and_group() -> None:
    handler = Handler()

    assert handler({"Records": [message()]}) == {"batchItemFailures": []}
    assert handler.deliveries == [
        Delivery(event=FireEvent(fire=fire()), accepted_at=SENT_AT, group="tenant-1")
    ]


def test_failed_run_is_no_failure_of_its_message() -> None:
    assert Handler({"run": RUN})({"Records": [message()]}) == {"batchItemFailures": []}


@pytest.mark.parametrize("error", [Unavailable("no queue"), KeyError("a bug")])
def test_undecided_message_is_delivered_again(error: Exception) -> None:
    handler = Handler(error=error)

    assert handler({"Records": [message("one"), message("two")]}) == {
        "batchItemFailures": [{"itemIdentifier": "one"}, {"itemIdentifier": "two"}]
    }


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("5", "it is not a JSON object with fields"),
        (json.dumps({**EVENT, "scheduleId": "x"}), "scheduleId is invalid"),
    ],
)
def test_unreadable_message_is_dead_lettered_as_it_is(body: str, reason: str) -> None:
    handler = Handler()

    assert handler({"Records": [message("one", body=body), message("two")]}) == {"batchItemFailures": []}
    assert handler.dead_letters == [(body, "tenant-1", f"The message names no occurrence: {reason}")]
    assert len(handler.deliveries) == 1


def test_direct_event_is_delivered_now() -> None:
    handler = Handler()

    assert handler(EVENT) == {**OCCURRENCE, "status": "duplicate"}
    assert handler.deliveries == [Delivery(event=FireEvent(fire=fire()), accepted_at=NOW, group=None)]


@pytest.mark.parametrize("name", ["installId", "scheduleId", "revision", "scheduledTime"])
def test_direct_event_without_a_field_is_refused(name: str) -> None:
    with pytest.raises(InvalidFireEvent, match=f"{name} is missing"):
        Handler()({key: value for key, value in EVENT.items() if key != name})


@pytest.mark.parametrize("reason", SkipReason)
def test_reason_against_a_run_is_the_status(reason: SkipReason) -> None:
    assert Handler({"reason": reason})(EVENT) == {**OCCURRENCE, "status": reason.value}


@pytest.mark.parametrize(
    ("status", "error"),
    [(RunStatus.SUCCESS, None), (RunStatus.ERROR, "The extension answered 404: no")],
)
def test_a_run_is_reported(status: RunStatus, error: str | None) -> None:
    run = Run(scheduled_time=fire().scheduled_time, status=status, attempt=2, started_at=NOW, error=error)

    assert Handler({"run": run})(EVENT) == {
        **OCCURRENCE,
        "status": status.value,
        "attempt": 2,
        "error": error,
    }


@pytest.mark.parametrize(
    ("fields", "status", "attempt"),
    [
        pytest.param({"reason": SkipReason.DISABLED}, "disabled", None, id="not run"),
        pytest.param({"run": RUN}, "error", 2, id="run"),
        pytest.param({"run": RUN, "continued": True}, "error", 2, id="to be retried"),
    ],
)
def test_each_delivery_is_logged(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], status: str, attempt: int | None
) -> None:
    logged: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(logger, "info", lambda message, **fields: logged.append((message, fields)))

    Handler(fields)(EVENT)

    expected = {"scheduled_time": "2026-11-23T09:00:00Z", "status": status, "attempt": attempt}
    assert logged == [("occurrence", expected)]


@pytest.mark.parametrize(
    ("handler", "body", "status"),
    [
        pytest.param(Handler(error=Unavailable("down")), json.dumps(EVENT), "undecided", id="undecided"),
        pytest.param(Handler(), "{}", "unreadable", id="names no occurrence"),
    ],
)
def test_a_delivery_without_a_result_is_logged_too(
    monkeypatch: pytest.MonkeyPatch, handler: Handler, body: str, status: str
) -> None:
    logged: list[object] = []
    monkeypatch.setattr(logger, "info", lambda message, **fields: logged.append((message, fields["status"])))

    handler({"Records": [message(body=body)]})

    assert logged == [("occurrence", status)]


def read_metrics(capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, ...], float]:
    """Return each metric by its name and the values of its dimensions, without the service."""
    values = {}
    for line in capsys.readouterr().out.splitlines():
        document = json.loads(line)
        if "_aws" not in document:
            continue
        for directive in document["_aws"]["CloudWatchMetrics"]:
            names = [name for name in directive["Dimensions"][0] if name != "service"]
            for metric in directive["Metrics"]:
                (value,) = document[metric["Name"]]
                values[(metric["Name"], *(document[name] for name in sorted(names)))] = value
    return values


WAITING_RUN = Run(
    scheduled_time=fire().scheduled_time,
    status=RunStatus.WAITING,
    attempt=0,
    started_at=NOW,
    runner_status=503,
)


Counts = dict[tuple[str, ...], float]
ENDED: Counts = {("FinishedOccurrences",): 1.0, ("FailedOccurrences",): 0.0}
FAILED: Counts = {("FinishedOccurrences",): 1.0, ("FailedOccurrences",): 1.0}
ATTEMPT: Counts = {("Attempts",): 1.0, ("FailedAttempts",): 0.0}
FAILED_ATTEMPT: Counts = {("Attempts",): 1.0, ("FailedAttempts",): 1.0}
WAITED: Counts = {("WaitingSeconds",): 90.0}


@pytest.mark.parametrize(
    ("fields", "outcome", "expected"),
    [
        pytest.param({"reason": SkipReason.SUPERSEDED}, "superseded", {}, id="superseded"),
        pytest.param(
            {"reason": SkipReason.RUNNING, "continued": True},
            "delayed",
            {("Waiting", "running"): 1.0},
            id="waits for a lease",
        ),
        pytest.param(
            {"reason": SkipReason.OVERLAP, "continued": True},
            "waiting",
            {("Waiting", "overlap"): 1.0, **WAITED},
            id="waits for another run",
        ),
        pytest.param(
            {"reason": SkipReason.UNAVAILABLE, "continued": True},
            "delayed",
            {("Waiting", "table"): 1.0, **WAITED},
            id="waits for the table",
        ),
        pytest.param(
            {"reason": SkipReason.UNAVAILABLE}, "error", FAILED, id="has waited for the table long enough"
        ),
        pytest.param(
            {"run": WAITING_RUN, "continued": True, "runner_response": "503"},
            "waiting",
            {("Waiting", "no_capacity"): 1.0, ("RunnerResponses", "503"): 1.0, **WAITED},
            id="waits for capacity",
        ),
        pytest.param(
            {"run": WAITING_RUN, "continued": True, "runner_response": "no_connection"},
            "waiting",
            {("Waiting", "no_connection"): 1.0, ("RunnerResponses", "no_connection"): 1.0, **WAITED},
            id="waits for a runner that is down",
        ),
        pytest.param(
            {"run": RUN, "continued": True, "runner_response": "200"},
            "retried",
            {("RunnerResponses", "200"): 1.0, **FAILED_ATTEMPT},
            id="failed attempt",
        ),
        pytest.param(
            {"run": RUN, "runner_response": "200"},
            "error",
            {("RunnerResponses", "200"): 1.0, **FAILED_ATTEMPT, **FAILED},
            id="failed for good",
        ),
        pytest.param({"run": RUN}, "error", FAILED, id="given up without an attempt"),
        pytest.param(
            {"run": replace(RUN, status=RunStatus.SUCCESS, error=None), "runner_response": "200"},
            "success",
            {("RunnerResponses", "200"): 1.0, **ATTEMPT, **ENDED},
            id="success",
        ),
        pytest.param(
            {"run": replace(RUN, runner_status=401), "continued": True, "runner_response": "401"},
            "retried",
            {("RunnerResponses", "401"): 1.0, ("RunnerRefusals",): 1.0, **FAILED_ATTEMPT},
            id="refused by the runner",
        ),
    ],
)
def test_each_delivery_is_counted_with_its_lateness(
    capsys: pytest.CaptureFixture[str],
    fields: dict[str, Any],
    outcome: str,
    expected: Counts,
) -> None:
    delivery = Delivery(event=FireEvent(fire=fire()), accepted_at=NOW)
    result = DeliveryResult(delivery=delivery, delivered_at=NOW + timedelta(seconds=90), **fields)

    handle_deliveries(EVENT, CONTEXT, lambda _: [result], lambda *_: None, lambda: NOW)

    of_each = {("Fires", outcome, "schedule"): 1.0, ("Lateness",): 90.0}
    assert read_metrics(capsys) == {**expected, **of_each}
