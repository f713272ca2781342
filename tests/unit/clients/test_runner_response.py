"""What the extension has answered, and what the runner says itself, as the outcome of a call (contract, section 6)."""

from datetime import timedelta

import pytest
from scheduling.domain.runs import Outcome, RunStatus

from tests.unit.clients.runner_harness import (
    CHUNKED,
    LocalRunner,
    RunnerHarness,
    chunked_response,
    error_outcome,
    extension_response,
    respond_with,
    runner_error,
    send_bytes,
)

KIB_256 = 256 * 1024


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_extension_response_2xx_is_success(local: LocalRunner, client: RunnerHarness, status: int) -> None:
    local.respond = respond_with(extension_response(status, b"done"))

    assert client.execute_fire() == Outcome(status=RunStatus.SUCCESS, http_status=status)


@pytest.mark.parametrize(
    "response",
    [b'{"status":200}', b'{"status":200,"body_b64":null}', b' {"status": 200, "more": [1]} '],
    ids=["status alone", "null body", "more fields"],
)
def test_response_needs_only_a_status(local: LocalRunner, client: RunnerHarness, response: bytes) -> None:
    local.respond = respond_with(response)

    assert client.execute_fire() == Outcome(status=RunStatus.SUCCESS, http_status=200)


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        (100, False),
        (199, False),
        (300, False),
        (301, False),
        (400, False),
        (404, False),
        (429, False),
        (499, False),
        (500, True),
        (503, True),
        (599, True),
    ],
)
def test_other_extension_responses_fail_and_5xx_is_retried(
    local: LocalRunner, client: RunnerHarness, status: int, retryable: bool
) -> None:
    local.respond = respond_with(extension_response(status, "läuft nicht".encode()))

    assert client.execute_fire() == error_outcome(
        f"The extension answered {status}: läuft nicht", retryable=retryable, http_status=status
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(None, "nothing", id="none"),
        pytest.param(b"", "nothing", id="empty"),
        pytest.param(b" \n", "nothing", id="blank"),
        pytest.param(b"\xff", "\ufffd", id="not UTF-8"),
        pytest.param(b"x" * 5000, "x" * 2000, id="long"),
    ],
)
def test_error_contains_the_start_of_the_extension_response(
    local: LocalRunner, client: RunnerHarness, body: bytes | None, text: str
) -> None:
    local.respond = respond_with(extension_response(404, body))

    assert client.execute_fire().error == f"The extension answered 404: {text}"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("201 Created", 201),
        ("204 No Content", 204),
        ("302 Found", 302),
        ("304 Not Modified", 304),
        ("400 Bad Request", 400),
        ("401 Unauthorized", 401),
        ("404 Not Found", 404),
        ("413 Payload Too Large", 413),
        ("422 Unprocessable Entity", 422),
        ("500 Internal Server Error", 500),
        ("504 Gateway Timeout", 504),
    ],
)
def test_every_other_status_of_the_runner_is_retried_and_its_body_is_the_operators(
    local: LocalRunner, client: RunnerHarness, status: str, code: int
) -> None:
    local.respond = respond_with(b'{"status":200}', status)

    text = f"The runner answered {code}"
    body = "nothing" if code in (204, 304) else '{"status":200}'
    assert client.execute_fire() == error_outcome(text, detail=f"{text}: {body}", runner_status=code)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param("", 0, id="none"),
        pytest.param("retry-after: 45\r\n", 45, id="seconds"),
        pytest.param("Retry-After:  0 \r\n", 0, id="now"),
        pytest.param("retry-after: -5\r\n", 0, id="negative"),
        pytest.param("retry-after: soon\r\n", 0, id="no time"),
        pytest.param(f"retry-after: {'9' * 5000}\r\n", 0, id="too many digits"),
        pytest.param("retry-after: ٤٥\r\n", 0, id="other digits"),
        pytest.param(
            "date: Mon, 23 Nov 2026 09:00:00 GMT\r\nretry-after: Mon, 23 Nov 2026 09:02:00 GMT\r\n",
            120,
            id="date",
        ),
        pytest.param(
            "date: Mon, 23 Nov 2026 09:00:00 GMT\r\nretry-after: Mon, 23 Nov 2026 08:00:00 GMT\r\n",
            0,
            id="date in the past",
        ),
        pytest.param("retry-after: Mon, 23 Nov 2026 09:02:00 GMT\r\n", 0, id="date without the present"),
    ],
)
def test_overloaded_runner_says_when_it_has_capacity(
    local: LocalRunner, client: RunnerHarness, status: int, headers: str, seconds: int
) -> None:
    local.respond = respond_with(b"busy", f"{status} Busy", headers)

    assert client.execute_fire() == error_outcome(
        f"The runner answered {status}",
        detail=f"The runner answered {status}: busy",
        runner_status=status,
        retry_after=timedelta(seconds=seconds),
    )


def test_a_large_body_of_a_refusal_is_not_quoted(local: LocalRunner, client: RunnerHarness) -> None:
    local.respond = respond_with(b"x" * (KIB_256 + 1), "502 Bad Gateway")

    assert client.execute_fire().detail == "The runner answered 502: a body that is too large"


def test_a_redirect_is_not_followed(local: LocalRunner, client: RunnerHarness) -> None:
    local.respond = respond_with(b"", "307 Temporary", f"location: {local.url}/elsewhere\r\n")

    assert client.execute_fire().runner_status == 307
    assert [received.path for received in local.received] == ["/v1/execute"]


@pytest.mark.parametrize(
    ("text", "error", "detail", "kind", "retryable"),
    [
        pytest.param(
            "missing_routing_headers",
            "missing_routing_headers",
            None,
            "missing_routing_headers",
            False,
            id="headers",
        ),
        pytest.param(
            "unknown_capabilities: cap:new",
            "unknown_capabilities",
            "unknown_capabilities: cap:new",
            "unknown_capabilities",
            False,
            id="capabilities",
        ),
        pytest.param(
            "bundle_fetch_failed: GET https://bucket: 403",
            "bundle_fetch_failed",
            "bundle_fetch_failed: GET https://bucket: 403",
            "bundle_fetch_failed",
            True,
            id="bundle",
        ),
        pytest.param(
            "secret_decrypt_failed",
            "secret_decrypt_failed",
            None,
            "secret_decrypt_failed",
            True,
            id="secrets",
        ),
        pytest.param(
            "execute_failed: trap: a", "execute_failed: trap: a", None, "execute_failed", True, id="extension"
        ),
        pytest.param(
            "quota_exceeded: 7", "quota_exceeded", "quota_exceeded: 7", "other", True, id="unknown kind"
        ),
        pytest.param(
            "it broke somehow",
            "The runner reported an error",
            "it broke somehow",
            "other",
            True,
            id="no kind",
        ),
        pytest.param(
            "\ud800: lone", "The runner reported an error", "?: lone", "other", True, id="a lone surrogate"
        ),
    ],
)
def test_the_extension_sees_only_the_kind_of_a_runner_error(
    local: LocalRunner,
    client: RunnerHarness,
    text: str,
    error: str,
    detail: str | None,
    kind: str,
    retryable: bool,
) -> None:
    local.respond = respond_with(runner_error(text))

    assert client.execute_fire() == error_outcome(
        error, detail=detail, retryable=retryable, runner_error=kind
    )


@pytest.mark.parametrize("error", ["null", '""'])
def test_a_response_without_error_is_the_extensions(
    local: LocalRunner, client: RunnerHarness, error: str
) -> None:
    local.respond = respond_with(f'{{"status":200,"error":{error}}}'.encode())

    assert client.execute_fire() == Outcome(status=RunStatus.SUCCESS, http_status=200)


@pytest.mark.parametrize("error", [7, True, ["execute_failed"], {"kind": "execute_failed"}])
def test_an_error_that_is_no_text_is_not_understood(
    local: LocalRunner, client: RunnerHarness, error: object
) -> None:
    local.respond = respond_with(runner_error(error))

    outcome = client.execute_fire()

    assert (outcome.error, outcome.retryable) == ("The runner's answer is not understood", False)


@pytest.mark.parametrize(
    ("response", "excerpt"),
    [
        pytest.param(b"", "nothing", id="empty"),
        pytest.param(b"<html>", "<html>", id="no JSON"),
        pytest.param(b'{"status":200', '{"status":200', id="JSON cut short"),
        pytest.param(b"\xff\xfe\xfd", "\ufffd\ufffd\ufffd", id="no text"),
        pytest.param(b"[" * 50_000, "[" * 2000, id="bottomless"),
        pytest.param(b"null", "null", id="null"),
        pytest.param(b"200", "200", id="a number"),
        pytest.param(b"[200]", "[200]", id="an array"),
        pytest.param(b'"status"', '"status"', id="a text"),
        pytest.param(b"{}", "{}", id="no status"),
        *(
            pytest.param(f'{{"status":{status}}}'.encode(), f'{{"status":{status}}}', id=f"status {status}")
            for status in ("null", '"200"', "true", "200.0", "99", "600", "0", "-200", "[200]", "NaN")
        ),
        *(
            pytest.param(
                f'{{"status":200,"body_b64":{body}}}'.encode(),
                f'{{"status":200,"body_b64":{body}}}',
                id=f"body {body}",
            )
            for body in ('"!"', '"YQ"', "1", "true", '["YQ=="]', '{"a":1}', '"é"')
        ),
    ],
)
def test_response_that_is_not_understood_is_a_final_error(
    local: LocalRunner, client: RunnerHarness, response: bytes, excerpt: str
) -> None:
    local.respond = respond_with(response)

    text = "The runner's answer is not understood"
    assert client.execute_fire() == error_outcome(text, detail=f"{text}: {excerpt}", retryable=False)


def padded_response(size: int) -> bytes:
    around = len('{"status":200,"headers":""}')
    return b'{"status":200,"headers":"' + b"x" * (size - around) + b'"}'


@pytest.mark.parametrize("form", ["with its length", "chunked", "to the end of the connection"])
@pytest.mark.parametrize("excess", [0, 1], ids=["256 KiB", "a byte more"])
def test_response_can_have_at_most_256_kib(
    local: LocalRunner, client: RunnerHarness, form: str, excess: int
) -> None:
    body = padded_response(KIB_256 + excess)
    local.respond = {
        "with its length": respond_with(body),
        "chunked": send_bytes(CHUNKED.encode() + chunked_response(body, 10_000)),
        "to the end of the connection": send_bytes(b"HTTP/1.1 200 OK\r\n\r\n" + body),
    }[form]

    outcome = client.execute_fire()

    if excess:
        assert outcome == error_outcome("The runner's answer is larger than 256 KiB", retryable=False)
    else:
        assert outcome == Outcome(status=RunStatus.SUCCESS, http_status=200)


def test_response_in_one_byte_chunks_is_read(local: LocalRunner, client: RunnerHarness) -> None:
    local.respond = send_bytes(CHUNKED.encode() + chunked_response(extension_response(404, b"in pieces"), 1))

    assert client.execute_fire().error == "The extension answered 404: in pieces"
