"""The query parameters `limit` and `cursor` of paged lists."""

import re
from collections.abc import Callable
from typing import TypeVar

from scheduling.domain.errors import ValidationFailed
from scheduling.domain.ids import ScheduleId, parse_install_id, parse_schedule_id
from scheduling.domain.runs import normalize_manual_time, normalize_scheduled_time
from scheduling.domain.tenant import TenantCursor
from scheduling.domain.views import decode_cursor

MAX_PAGE_SIZE = 50
_T = TypeVar("_T")


def parse_page_limit(text: str | None) -> int:
    """Return the maximum size of a page; the default is the largest permitted one.

    Raises:
        ValidationFailed: The text is not a number from 1 to 50.
    """
    if text is None:
        return MAX_PAGE_SIZE
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_PAGE_SIZE:
        raise ValidationFailed.from_field_errors(
            {"limit": f"limit must be a whole number from 1 to {MAX_PAGE_SIZE}"}
        )
    return int(text)


def parse_schedule_cursor(cursor: str | None) -> ScheduleId | None:
    """Return the schedule after which a page of schedules starts.

    Raises:
        ValidationFailed: No page returned this cursor.
    """
    return _parse_cursor(cursor, parse_schedule_id)


def parse_run_cursor(cursor: str | None) -> str | None:
    """Return the scheduled time before which a page of runs starts.

    Raises:
        ValidationFailed: No page returned this cursor.
    """
    return _parse_cursor(cursor, _normalize_time)


def parse_tenant_cursor(cursor: str | None) -> TenantCursor | None:
    """Return the position after which a page of a tenant's schedules starts.

    Raises:
        ValidationFailed: No page returned this cursor.
    """
    return _parse_cursor(cursor, _parse_tenant_position)


def _parse_tenant_position(text: str) -> TenantCursor | None:
    install_text, _, schedule_text = text.partition(" ")
    install_id, schedule_id = parse_install_id(install_text), parse_schedule_id(schedule_text)
    if install_id is None or (schedule_text and schedule_id is None):
        return None
    return TenantCursor(install_id, schedule_id)


def _parse_cursor(cursor: str | None, parse_position: Callable[[str], _T | None]) -> _T | None:
    if cursor is None:
        return None
    try:
        position = parse_position(decode_cursor(cursor))
    except ValueError:
        position = None
    if position is None:
        raise ValidationFailed.from_field_errors({"cursor": "Invalid cursor"})
    return position


def _normalize_time(text: str) -> str:
    return normalize_manual_time(text) if "." in text else normalize_scheduled_time(text)
