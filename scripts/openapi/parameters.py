"""The parameters of requests and the headers of responses, by name."""

from collections.abc import Mapping
from typing import Any

from scheduling.api.paging import MAX_PAGE_SIZE
from scheduling.domain.ids import INSTALL_ID_FORMAT, TENANT_ID_FORMAT
from scheduling.domain.views import MAX_CURSOR_LENGTH

from scripts.openapi.schemas import Schema, Undescribed, count, text

_PLACE = "scripts/openapi/parameters.py"


def _parameter(place: str, name: str, schema: Schema) -> Schema:
    description = schema["description"]
    rest = {key: value for key, value in schema.items() if key != "description"}
    required = {"required": True} if place == "path" else {}
    return {"name": name, "in": place, "description": description, **required, "schema": rest}


PARAMETERS: Mapping[str, Schema] = {
    "installId": _parameter(
        "path",
        "installId",
        text(
            f"The install: {INSTALL_ID_FORMAT}. A UUID names the same install in any case.",
            pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        ),
    ),
    "scheduleId": _parameter("path", "scheduleId", text("The schedule, a UUID in any case.", format="uuid")),
    "tenantId": _parameter(
        "path", "tenantId", text(f"The tenant: {TENANT_ID_FORMAT}.", pattern=r"^[\x21-\x7e]{1,128}$")
    ),
    "tenant": _parameter(
        "query",
        "tenant",
        text(f"Only installs of this tenant: {TENANT_ID_FORMAT}.", pattern=r"^[\x21-\x7e]{1,128}$"),
    ),
    "schedule": _parameter(
        "query",
        "schedule",
        text("Only changes of this schedule, and of the install itself.", format="uuid"),
    ),
    "limit": _parameter(
        "query",
        "limit",
        count("The maximum size of the page.", 1, maximum=MAX_PAGE_SIZE, default=MAX_PAGE_SIZE),
    ),
    "cursor": _parameter(
        "query",
        "cursor",
        text("The `nextCursor` of the previous page of the same list.", maxLength=MAX_CURSOR_LENGTH),
    ),
    "onMissingEndpoint": _parameter(
        "query",
        "onMissingEndpoint",
        text(
            "What to do about schedules whose endpoint the new version lacks: refuse the request, or disable them.",
            enum=["reject", "disable"],
            default="reject",
        ),
    ),
    "dryRun": _parameter(
        "query",
        "dryRun",
        text(
            "With `true`, the response is that of the request, and nothing changes.",
            enum=["false", "true"],
            default="false",
        ),
    ),
    "idempotency-key": _parameter(
        "header",
        "Idempotency-Key",
        text(
            "For 24 hours, the same key and body get the first result again; another body with the same key is 409.",
            minLength=1,
            maxLength=64,
        ),
    ),
    "if-match": _parameter(
        "header",
        "If-Match",
        text(
            "ETags, separated by commas: the request is refused (412) unless the schedule has one of them. `*` is any."
        ),
    ),
}

HEADERS: Mapping[str, Schema] = {
    "etag": {
        "description": "The schedule's revision, which no other state has.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9]{1,15}"$'},
    },
    "location": {
        "description": "The path of the new schedule.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "retry-after": {
        "description": "After how many whole seconds a retry may succeed. API Gateway's own responses lack it.",
        "schema": {"type": "integer", "minimum": 1},
    },
}


def find_parameter(name: str) -> Schema:
    """Return a parameter by its name.

    Raises:
        Undescribed: There is none.
    """
    if name not in PARAMETERS:
        raise Undescribed(f"the parameter {name} is not described: add it in {_PLACE}")
    return dict(PARAMETERS[name])


def build_headers(names: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the headers of a response."""
    return {name: HEADERS[name] for name in names}
