import os
import socket
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]
from scheduling.settings import RunnerSettings, SweepSettings, TableSettings

from local.errors import SettingsError, StackError
from local.processes import require_free_port
from local.settings import PARAMETER_CHOICES, PARAMETER_RANGES, read_demo_settings, read_settings


def test_defaults() -> None:
    settings = read_settings({})
    assert (settings.api_url, settings.aws_url, settings.runner_url) == (
        "http://127.0.0.1:3000",
        "http://127.0.0.1:4566",
        "http://127.0.0.1:8080",
    )
    assert (settings.runner_auth_token, settings.clock_frozen, settings.parameters) == (
        "local-runner-key",
        False,
        {},
    )


def test_environment_overrides_the_defaults(tmp_path: Path) -> None:
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
            "RUNNER_OVERHEAD_SECONDS": "0",
            "CALLBACK_RULE_ERROR_STATUS": "200",
            "ADDITIONAL_CAPABILITIES": "cap:a,cap:b",
        }
    )
    assert settings.api_url == "http://127.0.0.1:1"
    assert settings.aws_url == "http://emulator:4566"
    assert settings.runner_url == "https://runner"
    assert settings.extension_folders == (settings.root / "build" / "extensions", tmp_path)
    assert settings.lambda_endpoint_url == "http://127.0.0.1:3001"
    assert settings.listen_address == "0.0.0.0"  # noqa: S104
    assert settings.clock_frozen
    assert settings.parameters == {
        "MAX_SCHEDULES_PER_INSTALL": "3",
        "RUNNER_OVERHEAD_SECONDS": "0",
        "CALLBACK_RULE_ERROR_STATUS": "200",
        "ADDITIONAL_CAPABILITIES": "cap:a,cap:b",
    }


def test_service_token_is_made_where_the_network_can_reach_the_runner() -> None:
    assert read_settings({}).runner_service_token == ""
    assert read_settings({"LISTEN_ADDRESS": "127.0.0.1"}).runner_service_token == ""
    public = {"LISTEN_ADDRESS": "0.0.0.0"}  # noqa: S104
    first, second = (read_settings(public).runner_service_token for _ in range(2))
    assert len(first) >= 43
    assert first != second
    assert read_settings({**public, "RUNNER_SERVICE_TOKEN": "mine"}).runner_service_token == "mine"


def test_tokens_are_not_printed() -> None:
    settings = read_settings({"RUNNER_AUTH_TOKEN": "key-1", "RUNNER_SERVICE_TOKEN": "key-2"})
    assert "key-" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("API_PORT", "http", "must be a whole number from 1 to 65535, not 'http'"),
        ("AWS_PORT", "0", "must be a whole number from 1 to 65535, not '0'"),
        ("RUNNER_PORT", "65536", "must be a whole number from 1 to 65535, not '65536'"),
        (
            "RUNNER_BASE_URL",
            "localhost:8080",
            "must be a URL such as http://127.0.0.1:8080, not 'localhost:8080'",
        ),
        ("RUNNER_BASE_URL", "http://", "must be a URL such as http://127.0.0.1:8080, not 'http://'"),
        ("RUNNER_BASE_URL", "http://a b", "must be a URL such as http://127.0.0.1:8080, not 'http://a b'"),
        ("AWS_ENDPOINT_URL", "http://a:b", "must be a URL such as http://127.0.0.1:8080, not 'http://a:b'"),
        ("AWS_ENDPOINT_URL", "http://[", "must be a URL such as http://127.0.0.1:8080, not 'http://['"),
        (
            "LAMBDA_ENDPOINT_URL",
            "localhost:3001",
            "must be a URL such as http://127.0.0.1:8080, not 'localhost:3001'",
        ),
        ("LISTEN_ADDRESS", "localhost", "must be 127.0.0.1 or 0.0.0.0, not 'localhost'"),
        ("EXTENSIONS_DIR", "/no/such/folder", "names '/no/such/folder', which is not a folder"),
        ("LOCAL_CLOCK", "stopped", "must be running or frozen, not 'stopped'"),
        ("RUNNER_AUTH_TOKEN", " ", "must be printable ASCII characters, with no space around them"),
        ("RUNNER_AUTH_TOKEN", "key ", "must be printable ASCII characters, with no space around them"),
        ("RUNNER_AUTH_TOKEN", "schlüssel", "must be printable ASCII characters, with no space around them"),
        ("RUNNER_SERVICE_TOKEN", "a\nb", "must be printable ASCII characters, with no space around them"),
        ("MIN_INTERVAL_MINUTES", "0", "must be a whole number from 1 to 1440, not '0'"),
        ("WRITES_PER_MINUTE", "-1", "must be a whole number from 1 to 1000000, not '-1'"),
        ("WRITES_PER_MINUTE", "\u0663", "must be a whole number from 1 to 1000000, not '\u0663'"),
        pytest.param(
            "MAX_SCHEDULES_PER_INSTALL",
            "9" * 5000,
            f"must be a whole number from 1 to 1000000, not '{'9' * 5000}'",
            id="5000 digits",
        ),
        ("MAX_PAYLOAD_BYTES", "1", "must be a whole number from 2 to 300000, not '1'"),
        ("MAX_PAYLOAD_BYTES", "300001", "must be a whole number from 2 to 300000, not '300001'"),
        ("RUN_HISTORY_DAYS", "1.5", "must be a whole number from 1 to 36500, not '1.5'"),
        ("RUN_HISTORY_DAYS", "36501", "must be a whole number from 1 to 36500, not '36501'"),
        ("RUNNER_TIMEOUT_MS", "30001", "must be a whole number from 1 to 30000, not '30001'"),
        ("RUNNER_OVERHEAD_SECONDS", "61", "must be a whole number from 0 to 60, not '61'"),
        ("CALLBACK_RULE_ERROR_STATUS", "500", "must be 400 or 200, not '500'"),
        ("SWEEP_INTERVAL_HOURS", "8761", "must be a whole number from 1 to 8760, not '8761'"),
        ("API_PORT", "4566", "and AWS_PORT are both 4566; choose another for one of them"),
        ("AWS_PORT", "8080", "and RUNNER_PORT are both 8080; choose another for one of them"),
        ("API_PORT", "8080", "and RUNNER_PORT are both 8080; choose another for one of them"),
    ],
    ids=ascii,
)
def test_invalid_value_is_reported_with_its_variable(name: str, value: str, text: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings({name: value})
    assert str(refusal.value) == f"{name} {text}"


def test_port_of_an_external_service_may_equal_another() -> None:
    urls = {"AWS_ENDPOINT_URL": "http://127.0.0.1:3000", "RUNNER_BASE_URL": "http://127.0.0.1:3000"}
    assert read_settings({**urls, "AWS_PORT": "3000", "RUNNER_PORT": "3000"}).api_port == 3000


def test_ranges_equal_those_of_the_template() -> None:
    declared = yaml_parse(read_settings({}).template.read_text())["Parameters"]
    for name, allowed_range in PARAMETER_RANGES.items():
        parameter = declared[name.title().replace("_", "")]
        assert (name, allowed_range[0]) == (name, parameter["MinValue"])
        assert (name, allowed_range[-1]) == (name, parameter.get("MaxValue", allowed_range[-1]))


def test_choices_equal_those_of_the_template() -> None:
    declared = yaml_parse(read_settings({}).template.read_text())["Parameters"]
    for name, choices in PARAMETER_CHOICES.items():
        parameter = declared[name.title().replace("_", "")]
        assert {str(value) for value in parameter["AllowedValues"]} == set(choices), name
        assert str(parameter["Default"]) == choices[0], name


@pytest.mark.parametrize("name", PARAMETER_RANGES)
@pytest.mark.parametrize("bound", [0, -1], ids=["minimum", "maximum"])
def test_functions_accept_every_value_in_range(name: str, bound: int) -> None:
    environment = {name: str(PARAMETER_RANGES[name][bound])}
    required = {"STACK_NAME": "stack", "TABLE_NAME": "table", "RUNNER_BASE_URL": "http://runner"}
    for settings in (TableSettings, RunnerSettings, SweepSettings):
        settings.from_environment(required | environment)


def test_demo_uses_free_ports_and_a_frozen_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PORT", "3999")
    monkeypatch.setenv("LOCAL_CLOCK", "running")
    settings = read_demo_settings()
    assert (settings.api_port, settings.clock_frozen) == (3999, True)
    assert len({settings.api_port, settings.aws_port, settings.runner_port}) == 3


def test_each_stack_logs_to_its_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings({"API_PORT": "3001"})
    assert settings.logs == settings.root / "build" / "local" / "logs" / "3001"
    monkeypatch.setenv("API_PORT", "3001")
    assert read_demo_settings().logs == settings.root / "build" / "local" / "demo-logs"


def test_port_in_use_is_reported_with_its_variable() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port} is in use; choose another by API_PORT"):
            require_free_port(port, "API_PORT")
    require_free_port(port, "API_PORT")
