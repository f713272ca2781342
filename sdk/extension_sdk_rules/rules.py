# Copied from layers/scheduling/scheduling/domain by scripts/vendor_rules.py. Do not edit.
"""The rules of a schedule (contract, section 4): from a caller's input to a Definition."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypedDict, TypeVar

from extension_sdk_rules.cron.eventbridge import are_same_rule
from extension_sdk_rules.cron.limits import check_rule, check_spread_fits
from extension_sdk_rules.cron.one_time import is_one_time
from extension_sdk_rules.cron.rule import parse_rule
from extension_sdk_rules.cron.timezones import DEFAULT_TIMEZONE, check_timezone
from extension_sdk_rules.endpoints import Endpoint, resolve_endpoint
from extension_sdk_rules.errors import (
    NAME_TAKEN_TEXT,
    NameTaken,
    RulesViolated,
    RuleViolation,
    ValidationFailed,
)
from extension_sdk_rules.install import Limits
from extension_sdk_rules.requests.fields import (
    check_name,
    check_pause_after_failures,
    check_payload,
    check_spread_minutes,
)
from extension_sdk_rules.schedule import Definition

SCHEDULE_FIELDS = ("endpoint", "cron", "timezone", "enabled", "name", "payload")
"""The fields that the runner's callback knows."""
_EMPTY_DEFINITION = Definition(
    endpoint_method="", endpoint_path="", cron="", timezone="UTC", enabled=True, name=None, payload=None
)
_T = TypeVar("_T")


class ScheduleFields(TypedDict, total=False):
    """The fields that a caller sent, each of the right type; an omitted field is absent."""

    endpoint: str
    cron: str
    timezone: str | None
    enabled: bool
    name: str | None
    payload: object
    pauseAfterFailures: object
    spreadMinutes: object


@dataclass(frozen=True, slots=True)
class ScheduleInput:
    """A caller's input: `fields` of the right types, and `errors` for all others, to be reported together."""

    fields: ScheduleFields
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a check: a text for every invalid field, and the definition without those fields.

    `malformed` if a required field is missing or a field is of the wrong type, besides any rule that is broken.
    """

    definition: Definition
    errors: Mapping[str, str]
    malformed: bool = False

    def require_valid(self) -> Definition:
        """Return the definition.

        Raises:
            ValidationFailed: A field is missing, unknown or of the wrong type.
            RulesViolated: All fields are well-formed, but one or more break a rule.
            NameTaken: Nothing but the name is invalid, because another schedule has it.
        """
        if self.errors == {"name": NAME_TAKEN_TEXT}:
            raise NameTaken
        if self.errors:
            error_class = ValidationFailed if self.malformed else RulesViolated
            raise error_class.from_field_errors(self.errors)
        return self.definition


@dataclass(frozen=True, slots=True)
class ScheduleRules:
    """The rules for one install at one time.

    Attributes:
        name_taken: Whether another schedule has the requested name.
        by_admin: Whether the platform sets the fields, which may raise the stack's limit of failures.
    """

    endpoints: Sequence[Endpoint]
    limits: Limits
    now: datetime
    name_taken: bool = False
    by_admin: bool = False

    def build_definition(self, schedule_input: ScheduleInput) -> Definition:
        """Return the definition of a new schedule.

        Raises:
            ValidationFailed: One or more fields are invalid.
            NameTaken: Another schedule has the name.
        """
        return self.check_input(schedule_input).require_valid()

    def update_definition(
        self, current: Definition, schedule_input: ScheduleInput, *, recheck_rule: bool = False
    ) -> Definition:
        """Return `current` with the fields of the input.

        Args:
            current: The definition to change.
            schedule_input: The fields to set.
            recheck_rule: Whether rule and zone of `current` may be invalid, so that the input has to replace them.

        Raises:
            ValidationFailed: One or more fields are invalid.
            NameTaken: Another schedule has the name.
        """
        endpoint_omitted = "endpoint" not in schedule_input.fields and "endpoint" not in schedule_input.errors
        if schedule_input.fields.get("enabled") and not current.enabled and endpoint_omitted:
            # The install may have moved to a version without the endpoint while the schedule was disabled.
            schedule_input = ScheduleInput(
                {"endpoint": current.endpoint, **schedule_input.fields}, schedule_input.errors
            )
        if recheck_rule:
            fields: ScheduleFields = {
                "cron": current.cron,
                "timezone": current.timezone,
                **schedule_input.fields,
            }
            schedule_input = ScheduleInput(fields, schedule_input.errors)
            current = replace(
                current, timezone=DEFAULT_TIMEZONE
            )  # only for the check of a rule without a valid zone
        schedule_input = _with_rechecked_time(current, schedule_input)
        return self._check_fields(schedule_input, current).require_valid()

    def check_input(self, schedule_input: ScheduleInput) -> CheckResult:
        """Check the input for a new schedule, and report every invalid field."""
        missing_errors = {
            name: f"{name} is required" for name in ("endpoint", "cron") if name not in schedule_input.fields
        }
        return self._check_fields(
            ScheduleInput(schedule_input.fields, {**missing_errors, **schedule_input.errors}),
            _EMPTY_DEFINITION,
        )

    def _check_fields(self, schedule_input: ScheduleInput, current: Definition) -> CheckResult:
        checker = _FieldChecker(schedule_input)
        timezone = checker.check_field("timezone", check_timezone, current.timezone)
        keeps_rule = checker.keeps_one_time_rule(current, timezone)
        cron = checker.check_field(
            "cron",
            parse_rule_text
            if keeps_rule
            else lambda text: self._check_cron(text, None if "timezone" in checker.errors else timezone),
            current.cron,
        )
        payload = checker.check_field("payload", self._check_payload, current.payload)
        method, path = checker.check_field(
            "endpoint",
            lambda selector: self._resolve_endpoint(
                selector, payload is not None or "payload" in checker.errors
            ),
            (current.endpoint_method, current.endpoint_path),
        )
        name = checker.check_field("name", self._check_name, current.name)
        pause_after_failures = checker.check_field(
            "pauseAfterFailures", self._check_pause_after_failures, current.pause_after_failures
        )
        definition = Definition(
            endpoint_method=method,
            endpoint_path=path,
            cron=cron,
            timezone=timezone,
            enabled=schedule_input.fields.get("enabled", current.enabled),
            name=name,
            payload=payload,
            pause_after_failures=pause_after_failures,
            spread_minutes=checker.check_spread(cron, current.spread_minutes),
        )
        return CheckResult(definition, checker.sorted_errors(), malformed=bool(schedule_input.errors))

    def _check_cron(self, text: str, timezone: str | None) -> str:
        interval = self.limits.min_interval_minutes
        return check_rule(text, min_interval_minutes=interval, timezone=timezone, now=self.now).text

    def _resolve_endpoint(self, selector: str, with_payload: bool) -> tuple[str, str]:
        endpoint = resolve_endpoint(selector, self.endpoints, with_payload=with_payload)
        return endpoint.method, endpoint.path

    def _check_name(self, text: str | None) -> str | None:
        name = check_name(text)
        if name and self.name_taken:
            raise RuleViolation(NAME_TAKEN_TEXT)
        return name

    def _check_pause_after_failures(self, value: object) -> int | None:
        stack_limit = 0 if self.by_admin else self.limits.pause_after_failures
        return check_pause_after_failures(value, stack_limit)

    def _check_payload(self, value: object) -> str | None:
        return check_payload(value, self.limits.max_payload_bytes)


class _FieldChecker:
    """Applies rules to the fields of an input and collects the errors."""

    def __init__(self, schedule_input: ScheduleInput) -> None:
        self.fields: Mapping[str, Any] = schedule_input.fields
        self.errors = dict(schedule_input.errors)

    def check_field(self, name: str, rule: Callable[[Any], _T], default: _T) -> _T:
        if name not in self.fields:
            return default
        try:
            return rule(self.fields[name])
        except RuleViolation as error:
            self.errors[name] = str(error)
            return default

    def check_spread(self, cron: str, current: int | None) -> int | None:
        """Check the spread by itself, and by the rule if the input changes either."""
        minutes = self.check_field("spreadMinutes", check_spread_minutes, current)
        names = {"cron", "spreadMinutes"}
        if names & self.fields.keys() and not names & self.errors.keys():
            try:
                check_spread_fits(minutes or 0, parse_rule(cron))
            except RuleViolation as error:
                self.errors["spreadMinutes"] = str(error)
        return minutes

    def keeps_one_time_rule(self, current: Definition, timezone: str) -> bool:
        """Return whether the input has the one-time rule of `current`, whose time may have passed."""
        text = self.fields.get("cron", "")
        turned_on = self.fields.get("enabled") and not current.enabled
        return (
            is_one_time(text)
            and not turned_on
            and timezone == current.timezone
            and are_same_rule(text, current.cron)
        )

    def sorted_errors(self) -> Mapping[str, str]:
        names = sorted(
            self.errors,
            key=lambda name: SCHEDULE_FIELDS.index(name) if name in SCHEDULE_FIELDS else len(SCHEDULE_FIELDS),
        )
        return {name: self.errors[name] for name in names}


def requested_name(schedule_input: ScheduleInput) -> str | None:
    """Return the name that the input asks for, or None if it asks for none or an invalid one."""
    try:
        return check_name(schedule_input.fields.get("name"))
    except RuleViolation:
        return None


def parse_rule_text(text: str) -> str:
    """Return the text of a rule, trimmed; a one-time rule may have passed."""
    return parse_rule(text).text


def _with_rechecked_time(current: Definition, schedule_input: ScheduleInput) -> ScheduleInput:
    """Return the input with the one-time rule of `current`, if its time depends on another field of the input."""
    fields, errors = schedule_input.fields, schedule_input.errors
    depends = "timezone" in fields or (fields.get("enabled") and not current.enabled)
    if not depends or "cron" in fields or "cron" in errors or not is_one_time(current.cron):
        return schedule_input
    return ScheduleInput({"cron": current.cron, **fields}, errors)
