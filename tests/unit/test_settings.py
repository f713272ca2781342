from datetime import timedelta

import pytest
from pydantic import BaseModel, ValidationError
from scheduling.domain.install import KNOWN_CAPABILITIES, CatchUp, Limits
from scheduling.settings import (
    CallbackSettings,
    EventBusSettings,
    RegistrationSettings,
    RunnerSettings,
    TableSettings,
    TimerSettings,
    TokenSettings,
)

TABLE = {"TABLE_NAME": "schedules"}
TIMER = {
    "SCHEDULE_GROUP_NAME": "group",
    "OCCURRENCE_QUEUE_URL": "https://queue",
    "TIMER_ROLE_ARN": "arn:role",
    "TIMER_DLQ_ARN": "arn:dlq",
}
RUNNER = {"STACK_NAME": "stack-1", "RUNNER_BASE_URL": "https://runner.example"}
TOKEN = {
    "STACK_NAME": "stack-1",
    "RUNNER_TOKEN_SECRET_ID": "secret",
    "CALLBACK_KEY_SECRET_ID": "key",
    "STAGE": "prod",
}
BUS = {"EVENT_BUS_NAME": "bus"}
SETTINGS_TYPES = [
    pytest.param(TableSettings, TABLE, id="table"),
    pytest.param(TimerSettings, TIMER, id="timer"),
    pytest.param(RunnerSettings, RUNNER, id="runner"),
    pytest.param(TokenSettings, TOKEN, id="token"),
    pytest.param(EventBusSettings, BUS, id="bus"),
]
SettingsType = type[EventBusSettings | TableSettings | TimerSettings | RunnerSettings | TokenSettings]


def invalid_names(kind: SettingsType, environment: dict[str, str]) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        kind.from_environment(environment)
    return [".".join(map(str, error["loc"])) for error in refused.value.errors()]


def test_default_limits_are_those_of_the_contract() -> None:
    assert TableSettings.from_environment(TABLE).limits == Limits()
    assert Limits() == Limits(
        max_schedules_per_install=50,
        min_interval_minutes=5,
        writes_per_minute=10,
        max_payload_bytes=100_000,
        run_history_days=30,
        catch_up=CatchUp.LATEST,
        max_wait_hours=72,
    )


def test_the_limits_are_read_from_the_environment() -> None:
    environment = {
        **TABLE,
        "MAX_SCHEDULES_PER_INSTALL": "1",
        "MIN_INTERVAL_MINUTES": "2",
        "WRITES_PER_MINUTE": "3",
        "MAX_PAYLOAD_BYTES": "4",
        "RUN_HISTORY_DAYS": "5",
        "CATCH_UP": "all",
        "MAX_WAIT_HOURS": "6",
    }

    settings = TableSettings.from_environment(environment)

    assert settings.table_name == "schedules"
    assert settings.limits == Limits(1, 2, 3, 4, 5, CatchUp.ALL, 6)


@pytest.mark.parametrize(("kind", "environment"), SETTINGS_TYPES)
def test_required_variables_are_sufficient(kind: SettingsType, environment: dict[str, str]) -> None:
    settings = kind.from_environment({**environment, "OTHER": "ignored"})

    for name, value in environment.items():
        assert str(getattr(settings, name.lower())).rstrip("/") == value


@pytest.mark.parametrize(("kind", "environment"), SETTINGS_TYPES)
def test_every_missing_variable_is_named(kind: SettingsType, environment: dict[str, str]) -> None:
    assert invalid_names(kind, {}) == [name.lower() for name in environment]


@pytest.mark.parametrize(("kind", "environment"), SETTINGS_TYPES)
def test_empty_variable_counts_as_missing(kind: SettingsType, environment: dict[str, str]) -> None:
    assert invalid_names(kind, dict.fromkeys(environment, "")) == [name.lower() for name in environment]


def test_an_empty_limit_is_the_default() -> None:
    assert TableSettings.from_environment({**TABLE, "WRITES_PER_MINUTE": ""}).writes_per_minute == 10


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_SCHEDULES_PER_INSTALL", "1"),
        ("MIN_INTERVAL_MINUTES", "1"),
        ("MAX_SCHEDULES_PER_INSTALL", "10000"),
        ("MIN_INTERVAL_MINUTES", "1440"),
        ("WRITES_PER_MINUTE", "10000"),
        ("RUN_HISTORY_DAYS", "36500"),
        ("MAX_PAYLOAD_BYTES", "2"),
        ("MAX_PAYLOAD_BYTES", "300000"),
        ("RUN_HISTORY_DAYS", "1"),
        ("MAX_WAIT_HOURS", "1"),
        ("MAX_WAIT_HOURS", "240"),
    ],
)
def test_limit_at_its_bound_is_accepted(name: str, value: str) -> None:
    assert getattr(TableSettings.from_environment({**TABLE, name: value}), name.lower()) == int(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_SCHEDULES_PER_INSTALL", "0"),
        ("MIN_INTERVAL_MINUTES", "0"),
        ("WRITES_PER_MINUTE", "0"),
        ("MAX_SCHEDULES_PER_INSTALL", "10001"),
        ("MIN_INTERVAL_MINUTES", "1441"),
        ("WRITES_PER_MINUTE", "10001"),
        ("RUN_HISTORY_DAYS", "36501"),
        ("WRITES_PER_MINUTE", "-1"),
        ("WRITES_PER_MINUTE", "1.5"),
        ("WRITES_PER_MINUTE", "ten"),
        ("MAX_PAYLOAD_BYTES", "1"),
        ("MAX_PAYLOAD_BYTES", "300001"),
        ("RUN_HISTORY_DAYS", "0"),
        ("CATCH_UP", "newest"),
        ("MAX_WAIT_HOURS", "0"),
        ("MAX_WAIT_HOURS", "241"),
    ],
)
def test_a_limit_out_of_bounds_is_named(name: str, value: str) -> None:
    assert invalid_names(TableSettings, {**TABLE, name: value}) == [name.lower()]


@pytest.mark.parametrize(("value", "timeout"), [("1", 1), ("30000", 30_000), ("", 30_000)])
def test_run_timeout_can_be_30_seconds(value: str, timeout: int) -> None:
    assert (
        RunnerSettings.from_environment({**RUNNER, "RUNNER_TIMEOUT_MS": value}).runner_timeout_ms == timeout
    )


@pytest.mark.parametrize("value", ["0", "30001", "x"])
def test_run_timeout_out_of_range_is_refused(value: str) -> None:
    assert invalid_names(RunnerSettings, {**RUNNER, "RUNNER_TIMEOUT_MS": value}) == ["runner_timeout_ms"]


@pytest.mark.parametrize(("value", "seconds"), [("0", 0), ("60", 60), ("", 30)])
def test_runner_overhead_can_be_a_minute(value: str, seconds: int) -> None:
    settings = RunnerSettings.from_environment({**RUNNER, "RUNNER_OVERHEAD_SECONDS": value})

    assert settings.runner_overhead_seconds == seconds
    assert settings.patience == timedelta(seconds=30 + seconds)
    assert settings.patience < settings.lease < settings.function_timeout
    assert settings.retry_delay == settings.patience
    assert settings.visibility_timeout == 2 * settings.function_timeout


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_timers_send_messages_in_the_partition_of_the_stack(partition: str) -> None:
    role = f"arn:{partition}:iam::123456789012:role/timer"

    settings = TimerSettings.from_environment({**TIMER, "TIMER_ROLE_ARN": role})

    assert settings.timer_target_arn == f"arn:{partition}:scheduler:::aws-sdk:sqs:sendMessage"


@pytest.mark.parametrize("value", ["-1", "61", "1.5"])
def test_runner_overhead_out_of_range_is_refused(value: str) -> None:
    settings = {**RUNNER, "RUNNER_OVERHEAD_SECONDS": value}

    assert invalid_names(RunnerSettings, settings) == ["runner_overhead_seconds"]


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("runner", "must start with http:// or https://"),
        ("ftp://runner", "must start with http:// or https://"),
        ("/v1", "must start with http:// or https://"),
        ("http://", "must have a host, and may have a port from 1 to 65535"),
        ("https://runner:http", "must have a host, and may have a port from 1 to 65535"),
        ("https://runner:65536", "must have a port from 1 to 65535, or none"),
        ("https://me:secret@runner", "must not contain a user or a password"),
        ("https://run\tner", "must not contain spaces, control characters or characters outside ASCII"),
        ("https://runner/a b", "must not contain spaces, control characters or characters outside ASCII"),
        ("https://rünner", "must not contain spaces, control characters or characters outside ASCII"),
        ("https://runner/?a", "must not contain a query or a fragment"),
    ],
    ids=ascii,
)
def test_invalid_runner_url_is_refused_with_its_fault_and_not_quoted(url: str, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        RunnerSettings.from_environment({**RUNNER, "RUNNER_BASE_URL": url})

    assert refused.value.errors()[0]["msg"] == f"Value error, RunnerBaseUrl {text}"
    assert "secret" not in str(refused.value)


NO_TOKEN_TEXT = (
    "Where the stage is prod, set RunnerServiceTokenSecretArn, or AllowRunnerWithoutToken to true if the runner "
    "requires no token"
)
HTTP_TEXT = "RunnerBaseUrl must start with https:// where the stage is prod"


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        pytest.param({}, NO_TOKEN_TEXT, id="no token"),
        pytest.param({"ALLOW_RUNNER_WITHOUT_TOKEN": "false"}, NO_TOKEN_TEXT, id="token required"),
        pytest.param({"ALLOW_RUNNER_WITHOUT_TOKEN": "true"}, None, id="token not required"),
        pytest.param({"RUNNER_SERVICE_TOKEN_SECRET_ID": "arn"}, None, id="with a token"),
        pytest.param(
            {"RUNNER_SERVICE_TOKEN_SECRET_ID": "arn", "RUNNER_BASE_URL": "http://runner"},
            HTTP_TEXT,
            id="http",
        ),
    ],
)
def test_production_needs_tls_and_a_service_token(variables: dict[str, str], text: str | None) -> None:
    environment = {**RUNNER, **variables}
    RunnerSettings.from_environment({**environment, "STAGE": "dev"})
    if text is None:
        RunnerSettings.from_environment({**environment, "STAGE": "prod"})
        return
    with pytest.raises(ValidationError) as refused:
        RunnerSettings.from_environment({**environment, "STAGE": "prod"})
    assert refused.value.errors()[0]["msg"] == f"Value error, {text}"


@pytest.mark.parametrize("name", ["RUNNER_SERVICE_TOKEN_SECRET_ID", "CALLBACK_KEY_SECRET_ID"])
@pytest.mark.parametrize(("value", "secret_id"), [("", None), ("secret", "secret")])
def test_runner_gets_tokens_if_their_secrets_are_configured(
    name: str, value: str, secret_id: str | None
) -> None:
    assert getattr(RunnerSettings.from_environment({**RUNNER, name: value}), name.lower()) == secret_id


@pytest.mark.parametrize(
    ("stage", "local"), [("local", True), ("prod", False), ("LOCAL", False), ("local2", False)]
)
def test_only_the_local_stage_is_local(stage: str, local: bool) -> None:
    assert TokenSettings.from_environment({**TOKEN, "STAGE": stage}).local is local


def test_the_process_environment_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_NAME", "from-the-process")

    assert TableSettings.from_environment().table_name == "from-the-process"


@pytest.mark.parametrize(("kind", "environment"), SETTINGS_TYPES)
def test_settings_are_immutable(kind: SettingsType, environment: dict[str, str]) -> None:
    settings: BaseModel = kind.from_environment(environment)

    with pytest.raises(ValidationError):
        setattr(settings, next(iter(environment)).lower(), "other")


@pytest.mark.parametrize(
    ("value", "additional"),
    [
        pytest.param("", set(), id="empty"),
        pytest.param("cap:a", {"cap:a"}, id="one"),
        pytest.param(" cap:a , cap:B.read,cap:c_d-1 ", {"cap:a", "cap:b.read", "cap:c_d-1"}, id="several"),
        pytest.param("cap:http.fetch", set(), id="known already"),
    ],
)
def test_additional_capabilities_are_known(value: str, additional: set[str]) -> None:
    settings = RegistrationSettings.from_environment({"ADDITIONAL_CAPABILITIES": value})

    assert settings.known_capabilities == KNOWN_CAPABILITIES | additional


@pytest.mark.parametrize("value", ["x", "cap:", "cap:a cap:b", "cap:a,,cap:b", "cap:a,", "cap:a;cap:b"])
def test_malformed_capabilities_are_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        RegistrationSettings.from_environment({"ADDITIONAL_CAPABILITIES": value})


@pytest.mark.parametrize(("value", "status"), [("", "400"), ("400", "400"), ("200", "200")])
def test_rule_error_status_is_400_or_200(value: str, status: str) -> None:
    settings = CallbackSettings.from_environment({"CALLBACK_RULE_ERROR_STATUS": value})

    assert settings.callback_rule_error_status == status


@pytest.mark.parametrize("value", ["201", "422", "0200", "x"])
def test_other_rule_error_status_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        CallbackSettings.from_environment({"CALLBACK_RULE_ERROR_STATUS": value})
