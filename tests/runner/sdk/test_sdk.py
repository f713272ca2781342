"""The SDK outside a component, with its fake host."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from extension_sdk import (
    BadRequest,
    Denied,
    Extension,
    NotFound,
    Occurrence,
    QuotaExceeded,
    Request,
    Response,
    ScheduleRejected,
    SchedulerError,
    SchedulerInternalError,
    ValidationFailed,
    host,
)
from extension_sdk._outcomes import parse_outcome
from extension_sdk.platform import Host
from extension_sdk.schedules import Json, UpdateResult
from extension_sdk.testing import FakeHost

MANIFEST = {
    "capabilities": ["cap:scheduler.manage"],
    "api": {
        "endpoints": [
            {"method": "POST", "path": "/api/sync", "handler": "sync"},
            {"method": "GET", "path": "/a", "handler": "a"},
            {"method": "GET", "path": "/b", "handler": "b"},
        ]
    },
}


@pytest.fixture
def fake() -> FakeHost:
    fake_host = FakeHost(MANIFEST)
    host.connect(fake_host)
    return fake_host


@pytest.fixture
def app() -> Extension:
    extension = Extension()

    @extension.get("/items/:id")
    def show(request: Request) -> Json:
        return {"id": request.params["id"], "query": request.query}

    @extension.put("/items/:id")
    def replace(request: Request) -> Response:
        return Response.json(request.json(), 201, {"x-id": request.params["id"]})

    @extension.post("/fail")
    def fail(_request: Request) -> Json:
        raise LookupError("lost")

    @extension.post("/refuse")
    def refuse(_request: Request) -> Json:
        raise BadRequest("not valid")

    return extension


def test_path_parameter_and_query_are_decoded(app: Extension) -> None:
    response = app.handle(Request("get", "/items/a%2Fb?x=1&y=%C3%BC"))
    assert response == Response.json({"id": "a/b", "query": {"x": "1", "y": "ü"}})


def test_handler_can_return_a_whole_response(app: Extension) -> None:
    response = app.handle(Request("PUT", "/items/7", body=b'{"a": [1]}'))
    assert response == Response(201, {"content-type": "application/json", "x-id": "7"}, b'{"a": [1]}')


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        (Request("GET", "/nowhere"), 404, "Not found"),
        (Request("GET", "/items"), 404, "Not found"),
        (Request("POST", "/items/7"), 405, "Method not allowed"),
        (Request("POST", "/refuse"), 400, "not valid"),
        (Request("PUT", "/items/7", body=b"{"), 400, "The body is not JSON: "),
    ],
)
def test_errors_are_json(app: Extension, request_: Request, status: int, error: str) -> None:
    response = app.handle(request_)
    assert response.status == status
    assert error in (response.body or b"").decode()
    assert response.headers.get("allow") == ("GET, PUT" if status == 405 else None)


def test_exception_is_logged_and_hidden(app: Extension, fake: FakeHost) -> None:
    assert app.handle(Request("POST", "/fail")) == Response.json({"error": "Internal error"}, 500)
    ((level, message),) = fake.log.lines
    assert level == "error"
    assert "LookupError: lost" in message


def test_host_must_be_connected() -> None:
    with pytest.raises(RuntimeError, match="FakeHost"):
        _ = Host().scheduler


def test_fake_scheduler_stores_schedules(fake: FakeHost) -> None:
    created = host.scheduler.create("POST /api/sync", "0 3 * * *", name="nightly", payload={"full": True})
    assert created.success
    (schedule,) = host.scheduler.list()
    assert (schedule.id, schedule.endpoint_method, schedule.endpoint_path) == (
        created.schedule_id,
        "POST",
        "/api/sync",
    )

    host.scheduler.update(schedule.id, cron="0 4 * * *", payload=None).raise_for_error()
    changed = host.scheduler.get(schedule.id)
    assert changed is not None
    assert (changed.cron, changed.name, changed.payload) == ("0 4 * * *", "nightly", None)

    assert host.scheduler.delete(schedule.id).success
    assert host.scheduler.get(schedule.id) is None
    assert fake.scheduler.schedules == {}


UNKNOWN_ID = "5f0c8d2e-7a61-4c7e-9c1a-3b2d1e0f4a55"


def test_refused_change_can_be_raised(fake: FakeHost) -> None:
    host.scheduler.create("/a", "0 3 * * *", name="taken")
    refused = host.scheduler.create("/b", "0 3 * * *", name="taken")
    assert not refused.success
    assert len(fake.scheduler.schedules) == 1
    with pytest.raises(ScheduleRejected, match="already in use") as caught:
        refused.raise_for_error()
    assert set(caught.value.field_errors) == {"name"}
    assert host.scheduler.delete(UNKNOWN_ID).error == "Schedule not found"


@pytest.mark.parametrize(
    ("code", "error_type"),
    [
        ("denied", Denied),
        ("not-found", NotFound),
        ("validation-failed", ValidationFailed),
        ("quota-exceeded", QuotaExceeded),
        ("internal", SchedulerInternalError),
    ],
)
def test_fake_scheduler_fails_on_request(code: str, error_type: type[SchedulerError], fake: FakeHost) -> None:
    fake.scheduler.fail_with(code, after=1)
    assert host.scheduler.create("/a", "0 3 * * *").success
    for read in (host.scheduler.list, host.scheduler.get_endpoints, lambda: host.scheduler.get(UNKNOWN_ID)):
        with pytest.raises(error_type, match=f"The scheduler answered {code}"):
            read()
    for result in (
        host.scheduler.create("/a", "0 3 * * *"),
        host.scheduler.update(UNKNOWN_ID),
        host.scheduler.delete(UNKNOWN_ID),
    ):
        assert result.code == code
        with pytest.raises(error_type):
            result.raise_for_error()
    fake.scheduler.recover()
    assert len(host.scheduler.list()) == 1
    with pytest.raises(ValueError, match="unknown code 'other': use one of not-found, "):
        fake.scheduler.fail_with("other")


def test_fake_scheduler_can_refuse_without_reasons(fake: FakeHost) -> None:
    fake.scheduler.reasons = False
    result = host.scheduler.create("/a", "* * * * *")
    assert (result.code, result.field_errors) == ("validation-failed", {})
    for _ in range(10):
        host.scheduler.create("/a", "0 3 * * *").raise_for_error()
    assert host.scheduler.create("/a", "0 3 * * *").code == "quota-exceeded"


def test_limit_of_writes_follows_the_clock() -> None:
    now = [datetime(2026, 11, 23, 9, tzinfo=UTC)]
    scheduler = FakeHost(MANIFEST, clock=lambda: now[0]).scheduler
    for _ in range(10):
        scheduler.create("/a", "0 3 * * *").raise_for_error()
    assert scheduler.create("/a", "0 3 * * *").error == "Too many requests, please try again later"
    now[0] += timedelta(seconds=60)
    scheduler.create("/a", "0 3 * * *").raise_for_error()


def test_fake_host_needs_a_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "app", raising=False)
    with pytest.raises(FileNotFoundError, match="FakeHost needs the extension's manifest"):
        FakeHost()
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    assert FakeHost().scheduler.manifest == FakeHost(Path("manifest.json")).scheduler.manifest


OCCURRENCE_HEADERS = {
    "x-alga-schedule-id": "schedule-1",
    "x-alga-scheduled-for": "2026-11-23T09:00:00Z",
    "x-alga-attempt": "2",
    "x-alga-trigger": "schedule",
}


def test_scheduled_request_has_its_occurrence() -> None:
    request = Request("POST", "/a", OCCURRENCE_HEADERS)
    scheduled_time = datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert request.scheduled == Occurrence("schedule-1", scheduled_time, 2, "schedule")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="ordinary request"),
        *(
            pytest.param({**OCCURRENCE_HEADERS, name: ""}, id=f"empty {name}")
            for name in ("x-alga-scheduled-for", "x-alga-attempt")
        ),
        *(
            pytest.param(
                {key: value for key, value in OCCURRENCE_HEADERS.items() if key != name}, id=f"no {name}"
            )
            for name in OCCURRENCE_HEADERS
        ),
        pytest.param({**OCCURRENCE_HEADERS, "x-alga-scheduled-for": "2026-11-23T09:00:00"}, id="no zone"),
    ],
)
def test_other_request_has_no_occurrence(headers: dict[str, str]) -> None:
    assert Request("POST", "/a", headers).scheduled is None


def test_bare_case_of_a_deployed_runner_becomes_a_typed_error() -> None:
    text = 'SchedulerError { code: 1, name: "validation-failed", message: "" }'
    result = UpdateResult(**parse_outcome(text, None))
    assert not result.success
    assert result.code == "validation-failed"
    assert (result.error or "").startswith("the runner gave no reason: a rule of schedules is broken")
    with pytest.raises(ScheduleRejected, match="the runner gave no reason: ") as caught:
        result.raise_for_error()
    assert isinstance(caught.value, ValidationFailed)
    assert caught.value.code == "validation-failed"


@pytest.mark.parametrize(
    ("code", "error_type"), [("quota-exceeded", QuotaExceeded), ("added-later", ScheduleRejected)]
)
def test_case_of_a_rejection_is_its_class(code: str, error_type: type[SchedulerError]) -> None:
    text = f'SchedulerError {{ code: 2, name: "{code}", message: "slow down" }}'
    with pytest.raises(error_type, match=r"^slow down$"):
        UpdateResult(**parse_outcome(text, None)).raise_for_error()


def test_reason_of_a_refusal_is_kept() -> None:
    assert parse_outcome("Name too long", '{"name": "Name too long"}') == {
        "error": "Name too long",
        "field_errors": {"name": "Name too long"},
    }
