from pathlib import Path

import pytest

from local.demo.extension_log import ExtensionLog


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log with one message of the install."""
    path = tmp_path / "runner.log"
    path.write_text(log_line("setup"))
    return path


def log_line(message: str, *, install_id: str = "install-1", logger: str = "extension") -> str:
    origin = f"[request r-1, install {install_id}, schedule s-1, occurrence 2026-11-23T09:00:00Z]"
    return f"2026-11-23 09:00:00,123 INFO {logger} {origin} {message}\n"


def append(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(lines)


def test_messages_logged_after_creation_are_returned(path: Path) -> None:
    extension_log = ExtensionLog(path, "install-1")
    assert extension_log.read_messages() == []
    append(path, log_line("heartbeat [1]: ä"), log_line("status"))
    assert extension_log.read_messages() == ["heartbeat [1]: ä", "status"]


def test_lines_of_the_runner_and_of_other_installs_are_skipped(path: Path) -> None:
    extension_log = ExtensionLog(path, "install-1")
    append(
        path,
        log_line("executed", logger="runner"),
        log_line("heartbeat", install_id="install-2"),
        "2026-11-23 09:00:00,123 INFO runner listening [request r-1]\n",
        "Traceback (most recent call last):\n",
    )
    assert extension_log.read_messages() == []
