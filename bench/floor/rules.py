"""The rules of a schedule, for mostly valid input."""

import json
import re
from functools import cache
from importlib.resources import files

from errors import ApiError

_FIELDS = {"endpoint": str, "cron": str, "timezone": str, "enabled": bool, "name": str, "payload": object}
_TEXTS = {str: "must be a string", bool: "must be true or false"}
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS = {n: i for i, n in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 1)}
_DAYS = {n: i for i, n in enumerate("SUN MON TUE WED THU FRI SAT".split())}
_NAMES = ({}, {}, {}, _MONTHS, _DAYS)
_PART = re.compile(r"(?:\*|([0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?)(?:/([0-9]+))?")


def parse_body(event):
    try:
        body = json.loads(event.get("body") or "")
    except ValueError as error:
        raise ApiError(400, "VALIDATION_FAILED", f"The body is not valid: {error}") from error
    if not isinstance(body, dict):
        raise ApiError(400, "VALIDATION_FAILED", "The body must be a JSON object")
    return body


def check_definition(body, current, endpoints, name_taken):
    """Return the definition as columns; `current` is None for a create."""
    errors = {name: f"{name} is not a known field" for name in body if name not in _FIELDS}
    for name, kind in _FIELDS.items():
        nullable = name in ("name", "payload")
        if name in body and not isinstance(body[name], kind) and not (nullable and body[name] is None):
            errors[name] = f"{name} {_TEXTS[kind]}"
        if current is None and name in ("endpoint", "cron") and name not in body:
            errors[name] = f"{name} is required"
    row = dict(current or {"timezone": "UTC", "enabled": True, "name": None, "payload": None})
    rules = {"timezone": _check_timezone, "cron": _check_cron, "payload": _check_payload, "name": _check_name}
    for name, rule in rules.items():
        if name in body and name not in errors:
            try:
                row[name] = rule(body[name])
            except ValueError as error:
                errors[name] = str(error)
    if name_taken and row["name"]:
        errors["name"] = "Schedule name already in use for this extension"
    row["enabled"] = body.get("enabled", row["enabled"])
    if "endpoint" in body and "endpoint" not in errors:
        endpoint = _resolve_endpoint(body["endpoint"], endpoints, row["payload"] is not None)
        if endpoint:
            row["endpointMethod"], row["endpointPath"] = endpoint
        else:
            errors["endpoint"] = "Endpoint not found or not schedulable"
    if errors:
        first = errors[min(errors, key=list(_FIELDS).index)]
        raise ApiError(
            400, "VALIDATION_FAILED", first, {name: errors[name] for name in _FIELDS if name in errors}
        )
    return row


@cache
def _timezone_names():
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split()) - {"Factory"}


def _check_timezone(text):
    if text.strip() not in _timezone_names():
        raise ValueError("Invalid timezone")
    return text.strip()


def _check_payload(value):
    if value is None:
        return None
    if not isinstance(value, dict | list):
        raise ValueError("Payload must be a JSON object or array")
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > 100_000:
        raise ValueError("Payload too large")
    return text


def _check_name(text):
    name = (text or "").strip()
    if len(name) > 128:
        raise ValueError("Name too long")
    return name or None


def _resolve_endpoint(selector, endpoints, with_payload):
    method, _, path = selector.strip().rpartition(" ")
    path = re.sub("/{2,}", "/", f"/{path}")
    methods = {
        each["method"] for each in endpoints if each["path"] == path and not set(each["path"]) & set(":{}")
    } & {"GET", "POST"}
    candidates = (
        [method.strip().upper()] if method else (["POST", "GET"] if with_payload else ["GET", "POST"])
    )
    return next(((each, path) for each in candidates if each in methods), None)


def parse_cron(text):
    fields = text.split()
    if len(fields) != 5 or len(text) > 128:
        raise ValueError("Invalid cron expression (expected 5 fields: m h dom mon dow)")
    return [_parse_field(index, field) for index, field in enumerate(fields)]


def _parse_field(index, text):
    low, high = _BOUNDS[index]
    values = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError("Invalid cron expression")
        first, last, step = match.groups()
        start = _parse_number(index, first) if first else low
        end = _parse_number(index, last) if last else (high if step or not first else start)
        if not low <= start <= end <= high or step == "0":
            raise ValueError("Invalid cron expression")
        values.update(range(start, end + 1, int(step or 1)))
    return sorted({day % 7 for day in values} if index == 4 else values)


def _parse_number(index, text):
    return int(text) if text.isdigit() else _NAMES[index][text.upper()]


def _check_cron(text):
    minutes, hours, days, months, weekdays = parse_cron(text)
    if len(days) < 31 and len(weekdays) < 7:
        raise ValueError("Cron cannot set both day-of-month and day-of-week")
    times = [hour * 60 + minute for hour in hours for minute in minutes]
    if len(days) > 1 or len(weekdays) > 1:
        times.append(times[0] + 1440)
    if any(after - before < 5 for before, after in zip(times, times[1:], strict=False)):
        raise ValueError("Cron too frequent (minimum interval is 5 minutes)")
    if min(days) > max({2: 29, 4: 30, 6: 30, 9: 30, 11: 30}.get(month, 31) for month in months):
        raise ValueError("Cron never fires in the next 8 years")
    return text.strip()
