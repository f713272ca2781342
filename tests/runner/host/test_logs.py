"""The ids in the runner's log, and the characters that are not in it."""

import io
import logging
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from runner.logs import OriginFormatter, bind_origin
from tests.support.components.client import INSTALL_ID, ComponentClient
from tests.support.components.scheduler import RecordingScheduler

OCCURRENCE = "occurrence 2026-11-23T09:00:00Z"


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """The runner's log as text."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OriginFormatter("%(levelname)s %(name)s %(message)s"))
    loggers = [logging.getLogger(name) for name in ("runner", "extension")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    yield stream
    for logger in loggers:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def origin_of(request_id: str) -> str:
    return f"[request {request_id}, install {INSTALL_ID}, schedule schedule-1, {OCCURRENCE}]"


@pytest.mark.parametrize(
    ("method", "path", "count"),
    [
        pytest.param("GET", "/print", 4, id="extension's log"),
        pytest.param("GET", "/trap", 2, id="failure"),
        pytest.param("POST", "/scheduler/list_schedules", 2, id="worker's log"),
    ],
)
def test_every_line_says_which_execution_it_is_of(
    probe: ComponentClient,
    scheduler: RecordingScheduler,
    output: io.StringIO,
    method: str,
    path: str,
    count: int,
) -> None:
    scheduler.set_response(200, "<html>")
    request_id = str(uuid4())
    request = probe.create_request(method, path, body=b"[]" if method == "POST" else None)
    probe.post_request(request, **{"x-request-id": request_id})
    lines = output.getvalue().splitlines()
    assert len(lines) >= count
    assert all(origin_of(request_id) in line for line in lines), lines


def test_id_of_the_body_is_logged_without_the_header(probe: ComponentClient, output: io.StringIO) -> None:
    probe.execute_request("POST", "/echo", body=b"x")
    assert origin_of("request-1") in output.getvalue()


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        pytest.param("schedule_id", 7, f"[request r, install {INSTALL_ID}, {OCCURRENCE}]", id="number"),
        pytest.param("install_id", None, f"[request r, schedule schedule-1, {OCCURRENCE}]", id="null"),
        pytest.param(
            "schedule_id",
            "a\nb, c] \x1b[2J",
            f"[request r, install {INSTALL_ID}, schedule ab c 2J, {OCCURRENCE}]",
            id="characters that would end it",
        ),
    ],
)
def test_ids_are_logged_as_far_as_they_are_valid(
    probe: ComponentClient, output: io.StringIO, field: str, value: object, expected: str
) -> None:
    request = probe.create_request("POST", "/echo", body=b"x")
    request["context"][field] = value
    assert probe.post_request(request, **{"x-request-id": "r"}).response["status"] == 200
    assert output.getvalue().rstrip("\n").endswith(expected)


def test_refusal_names_install_and_path(probe: ComponentClient, output: io.StringIO) -> None:
    request = probe.create_request("POST", "/api/sync", providers=["cap:weather"])
    assert probe.post_request(request).failure == (400, "unknown_capabilities: cap:weather")
    assert output.getvalue() == (
        f"WARNING runner.server POST /api/sync: unknown_capabilities: cap:weather {origin_of('request-1')}\n"
    )


def test_rejection_names_install_and_path(probe: ComponentClient, output: io.StringIO) -> None:
    request = probe.create_request("POST", "/api/sync")
    request["context"]["config"] = 1
    assert probe.post_request(request).http_status == 422
    (line,) = output.getvalue().splitlines()
    assert line.startswith("WARNING runner.server POST /api/sync: rejected with 422: context.config: ")
    assert line.endswith(origin_of("request-1"))


def test_rejection_of_what_is_not_json_names_tenant_and_extension(
    probe: ComponentClient, output: io.StringIO
) -> None:
    probe.post_request(b"{", **{"x-request-id": "request-7"})
    (line,) = output.getvalue().splitlines()
    assert line.startswith("WARNING runner.server tenant tenant-1, extension registry-1: rejected with 400: ")
    assert line.endswith(" [request request-7]")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("line\nend", r"line\nend"),
        ("line\r\nend", r"line\r\nend"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("vertical\x0btab", r"vertical\x0btab"),
        ("form\x0cfeed", r"form\x0cfeed"),
        ("next\x85line", r"next\x85line"),
        ("line\u2028separator", r"line\u2028separator"),
        ("paragraph\u2029separator", r"paragraph\u2029separator"),
        ("right\u202eto left", r"right\u202eto left"),
        ("nul\x00", r"nul\x00"),
        ("tab\t", r"tab\t"),
        ("süß \N{ROCKET}", "süß \N{ROCKET}"),
    ],
)
def test_characters_that_a_reader_acts_on_are_escaped(
    output: io.StringIO, message: str, expected: str
) -> None:
    logging.getLogger("extension").info(message)
    assert output.getvalue() == f"INFO extension {expected}\n"


def test_lines_of_a_traceback_have_the_ids_and_are_escaped(output: io.StringIO) -> None:
    with bind_origin(request_id="r", install_id="i"):
        try:
            raise ValueError("quoted \x1b and \u2028")
        except ValueError:
            logging.getLogger("runner").exception("failed")
    lines = output.getvalue().split("\n")
    assert len(lines) >= 5
    assert all(line.endswith(" [request r, install i]") for line in lines[:-1])
    assert lines[-2].startswith(r"ValueError: quoted \x1b and \u2028")


def test_id_of_another_thread_or_request_is_not_logged(output: io.StringIO) -> None:
    log = logging.getLogger("runner.test")
    with bind_origin(request_id="one\ntwo"):
        log.info("inside")
        other = threading.Thread(target=log.info, args=("elsewhere",))
        other.start()
        other.join()
    log.info("outside")
    assert output.getvalue().splitlines() == [
        "INFO runner.test inside [request onetwo]",
        "INFO runner.test elsewhere",
        "INFO runner.test outside",
    ]
