"""The request id in the runner's log."""

import io
import logging
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from runner.logs import RequestFormatter, bind_request
from tests.support.stacks.component_client import ComponentClient
from tests.support.stacks.component_scheduler import RecordingScheduler


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """The runner's log as text."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RequestFormatter("%(levelname)s %(name)s %(message)s"))
    loggers = [logging.getLogger(name) for name in ("runner", "extension")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    yield stream
    for logger in loggers:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def execute(probe: ComponentClient, method: str, path: str, body: bytes | None = None) -> str:
    """Execute a request of the probe with an id of its own, and return the id."""
    request_id = str(uuid4())
    request = probe.create_request(method, path, body=body)
    request["context"]["request_id"] = request_id
    probe.post_request(request, **{"x-request-id": request_id})
    return request_id


def test_every_line_of_an_execution_has_the_request_id(
    probe: ComponentClient, scheduler: RecordingScheduler, output: io.StringIO
) -> None:
    scheduler.set_response(200, "<html>")
    for method, path, body, count in (
        ("GET", "/print", None, 4),
        ("GET", "/trap", None, 2),
        ("POST", "/scheduler/list_schedules", b"[]", 6),  # a traceback
    ):
        output.seek(0)
        output.truncate()
        request_id = execute(probe, method, path, body)
        lines = output.getvalue().splitlines()
        assert len(lines) >= count
        assert all(request_id in line for line in lines), lines


def test_rejected_request_has_the_id_of_the_header(probe: ComponentClient, output: io.StringIO) -> None:
    probe.post_request({"context": 1}, **{"x-request-id": "request-7"})
    (line,) = output.getvalue().splitlines()
    assert line.startswith("WARNING runner.server rejected with 422: context: ")
    assert line.endswith(" [request request-7]")


def test_id_of_another_thread_or_request_is_not_logged(output: io.StringIO) -> None:
    log = logging.getLogger("runner.test")
    with bind_request("one\ntwo"):
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
