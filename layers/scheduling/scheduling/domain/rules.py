"""The rules of a schedule (contract, section 4): from what a caller sent to a Definition."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict, TypeVar

from scheduling.domain import exact_json
from scheduling.domain.cron.grammar import CronRule, parse_cron
from scheduling.domain.cron.occurrences import next_fire_time
from scheduling.domain.cron.timezones import check_timezone
from scheduling.domain.endpoints import Endpoint, resolve_endpoint
from scheduling.domain.errors import NAME_TAKEN_TEXT, InvalidCron, NameTaken, RuleViolation, ValidationFailed
from scheduling.domain.install import Limits
from scheduling.domain.schedule import Definition

SCHEDULE_FIELDS = ("endpoint", "cron", "timezone", "enabled", "name", "payload")
MAX_NAME_LENGTH = 128
_EMPTY_DEFINITION = Definition(
    endpoint_method="", endpoint_path="", cron="", timezone="UTC", enabled=True, name=None, payload=None
)
_T = TypeVar("_T")


class ScheduleFields(TypedDict, total=False):
    """The fields that a caller sent, each of the right type; one left out is not in it."""

    endpoint: str
    cron: str
    timezone: str
    enabled: bool
    name: str | None
    payload: object


@dataclass(frozen=True, slots=True)
class ScheduleInput:
    """What a caller sent: `fields` of the right types, and `errors` for the rest, to be reported together."""

    fields: ScheduleFields
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What the rules say of an input: a text for every broken field, and the definition without those fields."""

    definition: Definition
    errors: Mapping[str, str]

    def require_valid(self) -> Definition:
        """The definition. Raises ValidationFailed with every broken field; NameTaken where that is all."""
        if self.errors == {"name": NAME_TAKEN_TEXT}:
            raise NameTaken
        if self.errors:
            raise ValidationFailed.from_field_errors(self.errors)
        return self.definition


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules as they stand for one install at one moment; `name_taken`: another schedule has the wanted name."""

    endpoints: Sequence[Endpoint]
    limits: Limits
    now: datetime
    name_taken: bool = False

    def build_definition(self, schedule_input: ScheduleInput) -> Definition:
        """The definition of a new schedule. Raises ValidationFailed with every broken field, or NameTaken."""
        return self.check_input(schedule_input).require_valid()

    def update_definition(self, current: Definition, schedule_input: ScheduleInput) -> Definition:
        """`current` with the given fields. Raises like `define`."""
        endpoint_omitted = "endpoint" not in schedule_input.fields and "endpoint" not in schedule_input.errors
        if schedule_input.fields.get("enabled") and not current.enabled and endpoint_omitted:
            # A version may have come without the endpoint while it was disabled.
            schedule_input = ScheduleInput(
                {"endpoint": current.endpoint, **schedule_input.fields}, schedule_input.errors
            )
        return self._check_fields(schedule_input, current).require_valid()

    def check_input(self, schedule_input: ScheduleInput) -> CheckResult:
        """What there is to say of a new schedule."""
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
        cron = checker.check_field("cron", lambda text: self._check_cron(text, timezone), current.cron)
        payload = checker.check_field("payload", self._check_payload, current.payload)
        method, path = checker.check_field(
            "endpoint",
            lambda selector: self._resolve_endpoint(
                selector, payload is not None or "payload" in checker.errors
            ),
            (current.endpoint_method, current.endpoint_path),
        )
        name = checker.check_field("name", self._check_name, current.name)
        definition = Definition(
            endpoint_method=method,
            endpoint_path=path,
            cron=cron,
            timezone=timezone,
            enabled=schedule_input.fields.get("enabled", current.enabled),
            name=name,
            payload=payload,
        )
        return CheckResult(definition, checker.sorted_errors())

    def _check_cron(self, text: str, timezone: str) -> str:
        interval = self.limits.min_interval_minutes
        return check_cron(text, min_interval_minutes=interval, timezone=timezone, now=self.now).text

    def _resolve_endpoint(self, selector: str, with_payload: bool) -> tuple[str, str]:
        endpoint = resolve_endpoint(selector, self.endpoints, with_payload=with_payload)
        return endpoint.method, endpoint.path

    def _check_name(self, text: str | None) -> str | None:
        name = check_name(text)
        if name and self.name_taken:
            raise RuleViolation(NAME_TAKEN_TEXT)
        return name

    def _check_payload(self, value: object) -> str | None:
        return check_payload(value, self.limits.max_payload_bytes)


class _FieldChecker:
    """Applies a rule to each field given, and keeps what is broken."""

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

    def sorted_errors(self) -> Mapping[str, str]:
        names = sorted(
            self.errors,
            key=lambda name: SCHEDULE_FIELDS.index(name) if name in SCHEDULE_FIELDS else len(SCHEDULE_FIELDS),
        )
        return {name: self.errors[name] for name in names}


def requested_name(schedule_input: ScheduleInput) -> str | None:
    """The name that is to be taken, or None; one that breaks its rule is none."""
    try:
        return check_name(schedule_input.fields.get("name"))
    except RuleViolation:
        return None


def check_name(name: str | None) -> str | None:
    """Trimmed; empty is none. Raises RuleBroken over 128 characters."""
    trimmed = (name or "").strip()
    if len(trimmed) > MAX_NAME_LENGTH:
        raise RuleViolation("Name too long")
    return trimmed or None


def check_payload(value: object, max_bytes: int) -> str | None:
    """The value as compact JSON text, kept exactly. Raises RuleBroken for anything else or too much."""
    if value is None:
        return None
    if not isinstance(value, dict | list):
        raise RuleViolation("Payload must be a JSON object or array")
    text = exact_json.dumps(value)
    if len(text.encode()) > max_bytes:
        raise RuleViolation("Payload too large")
    return text


def check_cron(text: str, *, min_interval_minutes: int, timezone: str, now: datetime) -> CronRule:
    """Parse `text` and hold it to the limits of a schedule.

    :param timezone: a valid IANA name
    :param now: aware; the rule must fire in the 8 years after it
    :raises InvalidCron: not a rule, two fires closer than the interval, or none to come
    """
    rule = parse_cron(text)
    gap = rule.smallest_gap_minutes
    if gap is not None and gap < min_interval_minutes:
        raise InvalidCron(f"Cron too frequent (minimum interval is {min_interval_minutes} minutes)")
    if not rule.fires_every_year and next_fire_time(rule, timezone, now) is None:
        raise InvalidCron("Cron never fires in the next 8 years")
    return rule
