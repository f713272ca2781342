"""Finding, compiling and linking components, with small hand-written ones."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wasmtime import wat2wasm

from runner.errors import BundleFetchFailed, InvalidComponent
from runner.workers import components
from runner.workers.components import ComponentStore, content_hash
from tests.support.components.client import ComponentClient
from tests.support.components.runner import create_runner_settings, start_runner
from tests.support.components.wat import NO_HANDLER, OTHER_HANDLER, REFUSED_IMPORTS, SUBSET

UNREACHABLE_URL = "http://127.0.0.1:9"


def add_component(folder: Path, name: str, wasm: bytes | bytearray) -> Path:
    """Write a component to an extension folder and return its path."""
    (folder / name).mkdir()
    (folder / name / "component.wasm").write_bytes(wasm)
    return folder / name / "component.wasm"


def copy_source(source: Path, content_hash: str) -> Path:
    """Stand for the compiler: return a copy of the file."""
    result = source.with_suffix(f".{content_hash[-8:]}")
    result.write_bytes(source.read_bytes())
    return result


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[str]:
    with start_runner(create_runner_settings(UNREACHABLE_URL, tmp_path, tmp_path / "absent")) as url:
        yield url


def test_component_can_be_added_and_replaced_while_running(tmp_path: Path) -> None:
    store = ComponentStore([tmp_path], copy_source)
    with pytest.raises(BundleFetchFailed):
        store.get_component(content_hash(b"one"))
    path = add_component(tmp_path, "a", b"one")
    assert store.get_component(content_hash(b"one")).read_text() == "one"
    path.write_bytes(b"three")
    assert store.get_component(content_hash(b"three")).read_text() == "three"


def test_concurrent_first_calls_compile_once(tmp_path: Path) -> None:
    compiled = []
    barrier = threading.Barrier(4)

    def compile_slowly(source: Path, _content_hash: str) -> Path:
        compiled.append(source)
        return source

    def get_first_component(_number: int) -> Path:
        barrier.wait()
        return store.get_component(content_hash(b"one"))

    path = add_component(tmp_path, "a", b"one")
    store = ComponentStore([tmp_path], compile_slowly)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(get_first_component, range(4))) == [path] * 4
    assert compiled == [path]


def test_failed_compilation_is_not_repeated_at_each_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def fail(source: Path, _content_hash: str) -> Path:
        attempts.append(source)
        raise InvalidComponent("it takes more than 300 s to compile")

    add_component(tmp_path, "a", b"one")
    store = ComponentStore([tmp_path], fail)
    for _ in range(3):
        with pytest.raises(InvalidComponent, match="it takes more than 300 s to compile"):
            store.get_component(content_hash(b"one"))
    assert len(attempts) == 1

    monkeypatch.setattr(components, "FAILURE_SECONDS", -1.0)
    with pytest.raises(InvalidComponent):
        store.get_component(content_hash(b"one"))
    assert len(attempts) == 2


def test_too_large_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_component(tmp_path, "a", b"seven b")
    monkeypatch.setattr(components, "MAX_FILE_BYTES", 6)
    with pytest.raises(BundleFetchFailed):
        ComponentStore([tmp_path], copy_source).get_component(content_hash(b"seven b"))


def test_subset_of_the_interface_runs(runner: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = ComponentClient(runner, add_component(tmp_path, "subset", wat2wasm(SUBSET)))
    with caplog.at_level(logging.INFO, "extension"):
        executed = client.execute_request("GET", "/hello")
    assert executed.response == {"status": 204, "headers": {}, "body_b64": "", "error": None}
    assert any(message.endswith(" /hello") for message in caplog.messages)
    client.http.clear()


def test_unimplemented_function_is_refused_when_called(runner: str, tmp_path: Path) -> None:
    client = ComponentClient(runner, add_component(tmp_path, "subset", wat2wasm(SUBSET)))
    error = "execute_failed: alga:extension/secrets.list-keys is not available in this runner"
    assert client.execute_request("GET", "/keys").failure == (500, error)
    client.http.clear()


@pytest.mark.parametrize("name", REFUSED_IMPORTS)
def test_import_that_differs_from_the_interface_is_refused(runner: str, tmp_path: Path, name: str) -> None:
    client = ComponentClient(runner, add_component(tmp_path, "other", wat2wasm(REFUSED_IMPORTS[name])))
    status, error = client.execute_request("GET", "/").failure
    assert status == 500
    assert error.startswith(f"execute_failed: the component imports alga:extension/{name}")
    client.http.clear()


def test_difference_of_an_import_is_shown(runner: str, tmp_path: Path) -> None:
    wasm = wat2wasm(REFUSED_IMPORTS["storage.delete"])
    client = ComponentClient(runner, add_component(tmp_path, "other", wasm))
    error = client.execute_request("GET", "/").failure[1]
    assert "denied, limits, internal}>` is not `" in error
    assert error.endswith("denied, internal}>`")
    client.http.clear()


@pytest.mark.parametrize(
    ("wasm", "message"),
    [
        pytest.param(b"not wasm", "not a WASM component", id="text"),
        pytest.param(wat2wasm("(module)"), "not a WASM component", id="module"),
        pytest.param(wat2wasm(NO_HANDLER), "the component does not export handler", id="no handler"),
        pytest.param(
            wat2wasm(OTHER_HANDLER), "the component exports handler with a type", id="other handler"
        ),
    ],
)
def test_invalid_component_is_reported(runner: str, tmp_path: Path, wasm: bytes, message: str) -> None:
    client = ComponentClient(runner, add_component(tmp_path, "wrong", wasm))
    status, error = client.execute_request("GET", "/").failure
    assert status == 500
    assert error.startswith(f"execute_failed: {message}")
    client.http.clear()


def test_service_token_is_required_when_configured(tmp_path: Path) -> None:
    path = add_component(tmp_path, "unknown", wat2wasm(SUBSET))
    with start_runner(create_runner_settings(UNREACHABLE_URL, tmp_path), service_token="s3cret") as url:
        client = ComponentClient(url, path)
        request = client.create_request("GET", "/")
        for headers in ({}, {"x-runner-service-token": "S3cret"}):
            assert client.post_request(request, **headers).http_status == 401
        assert client.post_request(request, **{"x-runner-service-token": "s3cret"}).http_status == 200
        client.http.clear()
