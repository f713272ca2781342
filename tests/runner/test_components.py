"""Finding, compiling and linking components, with small hand-written ones."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wasmtime import wat2wasm

from runner.errors import UnknownComponent
from runner.sandbox.components import ComponentStore, content_hash
from tests.support.stacks.component_client import ComponentClient
from tests.support.stacks.component_runner import create_runner_settings, start_runner
from tests.support.stacks.component_wat import NO_HANDLER, UNKNOWN_IMPORTS

UNREACHABLE_URL = "http://127.0.0.1:9"


def add_component(folder: Path, name: str, wasm: bytes | bytearray) -> Path:
    """Write a component to an extension folder and return its path."""
    (folder / name).mkdir()
    (folder / name / "component.wasm").write_bytes(wasm)
    return folder / name / "component.wasm"


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[str]:
    with start_runner(create_runner_settings(UNREACHABLE_URL, tmp_path, tmp_path / "absent")) as url:
        yield url


def test_component_can_be_added_and_replaced_while_running(tmp_path: Path) -> None:
    components = ComponentStore([tmp_path], bytes.decode)
    with pytest.raises(UnknownComponent):
        components.get_component(content_hash(b"one"))
    path = add_component(tmp_path, "a", b"one")
    assert components.get_component(content_hash(b"one")) == "one"
    path.write_bytes(b"three")
    assert components.get_component(content_hash(b"three")) == "three"


def test_concurrent_first_calls_compile_once(tmp_path: Path) -> None:
    compiled = []
    barrier = threading.Barrier(4)

    def compile_slowly(wasm: bytes) -> str:
        compiled.append(wasm)
        return wasm.decode()

    def get_first_component(_number: int) -> str:
        barrier.wait()
        return components.get_component(content_hash(b"one"))

    add_component(tmp_path, "a", b"one")
    components = ComponentStore([tmp_path], compile_slowly)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(get_first_component, range(4))) == ["one"] * 4
    assert compiled == [b"one"]


@pytest.mark.parametrize(
    ("path", "refused"),
    [("/clients", "alga:extension/clients.find"), ("/log", "alga:extension/logging.log-debug")],
)
def test_unknown_import_is_refused_when_called(runner: str, tmp_path: Path, path: str, refused: str) -> None:
    client = ComponentClient(runner, add_component(tmp_path, "unknown", wat2wasm(UNKNOWN_IMPORTS)))
    assert client.execute_request("GET", "/").response == {"status": 204, "headers": {}, "body_b64": ""}
    executed = client.execute_request("GET", path)
    assert executed.error["code"] == "HOST_CALL_REFUSED"
    assert executed.error["message"] == f"{refused} is not available in this runner"
    client.http.clear()


@pytest.mark.parametrize(
    ("wasm", "message"),
    [
        (b"not wasm", "not a WASM component"),
        (wat2wasm("(module)"), "not a WASM component"),
        (wat2wasm(NO_HANDLER), "does not export handler"),
        (wat2wasm('(component (import "wasi:http/nothing" (func)))'), "wasi:http/nothing"),
    ],
)
def test_invalid_component_is_reported(runner: str, tmp_path: Path, wasm: bytes, message: str) -> None:
    client = ComponentClient(runner, add_component(tmp_path, "wrong", wasm))
    executed = client.execute_request("GET", "/")
    assert (executed.http_status, executed.error["code"]) == (502, "INVALID_COMPONENT")
    assert message in executed.error["message"]
    client.http.clear()


def test_service_token_is_required_when_configured(tmp_path: Path) -> None:
    path = add_component(tmp_path, "unknown", wat2wasm(UNKNOWN_IMPORTS))
    with start_runner(create_runner_settings(UNREACHABLE_URL, tmp_path), service_token="s3cret") as url:
        client = ComponentClient(url, path)
        request = client.create_request("GET", "/")
        for headers in ({}, {"x-runner-service-token": "S3cret"}):
            executed = client.post_request(request, **headers)
            assert (executed.http_status, executed.error["code"]) == (401, "UNAUTHORIZED")
        assert client.post_request(request, **{"x-runner-service-token": "s3cret"}).http_status == 200
        client.http.clear()
