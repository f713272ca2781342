"""The runner's settings."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runner.protocol import Limits
from runner.settings import MEBIBYTE, SettingsError, read_settings

ENVIRON = {
    "EXTENSIONS_DIR": os.pathsep.join(("/one", "/two")),
    "SCHEDULER_BASE_URL": "http://127.0.0.1:3000/",
    "RUNNER_AUTH_TOKEN": "token",
}


def test_unset_values_have_defaults() -> None:
    settings = read_settings(ENVIRON)
    assert settings.port == 8080
    assert settings.extensions_dirs == (Path("/one"), Path("/two"))
    assert settings.scheduler_base_url == "http://127.0.0.1:3000"
    assert settings.service_token is None
    assert settings.max_executions == 16
    assert settings.limits == Limits(memory_bytes=256 * MEBIBYTE, scheduler_calls=100, log_bytes=65_536)
    assert settings.compile_memory_bytes == 1024 * MEBIBYTE


def test_limits_are_read() -> None:
    settings = read_settings(
        {
            **ENVIRON,
            "MAX_EXECUTIONS": "2",
            "EXECUTION_MEMORY_MB": "64",
            "COMPILE_MEMORY_MB": "512",
            "MAX_SCHEDULER_CALLS": "5",
            "MAX_LOG_BYTES": "1024",
        }
    )
    assert settings.max_executions == 2
    assert settings.limits == Limits(memory_bytes=64 * MEBIBYTE, scheduler_calls=5, log_bytes=1024)
    assert settings.compile_memory_bytes == 512 * MEBIBYTE


@pytest.mark.parametrize(
    ("value", "names"),
    [
        pytest.param("", set(), id="empty"),
        pytest.param("cap:one", {"cap:one"}, id="one"),
        pytest.param(" Cap:One , cap:two,", {"cap:one", "cap:two"}, id="as they are compared"),
    ],
)
def test_further_capabilities_are_read(value: str, names: set[str]) -> None:
    assert read_settings({**ENVIRON, "ADDITIONAL_CAPABILITIES": value}).additional_capabilities == names


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "runner.example"])  # noqa: S104 - refused
def test_runner_without_a_token_serves_this_machine_only(host: str) -> None:
    text = f"RUNNER_SERVICE_TOKEN is not set: without it the runner serves 127.0.0.1 only, not {host}"
    with pytest.raises(SettingsError, match=f"^{re.escape(text)}$"):
        read_settings({**ENVIRON, "RUNNER_HOST": host})
    assert read_settings({**ENVIRON, "RUNNER_HOST": host, "RUNNER_SERVICE_TOKEN": "t"}).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost"])
def test_runner_needs_no_token_on_this_machine(host: str) -> None:
    assert read_settings({**ENVIRON, "RUNNER_HOST": host}).service_token is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXTENSIONS_DIR", ""),
        ("RUNNER_AUTH_TOKEN", " "),
        ("RUNNER_PORT", "http"),
        ("RUNNER_PORT", "70000"),
        ("SCHEDULER_BASE_URL", "127.0.0.1:3000"),
        ("MAX_EXECUTIONS", "0"),
        ("MAX_EXECUTIONS", "1001"),
        ("MAX_EXECUTIONS", "many"),
        ("EXECUTION_MEMORY_MB", "31"),
        ("COMPILE_MEMORY_MB", "31"),
        ("MAX_SCHEDULER_CALLS", "-1"),
        ("MAX_LOG_BYTES", "1023"),
    ],
)
def test_invalid_value_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({**ENVIRON, name: value})


def test_runner_start_names_the_invalid_setting() -> None:
    environ = {"PYTHONPATH": os.pathsep.join(sys.path)}
    completed = subprocess.run(
        [sys.executable, "-m", "runner"], env=environ, capture_output=True, text=True, check=False
    )
    assert (completed.returncode, completed.stderr) == (1, "runner: EXTENSIONS_DIR is not set\n")
