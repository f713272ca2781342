"""The request of the runner (contract, section 6)."""

import base64
import json
from uuid import UUID

import pytest
from scheduling.domain.install import InstallConfig
from scheduling.domain.runs import Run, RunStatus, Trigger

from tests.unit.builders import INSTALL_ID, NOW, SCHEDULE_ID, fire, install
from tests.unit.clients.runner_harness import LocalRunner, RunnerHarness

TRANSPORT_HEADERS = {"host", "content-length", "accept-encoding", "user-agent", "connection"}


def test_the_request_is_the_contracts(local: LocalRunner, client: RunnerHarness) -> None:
    client.execute_fire(payload='{"a":"é"}')

    (received,) = local.received
    request_id = received.headers["x-request-id"]
    assert (received.method, received.path) == ("POST", "/v1/execute")
    assert received.body == {
        "context": {
            "request_id": request_id,
            "tenant_id": "tenant-1",
            "extension_id": "registry-1",
            "install_id": INSTALL_ID,
            "version_id": "version-1",
            "content_hash": "sha256:abc",
            "config": {},
            "trigger": "schedule",
            "schedule_id": SCHEDULE_ID,
            "scheduled_for": "2026-11-23T09:00:00Z",
        },
        "http": {
            "method": "POST",
            "path": "/api/sync",
            "query": {},
            "headers": {
                "x-alga-tenant": "tenant-1",
                "x-alga-extension": "registry-1",
                "x-alga-schedule-id": SCHEDULE_ID,
                "x-alga-scheduled-for": "2026-11-23T09:00:00Z",
                "x-alga-attempt": "1",
                "x-alga-trigger": "schedule",
            },
            "body_b64": base64.b64encode('{"a":"é"}'.encode()).decode(),
        },
        "limits": {"timeout_ms": 30000},
        "providers": ["cap:context.read", "cap:scheduler.manage"],
    }


def test_the_headers_are_the_contracts_and_the_transports(local: LocalRunner, client: RunnerHarness) -> None:
    client.execute_fire()

    headers = local.received[0].headers
    request_id = headers.pop("x-request-id")
    assert str(UUID(request_id)) == request_id
    assert {name: value for name, value in headers.items() if name not in TRANSPORT_HEADERS} == {
        "content-type": "application/json",
        "x-idempotency-key": f"{SCHEDULE_ID}:2026-11-23T09:00:00Z",
        "x-alga-tenant": "tenant-1",
        "x-alga-extension": "registry-1",
    }


def test_service_token_is_read_for_each_call(local: LocalRunner, client: RunnerHarness) -> None:
    client.token = iter(["first", "second"]).__next__
    client.execute_fire()
    client.execute_fire()

    assert [received.headers["x-runner-service-token"] for received in local.received] == ["first", "second"]


def test_callback_token_is_issued_per_call_and_changes_nothing_else(
    local: LocalRunner, client: RunnerHarness
) -> None:
    client.execute_fire()
    numbers = iter([1, 2])
    client.callback_token = lambda install: f"token-{next(numbers)}-{install.id}"
    client.execute_fire()
    client.execute_fire()

    contexts = [received.body["context"] for received in local.received]
    tokens = [context.pop("callback_token", None) for context in contexts]
    assert tokens == [None, f"token-1-{INSTALL_ID}", f"token-2-{INSTALL_ID}"]
    plain, *others = (received.body | {"context": None} for received in local.received)
    assert others == [plain, plain]
    for context in contexts:
        del context["request_id"]
    assert contexts[1:] == [contexts[0], contexts[0]]


def test_an_install_without_the_capability_gets_no_callback_token(
    local: LocalRunner, client: RunnerHarness
) -> None:
    client.install = install(granted_capabilities=frozenset({"cap:context.read"}))
    client.callback_token = lambda _install: pytest.fail("made for nobody")

    client.execute_fire()

    assert "callback_token" not in local.received[0].body["context"]


def test_callback_token_is_issued_last(client: RunnerHarness) -> None:
    issued = []

    def issue_token(token: str) -> str:
        issued.append(token)
        return token

    client.token = lambda: issue_token("service")
    client.callback_token = lambda _install: issue_token("callback")
    client.execute_fire()

    assert issued == ["service", "callback"]


def test_each_attempt_has_its_own_request_id(local: LocalRunner, client: RunnerHarness) -> None:
    client.execute_fire()
    client.execute_fire()

    first, second = (received.headers["x-request-id"] for received in local.received)
    assert first != second


OCCURRENCE_KEY = f"{SCHEDULE_ID}:2026-11-23T09:00:00Z"


@pytest.mark.parametrize(
    ("attempt", "response_count", "key"),
    [
        pytest.param(1, 0, OCCURRENCE_KEY, id="second attempt after none was answered"),
        pytest.param(2, 0, OCCURRENCE_KEY, id="third attempt after none was answered"),
        pytest.param(1, 1, f"{OCCURRENCE_KEY}:2", id="second attempt after an answer"),
        pytest.param(2, 1, f"{OCCURRENCE_KEY}:2", id="third attempt after an answer and none"),
        pytest.param(2, 2, f"{OCCURRENCE_KEY}:3", id="third attempt after two answers"),
    ],
)
def test_the_key_changes_only_after_an_answer(
    local: LocalRunner, client: RunnerHarness, attempt: int, response_count: int, key: str
) -> None:
    client.previous_run = Run(
        scheduled_time="2026-11-23T09:00:00Z",
        status=RunStatus.ERROR,
        attempt=attempt,
        started_at=NOW,
        retryable=True,
        response_count=response_count,
    )

    client.execute_fire()

    assert local.received[0].headers["x-idempotency-key"] == key
    assert local.received[0].body["http"]["headers"]["x-alga-attempt"] == str(attempt + 1)


def test_a_manual_run_is_named_by_its_header_only(local: LocalRunner, client: RunnerHarness) -> None:
    client.fire = fire(trigger=Trigger.MANUAL, scheduled_time="2026-11-23T09:00:00.123Z")

    client.execute_fire()

    body = local.received[0].body
    assert body["context"]["trigger"] == "schedule"
    assert body["http"]["headers"]["x-alga-trigger"] == "manual"
    assert body["http"]["headers"]["x-alga-scheduled-for"] == "2026-11-23T09:00:00.123Z"


@pytest.mark.parametrize(
    ("method", "payload", "body"),
    [
        pytest.param("POST", '{"a":1}', '{"a":1}', id="POST with a payload"),
        pytest.param("POST", "[1e400,1.0]", "[1e400,1.0]", id="POST, numbers exact"),
        pytest.param("POST", "{}", "{}", id="POST with an empty one"),
        pytest.param("POST", None, None, id="POST without"),
        pytest.param("GET", '{"a":1}', None, id="GET with a payload"),
        pytest.param("GET", None, None, id="GET without"),
    ],
)
def test_only_a_post_carries_its_payload(
    local: LocalRunner, client: RunnerHarness, method: str, payload: str | None, body: str | None
) -> None:
    client.execute_fire(endpoint_method=method, payload=payload)

    http = local.received[0].body["http"]
    assert http["method"] == method
    if body is None:
        assert "body_b64" not in http
    else:
        assert base64.b64decode(http["body_b64"], validate=True).decode() == body


def test_config_values_are_texts(local: LocalRunner, client: RunnerHarness) -> None:
    client.config = InstallConfig(
        config='{"text":"é","empty":null,"rate":1.0,"big":1e400,"yes":true,"list":[1, {"a":"ü"}]}'
    )

    client.execute_fire()

    assert local.received[0].body["context"]["config"] == {
        "text": "é",
        "empty": "",
        "rate": "1.0",
        "big": "1e400",
        "yes": "true",
        "list": '[1,{"a":"ü"}]',
    }


@pytest.mark.parametrize("text", ["{}", "null"])
def test_absent_envelope_is_not_sent(local: LocalRunner, client: RunnerHarness, text: str) -> None:
    client.config = InstallConfig(secret_envelope=text)

    client.execute_fire()

    assert "secret_envelope" not in local.received[0].body


def test_envelope_is_sent_as_it_is(local: LocalRunner, client: RunnerHarness) -> None:
    envelope = {"ciphertext_b64": "YQ==", "version": "1", "mount": "é"}
    client.config = InstallConfig(secret_envelope=json.dumps(envelope))

    client.execute_fire()

    assert local.received[0].body["secret_envelope"] == envelope


def test_the_timeout_is_passed_on(local: LocalRunner, client: RunnerHarness) -> None:
    client.timeout_ms = 1500

    client.execute_fire()

    assert local.received[0].body["limits"] == {"timeout_ms": 1500}


@pytest.mark.parametrize(
    ("suffix", "path"),
    [
        ("", "/v1/execute"),
        ("/", "/v1/execute"),
        ("/runner", "/runner/v1/execute"),
        ("/runner/", "/runner/v1/execute"),
    ],
)
def test_the_base_url_may_have_a_path_and_a_slash(
    local: LocalRunner, client: RunnerHarness, suffix: str, path: str
) -> None:
    client.url += suffix

    client.execute_fire()

    assert local.received[0].path == path
