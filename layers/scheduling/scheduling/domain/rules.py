"""The rules of a schedule (contract, section 4): from what a caller sent to a Definition."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict, TypeVar

from scheduling.domain import exact_json
from scheduling.domain.cron.grammar import CronRule, parse_cron
from scheduling.domain.cron.occurrences import next_fire
from scheduling.domain.cron.timezones import check_timezone
from scheduling.domain.endpoints import Endpoint, resolve_endpoint
from scheduling.domain.errors import NAME_TAKEN, InvalidCron, NameTaken, RuleBroken, ValidationFailed
from scheduling.domain.install import Limits
from scheduling.domain.schedule import Definition

FIELDS = ("endpoint", "cron", "timezone", "enabled", "name", "payload")
MAX_NAME_LENGTH = 128
_BLANK = Definition(
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
class Checked:
    """What the rules say of an input: a text for every broken field, and the definition without those fields."""

    definition: Definition
    errors: Mapping[str, str]

    def accepted(self) -> Definition:
        """The definition. Raises ValidationFailed with every broken field; NameTaken where that is all."""
        if self.errors == {"name": NAME_TAKEN}:
            raise NameTaken
        if self.errors:
            raise ValidationFailed.of(self.errors)
        return self.definition


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules as they stand for one install at one moment; `name_taken`: another schedule has the wanted name."""

    endpoints: Sequence[Endpoint]
    limits: Limits
    now: datetime
    name_taken: bool = False

    def define(self, given: ScheduleInput) -> Definition:
        """The definition of a new schedule. Raises ValidationFailed with every broken field, or NameTaken."""
        return self.check(given).accepted()

    def redefine(self, current: Definition, given: ScheduleInput) -> Definition:
        """`current` with the given fields. Raises like `define`."""
        silent = "endpoint" not in given.fields and "endpoint" not in given.errors
        if given.fields.get("enabled") and not current.enabled and silent:
            # A version may have come without the endpoint while it was disabled.
            given = ScheduleInput({"endpoint": current.endpoint, **given.fields}, given.errors)
        return self._check(given, current).accepted()

    def check(self, given: ScheduleInput) -> Checked:
        """What there is to say of a new schedule."""
        missing = {name: f"{name} is required" for name in ("endpoint", "cron") if name not in given.fields}
        return self._check(ScheduleInput(given.fields, {**missing, **given.errors}), _BLANK)

    def _check(self, given: ScheduleInput, current: Definition) -> Checked:
        check = _Check(given)
        timezone = check.field("timezone", check_timezone, current.timezone)
        cron = check.field("cron", lambda text: self._cron(text, timezone), current.cron)
        payload = check.field("payload", self._payload, current.payload)
        method, path = check.field(
            "endpoint",
            lambda selector: self._endpoint(selector, payload is not None or "payload" in check.errors),
            (current.endpoint_method, current.endpoint_path),
        )
        name = check.field("name", self._name, current.name)
        definition = Definition(
            endpoint_method=method,
            endpoint_path=path,
            cron=cron,
            timezone=timezone,
            enabled=given.fields.get("enabled", current.enabled),
            name=name,
            payload=payload,
        )
        return Checked(definition, check.in_order())

    def _cron(self, text: str, timezone: str) -> str:
        interval = self.limits.min_interval_minutes
        return check_cron(text, min_interval_minutes=interval, timezone=timezone, now=self.now).text

    def _endpoint(self, selector: str, with_payload: bool) -> tuple[str, str]:
        endpoint = resolve_endpoint(selector, self.endpoints, with_payload=with_payload)
        return endpoint.method, endpoint.path

    def _name(self, text: str | None) -> str | None:
        name = check_name(text)
        if name and self.name_taken:
            raise RuleBroken(NAME_TAKEN)
        return name

    def _payload(self, value: object) -> str | None:
        return check_payload(value, self.limits.max_payload_bytes)


class _Check:
    """Applies a rule to each field given, and keeps what is broken."""

    def __init__(self, given: ScheduleInput) -> None:
        self.fields: Mapping[str, Any] = given.fields
        self.errors = dict(given.errors)

    def field(self, name: str, rule: Callable[[Any], _T], unchanged: _T) -> _T:
        if name not in self.fields:
            return unchanged
        try:
            return rule(self.fields[name])
        except RuleBroken as error:
            self.errors[name] = str(error)
            return unchanged

    def in_order(self) -> Mapping[str, str]:
        names = sorted(self.errors, key=lambda name: FIELDS.index(name) if name in FIELDS else len(FIELDS))
        return {name: self.errors[name] for name in names}


def wanted_name(given: ScheduleInput) -> str | None:
    """The name that is to be taken, or None; one that breaks its rule is none."""
    try:
        return check_name(given.fields.get("name"))
    except RuleBroken:
        return None


def check_name(name: str | None) -> str | None:
    """Trimmed; empty is none. Raises RuleBroken over 128 characters."""
    trimmed = (name or "").strip()
    if len(trimmed) > MAX_NAME_LENGTH:
        raise RuleBroken("Name too long")
    return trimmed or None


def check_payload(value: object, max_bytes: int) -> str | None:
    """The value as compact JSON text, kept exactly. Raises RuleBroken for anything else or too much."""
    if value is None:
        return None
    if not isinstance(value, dict | list):
        raise RuleBroken("Payload must be a JSON object or array")
    text = exact_json.dumps(value)
    if len(text.encode()) > max_bytes:
        raise RuleBroken("Payload too large")
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
    if not rule.sure_to_fire and next_fire(rule, timezone, now) is None:
        raise InvalidCron("Cron never fires in the next 8 years")
    return rule
