from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from local.errors import SettingsError, StackError
from local.processes import require_free
from local.settings import read_demo_settings, read_settings


def test_defaults() -> None:
    settings = read_settings({})
    assert (settings.api_url, settings.aws_url, settings.runner_url) == (
        "http://127.0.0.1:3000",
        "http://127.0.0.1:4566",
        "http://127.0.0.1:8080",
    )
    assert (settings.runner_auth_token, settings.frozen, settings.parameters) == (
        "local-runner-key",
        False,
        {},
    )


def test_what_is_set_is_used(tmp_path: Path) -> None:
    settings = read_settings(
        {
            "API_PORT": "1",
            "AWS_ENDPOINT_URL": "http://emulator:4566/",
            "RUNNER_BASE_URL": "https://runner",
            "EXTENSIONS_DIR": f"{tmp_path}{os.pathsep}",
            "LAMBDA_ENDPOINT_URL": "http://127.0.0.1:3001",
            "LISTEN_ADDRESS": "0.0.0.0",  # noqa: S104
            "LOCAL_CLOCK": "frozen",
            "MAX_SCHEDULES_PER_INSTALL": "3",
        }
    )
    assert settings.api_url == "http://127.0.0.1:1"
    assert settings.aws_url == "http://emulator:4566"
    assert settings.runner_url == "https://runner"
    assert settings.extension_folders == (settings.root / "build" / "extensions", tmp_path)
    assert settings.lambda_endpoint_url == "http://127.0.0.1:3001"
    assert settings.listen_address == "0.0.0.0"  # noqa: S104
    assert settings.frozen
    assert settings.parameters == {"MAX_SCHEDULES_PER_INSTALL": "3"}


def test_tokens_are_not_shown() -> None:
    settings = read_settings({"RUNNER_AUTH_TOKEN": "key-1", "RUNNER_SERVICE_TOKEN": "key-2"})
    assert "key-" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_PORT", "http"),
        ("AWS_PORT", "0"),
        ("RUNNER_PORT", "65536"),
        ("RUNNER_BASE_URL", "localhost:8080"),
        ("AWS_ENDPOINT_URL", "localhost"),
        ("LAMBDA_ENDPOINT_URL", "localhost:3001"),
        ("LISTEN_ADDRESS", "localhost"),
        ("EXTENSIONS_DIR", "/no/such/folder"),
        ("LOCAL_CLOCK", "stopped"),
        ("MIN_INTERVAL_MINUTES", "0"),
        ("WRITES_PER_MINUTE", "-1"),
        ("RUN_HISTORY_DAYS", "1.5"),
    ],
)
def test_a_bad_value_is_told_by_the_variable_s_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({name: value})


def test_a_demonstration_takes_free_ports_and_a_frozen_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PORT", "3999")
    monkeypatch.setenv("LOCAL_CLOCK", "running")
    settings = read_demo_settings()
    assert (settings.api_port, settings.frozen) == (3999, True)
    assert len({settings.api_port, settings.aws_port, settings.runner_port}) == 3


def test_a_port_in_use_is_told_by_the_variable_s_name() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port} is in use; choose another by API_PORT"):
            require_free(port, "API_PORT")
    require_free(port, "API_PORT")
