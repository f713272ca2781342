"""The console beside the local stack."""

from dataclasses import replace
from pathlib import Path

import pytest

from local.console import run_console
from local.errors import SettingsError
from local.settings import DEFAULT_CONSOLE_PORT, Settings, free_ports, read_settings


def test_port_0_starts_no_console() -> None:
    with run_console(replace(Settings(), console_port=0)) as line:
        assert line == ""


def test_a_console_that_cannot_start_does_not_end_the_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")
    settings = Settings(console_port=free_ports(1)[0], root=tmp_path)
    settings.logs.mkdir(parents=True)
    with run_console(settings) as line:
        assert line.startswith("The console is not available: scheduling_admin failed to start: ")
        assert (
            "The config profile (missing) could not be found" in (settings.logs / "console.log").read_text()
        )


@pytest.mark.parametrize(("value", "port"), [("", None), ("0", 0), ("4581", 4581)])
def test_the_port_is_a_setting(value: str, port: int | None) -> None:
    assert read_settings({"CONSOLE_PORT": value}).console_port == port
    assert DEFAULT_CONSOLE_PORT not in Settings().own_ports.values()


def test_a_wrong_port_is_refused() -> None:
    with pytest.raises(SettingsError, match="CONSOLE_PORT must be a whole number from 0 to 65535"):
        read_settings({"CONSOLE_PORT": "70000"})
