"""Responses by `x-idempotency-key`."""

import json
import logging
import socket
import threading
import time
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from runner.idempotency import ResponseMemory
from tests.support.stacks.component_client import ROUTING_HEADERS, ComponentClient
from tests.support.stacks.component_scheduler import RecordingScheduler


def test_repeated_key_returns_the_first_response(
    probe: ComponentClient, scheduler: RecordingScheduler
) -> None:
    scheduler.set_response(200, {"schedules": []})
    key = str(uuid4())
    request = probe.create_request("POST", "/scheduler/list_schedules", body=b"[]")
    first = probe.post_request(request, **{"x-idempotency-key": key})
    scheduler.set_response(500, {})
    assert probe.post_request(request, **{"x-idempotency-key": key}) == first
    assert len(scheduler.requests) == 1

    assert probe.post_request(request, **{"x-idempotency-key": str(uuid4())}) != first
    assert probe.post_request(request) != first
    assert len(scheduler.requests) == 3


def test_error_response_of_the_extension_is_kept(
    probe: ComponentClient, scheduler: RecordingScheduler
) -> None:
    key = str(uuid4())
    failing = probe.create_request("POST", "/sdk/unknown", body=b"[[], {}]")
    first = probe.post_request(failing, **{"x-idempotency-key": key})
    assert first.response["status"] == 500
    other = probe.create_request("GET", "/echo")
    assert probe.post_request(other, **{"x-idempotency-key": key}) == first
    assert scheduler.requests == []


def test_error_of_the_runner_is_not_kept(probe: ComponentClient) -> None:
    key = str(uuid4())
    trap = probe.create_request("GET", "/trap")
    assert probe.post_request(trap, **{"x-idempotency-key": key}).failure[0] == 500
    echo = probe.create_request("POST", "/echo")
    assert probe.post_request(echo, **{"x-idempotency-key": key}).response["status"] == 200


def test_key_of_a_running_execution_starts_a_second_one(
    probe: ComponentClient, scheduler: RecordingScheduler
) -> None:
    scheduler.hold_requests()
    key = {"x-idempotency-key": str(uuid4())}
    request = probe.create_request("POST", "/scheduler/list_schedules", body=b"[]")
    first = threading.Thread(target=probe.post_request, args=(request,), kwargs=key)
    first.start()
    scheduler.wait_for_requests(1)
    second = threading.Thread(target=probe.post_request, args=(request,), kwargs=key)
    second.start()
    scheduler.wait_for_requests(2)
    scheduler.reset()
    first.join()
    second.join()


def test_execution_finishes_after_the_caller_has_left(
    probe: ComponentClient, scheduler: RecordingScheduler, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler.hold_requests()
    key = str(uuid4())
    body = json.dumps(probe.create_request("POST", "/scheduler/list_schedules", body=b"[]")).encode()
    headers = {**ROUTING_HEADERS, "x-idempotency-key": key, "content-length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with caplog.at_level(logging.INFO, "runner.server"):
        url = urlsplit(probe.url)
        with socket.create_connection((url.hostname, url.port)) as connection:
            connection.sendall(f"POST /v1/execute HTTP/1.1\r\n{head}\r\n".encode() + body)
            scheduler.wait_for_requests(1)
        scheduler.reset()
        deadline = time.monotonic() + 60
        while not any("status 200" in message for message in caplog.messages):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    other = probe.create_request("POST", "/echo")
    assert probe.post_request(other, **{"x-idempotency-key": key}).json() == {"error": "INTERNAL"}


def test_memory_is_bounded_in_number_and_size() -> None:
    memory = ResponseMemory(max_entries=2, max_bytes=10)
    for key in ("a", "b", "c"):
        memory.save_response(key, b"123")
    assert [memory.find_response(key) for key in ("a", "b", "c")] == [None, b"123", b"123"]
    memory.save_response("c", b"1234567")
    assert memory.find_response("b") == b"123"
    memory.save_response("d", b"12345")
    assert [memory.find_response(key) for key in ("b", "c", "d")] == [None, None, b"12345"]
    memory.save_response("e", b"x" * 11)
    assert memory.find_response("e") is None
