"""Components are compiled when they are added, and the runner's health names them."""

import logging
from pathlib import Path

import pytest
from wasmtime import wat2wasm

from runner.errors import InvalidComponent
from runner.workers.components import ComponentStore, content_hash
from runner.workers.watch import ComponentWatcher
from tests.support.components.client import ComponentClient
from tests.support.components.runner import create_runner_settings, start_runner
from tests.support.components.wat import SUBSET
from tests.support.stacks.local_stack import wait_for


class Folder:
    """An extension folder with a watcher, and what it has compiled."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.compiled: list[str] = []
        self.watcher = ComponentWatcher(ComponentStore([path], self._compile))

    def write(self, name: str, content: bytes) -> None:
        (self.path / name).mkdir(exist_ok=True)
        (self.path / name / "component.wasm").write_bytes(content)

    def scan(self) -> list[tuple[str, str]]:
        """Scan, and return name and status of what is there."""
        self.watcher.scan()
        return [(Path(each.path).parent.name, each.status) for each in self.watcher.list_components()]

    def _compile(self, source: Path, _content_hash: str) -> Path:
        content = source.read_text()
        self.compiled.append(content)
        if content == "bad":
            raise InvalidComponent("not a WASM component")
        return source


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_what_is_there_at_the_start_is_compiled(folder: Folder) -> None:
    folder.write("b", b"one")
    folder.write("a", b"two")
    assert folder.scan() == [("a", "ready"), ("b", "ready")]
    assert folder.compiled == ["two", "one"]


def test_what_is_added_or_changed_is_compiled_once_it_is_whole(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert folder.scan() == []
    folder.write("a", b"half")
    assert folder.scan() == []
    folder.write("a", b"whole")
    assert folder.scan() == []
    assert folder.scan() == folder.scan() == [("a", "ready")]
    folder.write("a", b"newer")
    folder.scan()
    folder.scan()
    assert folder.compiled == ["whole", "newer"]
    path = folder.path / "a" / "component.wasm"
    assert [message.partition(", compiled in")[0] for message in caplog.messages] == [
        f"{path} added",
        f"{path} changed",
    ]


def test_what_cannot_be_compiled_is_named_and_not_tried_again(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write("a", b"bad")
    assert folder.scan() == folder.scan() == [("a", "failed")]
    (watched,) = folder.watcher.list_components()
    assert watched.as_json() == {
        "path": str(folder.path / "a" / "component.wasm"),
        "contentHash": content_hash(b"bad"),
        "status": "failed",
        "error": "not a WASM component",
    }
    assert caplog.messages == [f"{watched.path} found, but unusable: execute_failed: not a WASM component"]
    assert folder.compiled == ["bad"]


def test_what_is_deleted_is_forgotten(folder: Folder) -> None:
    folder.write("a", b"one")
    folder.scan()
    (folder.path / "a" / "component.wasm").unlink()
    assert folder.scan() == []


def test_health_names_components_to_who_may_execute_them(tmp_path: Path) -> None:
    (tmp_path / "subset").mkdir()
    path = tmp_path / "subset" / "component.wasm"
    path.write_bytes(wat2wasm(SUBSET))
    with start_runner(create_runner_settings("http://127.0.0.1:9", tmp_path), service_token="s3cret") as url:
        client = ComponentClient(url, path)

        def read_health(token: str) -> object:
            headers = {"x-runner-service-token": token}
            return client.http.request("GET", f"{url}/health", headers=headers).json()

        expected = {"path": str(path), "contentHash": content_hash(path.read_bytes()), "status": "ready"}
        health = {"status": "ok", "components": [expected]}
        assert wait_for(lambda: read_health("s3cret"), lambda found: found == health) == health
        assert read_health("s3cre") == {"status": "ok"}
        client.http.clear()
