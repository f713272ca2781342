"""The runner's settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.settings import SettingsError, read_settings

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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXTENSIONS_DIR", ""),
        ("RUNNER_AUTH_TOKEN", " "),
        ("RUNNER_PORT", "http"),
        ("RUNNER_PORT", "70000"),
        ("SCHEDULER_BASE_URL", "127.0.0.1:3000"),
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
