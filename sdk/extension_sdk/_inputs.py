"""The input of a create or update as the host interface takes it: checked, with the payload as JSON text."""

from collections.abc import Mapping
from typing import Any

from extension_sdk._boundary import check_bool, check_text, dump_payload
from extension_sdk.schedules import UNSET


def build_create_input(fields: Mapping[str, object]) -> dict[str, Any]:
    """Return the input of a create; None is an omitted field.

    Raises:
        TypeError: A field is of the wrong type.
        ValueError: A text or the payload cannot cross the component's boundary.
    """
    return {
        name: value if value is None and name not in ("endpoint", "cron") else _check_field(name, value)
        for name, value in fields.items()
    }


def build_update_input(fields: Mapping[str, object]) -> dict[str, Any]:
    """Return the input of an update: None for what stays, an empty name or the payload `null` to clear it.

    Raises:
        TypeError: A field is of the wrong type.
        ValueError: A text or the payload cannot cross the component's boundary.
    """
    return {name: None if value is UNSET else _check_change(name, value) for name, value in fields.items()}


def _check_change(name: str, value: object) -> str | bool:
    return "" if name == "name" and value is None else _check_field(name, value)


def _check_field(name: str, value: object) -> str | bool:
    if name == "payload":
        return dump_payload(value)
    return check_bool(name, value) if name == "enabled" else check_text(name, value)
