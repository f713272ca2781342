"""The settings, by part; the functions read them from the environment at cold start, and nothing else reads it."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from scheduling.domain.install import KNOWN_CAPABILITIES, CatchUp, Limits, normalize_capabilities

LOCAL_STAGE = "local"
_CAPABILITY_LIST_PATTERN = r"^\s*(cap:[A-Za-z0-9._-]+)?(\s*,\s*cap:[A-Za-z0-9._-]+)*\s*$"
_PRODUCTION_STAGE = "prod"
_AUTHORITY_PATTERN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")


class _EnvironmentSettings(BaseModel):
    """Settings whose variables are the upper-case names of the fields; an empty variable counts as absent."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read and validate the settings.

        Raises:
            pydantic.ValidationError: Variables are missing or invalid; the error names each of them.
        """
        values = {name: environment.get(name.upper()) for name in cls.model_fields}
        return cls.model_validate({name: value for name, value in values.items() if value})


class TableSettings(_EnvironmentSettings):
    """The table and the limits of contract section 4, which every function needs.

    Each limit's maximum, as in template.yaml, is what a row, a function or a date can hold (docs/operations.md).
    """

    table_name: str
    max_schedules_per_install: int = Field(50, ge=1, le=10_000)
    min_interval_minutes: int = Field(5, ge=1, le=1_440)
    writes_per_minute: int = Field(10, ge=1, le=10_000)
    max_payload_bytes: int = Field(100_000, ge=2, le=300_000)
    run_history_days: int = Field(30, ge=1, le=36_500)
    catch_up: CatchUp = CatchUp.LATEST
    max_wait_hours: int = Field(72, ge=1, le=240)
    pause_after_failures: int = Field(0, ge=0, le=1_000)
    default_spread_minutes: int = Field(0, ge=0, le=60)

    @property
    def limits(self) -> Limits:
        """The limits alone."""
        return Limits(**self.model_dump(exclude={"table_name"}))


class TimerSettings(_EnvironmentSettings):
    """What every timer in EventBridge Scheduler has in common.

    `timer_dlq_arn` is the queue of what EventBridge cannot send to the queue of occurrences.
    """

    schedule_group_name: str
    occurrence_queue_url: str
    timer_role_arn: str
    timer_dlq_arn: str

    @property
    def timer_target_arn(self) -> str:
        """The universal target that sends a message, in the partition of the role."""
        partition = self.timer_role_arn.split(":")[1]
        return f"arn:{partition}:scheduler:::aws-sdk:sqs:sendMessage"


class QueueSettings(_EnvironmentSettings):
    """The queue of occurrences that failed permanently, to which the executor alone sends."""

    dead_letter_queue_url: str | None = None


class SweepSettings(_EnvironmentSettings):
    """How often a full sweep starts."""

    sweep_interval_hours: int = Field(24, ge=1, le=8_760)


class RegistrationSettings(_EnvironmentSettings):
    """The capabilities that installs may be granted besides those of the contract, separated by commas."""

    additional_capabilities: str = Field("", pattern=_CAPABILITY_LIST_PATTERN)

    @property
    def known_capabilities(self) -> frozenset[str]:
        """All capabilities that may be granted."""
        return KNOWN_CAPABILITIES | normalize_capabilities(
            filter(None, self.additional_capabilities.split(","))
        )


class CallbackSettings(_EnvironmentSettings):
    """The status of broken rules in the callback."""

    callback_rule_error_status: Literal["400", "200"] = "400"


class CallBudgetSettings(_EnvironmentSettings):
    """How many calls one install may make within a minute, in each process of a function."""

    calls_per_minute: int = Field(3_000, ge=60, le=60_000)


class EventBusSettings(_EnvironmentSettings):
    """The event bus of the audit."""

    event_bus_name: str


class RunnerSettings(_EnvironmentSettings):
    """The runner's URL, the time limits of a run, and the secrets: service token, callback key, trusted authorities.

    The secrets are optional; in production, a runner without a service token must be allowed. `runner_timeout_ms`
    limits the extension; `runner_overhead_seconds` are what the runner needs in addition, since it compiles the
    component before each run. All other times of a run are derived from both.
    """

    model_config = ConfigDict(hide_input_in_errors=True)  # a URL may contain a password

    stack_name: str
    stage: str = ""
    runner_base_url: str
    runner_timeout_ms: int = Field(30_000, ge=1, le=30_000)
    runner_overhead_seconds: int = Field(30, ge=0, le=60)
    runner_service_token_secret_id: str | None = None
    runner_ca_secret_id: str | None = None
    callback_key_secret_id: str | None = None
    allow_runner_without_token: bool = False

    @field_validator("runner_base_url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        if fault := find_url_fault(url):
            raise ValueError(f"RunnerBaseUrl {fault}")
        return url

    @model_validator(mode="after")
    def _check_production(self) -> Self:
        if self.stage != _PRODUCTION_STAGE:
            return self
        if not self.runner_base_url.startswith("https://"):
            raise ValueError("RunnerBaseUrl must start with https:// where the stage is prod")
        if self.requires_service_token and not self.runner_service_token_secret_id:
            raise ValueError(
                "Where the stage is prod, set RunnerServiceTokenSecretArn, or AllowRunnerWithoutToken to true if the "
                "runner requires no token"
            )
        return self

    @property
    def requires_service_token(self) -> bool:
        """Whether a run must not be sent without a service token."""
        return self.stage == _PRODUCTION_STAGE and not self.allow_runner_without_token

    @property
    def patience(self) -> timedelta:
        """How long the executor waits for the runner's response."""
        return timedelta(milliseconds=self.runner_timeout_ms, seconds=self.runner_overhead_seconds)

    @property
    def lease(self) -> timedelta:
        """How long an attempt keeps others from starting: it also claims the run, reads secrets and connects."""
        return self.patience + timedelta(seconds=18)

    @property
    def function_timeout(self) -> timedelta:
        """The time-out that the executor function needs: it also reads the install and writes the outcome."""
        return self.lease + timedelta(seconds=12)

    @property
    def visibility_timeout(self) -> timedelta:
        """How long the queue hides a delivered occurrence: a function that died has lost its lease by then."""
        return 2 * self.function_timeout

    @property
    def retry_delay(self) -> timedelta:
        """How long to wait before the attempt after an unanswered one, which the runner may still execute."""
        return self.patience


def find_url_fault(url: str) -> str | None:
    """Return why the text is not the base URL of an HTTP service, without quoting it, or None."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "must not contain spaces, control characters or characters outside ASCII"
    scheme, separator, rest = url.partition("://")
    authority = rest.partition("/")[0]
    if scheme not in ("http", "https") or not separator:
        return "must start with http:// or https://"
    if "?" in rest or "#" in rest:
        return "must not contain a query or a fragment"
    if "@" in authority:
        return "must not contain a user or a password"
    match = _AUTHORITY_PATTERN.fullmatch(authority)
    if not match:
        return "must have a host, and may have a port from 1 to 65535"
    port = int((match[2] or ":1")[1:])
    return None if 1 <= port <= 65_535 else "must have a port from 1 to 65535, or none"


class TokenSettings(_EnvironmentSettings):
    """The secrets of the runners' token and of callback tokens, the issuer of the latter, and the stage."""

    stack_name: str
    runner_token_secret_id: str
    callback_key_secret_id: str
    stage: str

    @property
    def local(self) -> bool:
        """Whether well-known tokens are accepted."""
        return self.stage == LOCAL_STAGE
