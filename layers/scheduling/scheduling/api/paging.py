"""The query parameters `limit` and `cursor` of paged lists."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from scheduling.api.http import Request, parse_both
from scheduling.domain.errors import InvalidCursor, ValidationFailed
from scheduling.domain.ids import (
    InstallId,
    ScheduleId,
    parse_change_position,
    parse_install_id,
    parse_schedule_id,
)
from scheduling.domain.runs import normalize_manual_time, normalize_scheduled_time
from scheduling.domain.tenant import TenantCursor
from scheduling.domain.views import CursorScope, decode_cursor

MAX_PAGE_SIZE = 50
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class PageRequest(Generic[_T]):
    """What page of which list a request asks for."""

    scope: CursorScope
    position: _T | None
    limit: int


def parse_page_request(
    request: Request,
    find_scope: Callable[[], CursorScope],
    parse_cursor: Callable[[CursorScope, str | None], _T | None],
) -> PageRequest[_T]:
    """Return the page that the request asks for, of the list that `find_scope` returns.

    Raises:
        ValidationFailed: At least one parameter is invalid; the error names each of them.
    """

    def parse_position() -> tuple[CursorScope, _T | None]:
        scope = find_scope()
        return scope, parse_cursor(scope, request.query_parameter("cursor"))

    (scope, position), limit = parse_both(
        parse_position, lambda: parse_page_limit(request.query_parameter("limit"))
    )
    return PageRequest(scope, position, limit)


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


def parse_schedule_cursor(scope: CursorScope, cursor: str | None) -> ScheduleId | None:
    """Return the schedule after which a page of schedules starts.

    Raises:
        ValidationFailed: No page of the list returned this cursor.
    """
    return _parse_cursor(scope, cursor, parse_schedule_id)


def parse_install_cursor(scope: CursorScope, cursor: str | None) -> InstallId | None:
    """Return the install after which a page of installs starts.

    Raises:
        ValidationFailed: No page of the list returned this cursor.
    """
    return _parse_cursor(scope, cursor, parse_install_id)


def parse_run_cursor(scope: CursorScope, cursor: str | None) -> str | None:
    """Return the scheduled time before which a page of runs starts.

    Raises:
        ValidationFailed: No page of the list returned this cursor.
    """
    return _parse_cursor(scope, cursor, _normalize_time)


def parse_change_cursor(scope: CursorScope, cursor: str | None) -> str | None:
    """Return the position before which a page of changes starts.

    Raises:
        ValidationFailed: No page of the list returned this cursor.
    """
    return _parse_cursor(scope, cursor, parse_change_position)


def parse_tenant_cursor(scope: CursorScope, cursor: str | None) -> TenantCursor | None:
    """Return the position after which a page of a tenant's schedules starts.

    Raises:
        ValidationFailed: No page of the list returned this cursor.
    """
    return _parse_cursor(scope, cursor, TenantCursor.parse_position)


def _parse_cursor(
    scope: CursorScope, cursor: str | None, parse_position: Callable[[str], _T | None]
) -> _T | None:
    if cursor is None:
        return None
    try:
        position = parse_position(decode_cursor(scope, cursor))
    except ValueError:
        position = None
    if position is None:
        raise InvalidCursor
    return position


def _normalize_time(text: str) -> str:
    return normalize_manual_time(text) if "." in text else normalize_scheduled_time(text)
