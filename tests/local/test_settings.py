import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]
from scheduling.settings import (
    CallBudgetSettings,
    RunnerSettings,
    SweepSettings,
    TableSettings,
    find_url_fault,
)

from local.errors import SettingsError
from local.settings import (
    CAPPED_PARAMETERS,
    PARAMETER_CHOICES,
    PARAMETER_RANGES,
    read_demo_settings,
    read_settings,
)

FUNCTION_SETTINGS = (TableSettings, RunnerSettings, SweepSettings, CallBudgetSettings)
PARAMETERS_OF_AWS_ALONE = ("MAXIMUM_CONCURRENCY",)
REQUIRED = {"STACK_NAME": "stack", "TABLE_NAME": "table", "RUNNER_BASE_URL": "http://runner"}


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
        ("RUNNER_BASE_URL", "http://me:secret@a", "must not contain a user or a password"),
        ("AWS_ENDPOINT_URL", "http://me@a", "must not contain a user or a password"),
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
        ("WRITES_PER_MINUTE", "-1", "must be a whole number from 1 to 10000, not '-1'"),
        ("WRITES_PER_MINUTE", "0", "must be a whole number from 1 to 10000, not '0'"),
        ("WRITES_PER_MINUTE", "\u0663", "must be a whole number from 1 to 10000, not '\u0663'"),
        ("MIN_INTERVAL_MINUTES", "1441", "must be a whole number from 1 to 1440, not '1441'"),
        pytest.param(
            "MAX_SCHEDULES_PER_INSTALL",
            "9" * 5000,
            f"must be a whole number from 1 to 10000, not '{'9' * 5000}'",
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


@pytest.mark.parametrize("number", ["10000", "10001", "100000", "999999999"])
@pytest.mark.parametrize("name", CAPPED_PARAMETERS)
def test_a_number_above_the_largest_limit_means_the_largest(name: str, number: str) -> None:
    assert read_settings({name: number}).parameters == {name: "10000"}


@cache
def read_template_parameters() -> dict[str, Any]:
    return dict(yaml_parse(read_settings({}).template.read_text())["Parameters"])


@pytest.mark.parametrize("name", PARAMETER_RANGES)
def test_ranges_equal_those_of_the_template_and_the_functions(name: str) -> None:
    allowed_range = PARAMETER_RANGES[name]
    parameter = read_template_parameters()[name.title().replace("_", "")]
    assert (parameter["MinValue"], parameter["MaxValue"]) == (allowed_range[0], allowed_range[-1])
    readers = [each for each in FUNCTION_SETTINGS if name.lower() in each.model_fields]
    assert len(readers) == (name not in PARAMETERS_OF_AWS_ALONE)
    for settings in readers:
        for value in (allowed_range[0], allowed_range[-1]):
            settings.from_environment({**REQUIRED, name: str(value)})
        for value in (allowed_range[0] - 1, allowed_range[-1] + 1):
            with pytest.raises(ValidationError):
                settings.from_environment({**REQUIRED, name: str(value)})


URLS = [
    pytest.param("https://runner", True, id="host"),
    pytest.param("http://127.0.0.1:8080", True, id="port"),
    pytest.param("https://runner.example:65535/base/path", True, id="path"),
    pytest.param("https://[::1]:8080/", True, id="IPv6"),
    pytest.param("https://my_runner-1.internal/%20~a@b", True, id="signs in the path"),
    pytest.param("", False, id="empty"),
    pytest.param("runner", False, id="no scheme"),
    pytest.param("ftp://runner", False, id="another scheme"),
    pytest.param("https:///v1", False, id="no host"),
    pytest.param("https://:80", False, id="port alone"),
    pytest.param("https://runner:", False, id="empty port"),
    pytest.param("https://runner:0", False, id="port 0"),
    pytest.param("https://runner:65536", False, id="port 65536"),
    pytest.param("https://runner:99999", False, id="port 99999"),
    pytest.param("https://runner:http", False, id="port of letters"),
    pytest.param("https://runner:\u0661", False, id="port of other digits"),
    pytest.param("https://user@runner", False, id="user"),
    pytest.param("https://user:password@runner", False, id="password"),
    pytest.param("https://runner?a=b", False, id="query"),
    pytest.param("https://runner/v1#a", False, id="fragment"),
    pytest.param("https://runner /v1", False, id="space"),
    pytest.param(" https://runner", False, id="leading space"),
    pytest.param("https://runner\n", False, id="line end"),
    pytest.param("https://run\tner", False, id="tab"),
    pytest.param("https://runner/\x00", False, id="NUL"),
    pytest.param("https://runner/\x7f", False, id="DEL"),
    pytest.param("https://rünner", False, id="host not ASCII"),
    pytest.param("https://runner/é", False, id="path not ASCII"),
    pytest.param("https://runner\\@other", False, id="backslash"),
    pytest.param("https://a,b", False, id="comma"),
    pytest.param("https://[::1", False, id="bracket"),
]


@pytest.mark.parametrize(("url", "valid"), URLS)
def test_template_functions_and_local_stack_accept_the_same_urls(url: str, valid: bool) -> None:
    assert (find_url_fault(url) is None) is valid
    pattern = read_template_parameters()["RunnerBaseUrl"]["AllowedPattern"]
    # A pattern cannot compare numbers: ports above 65535 are refused at start.
    assert bool(re.fullmatch(pattern.removeprefix("^").removesuffix("$"), url)) is (
        valid or url.endswith((":0", ":65536", ":99999"))
    )
    if url and "@" not in url.partition("://")[2].partition("/")[2]:
        try:
            assert read_settings({"RUNNER_BASE_URL": url}).runner_url == url.rstrip("/")
            accepted = True
        except SettingsError:
            accepted = False
        assert accepted is valid


def test_choices_equal_those_of_the_template() -> None:
    declared = read_template_parameters()
    for name, choices in PARAMETER_CHOICES.items():
        parameter = declared[name.title().replace("_", "")]
        assert {str(value) for value in parameter["AllowedValues"]} == set(choices), name
        assert str(parameter["Default"]) == choices[0], name


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
    assert read_demo_settings().logs == settings.root / "build" / "local" / "demo-logs" / "3001"
