"""Responses, and the checks that every operation makes."""

import json
import re
from datetime import UTC, datetime

from errors import ApiError

INSTALL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SCHEDULE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_REASONS = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 429: "Too Many Requests"}


def http_handler(operation):
    def handler(event, context):
        try:
            return operation(event)
        except ApiError as error:
            body = {
                "type": "about:blank",
                "title": _REASONS[error.status],
                "status": error.status,
                "detail": str(error),
                "code": error.code,
            }
            if error.field_errors:
                body["fieldErrors"] = error.field_errors
            return json_response(error.status, dump_json(body), {"content-type": "application/problem+json"})

    return handler


def json_response(status, body="", headers=None):
    content = {"content-type": "application/json"} if body else {}
    return {"statusCode": status, "headers": {**content, **(headers or {})}, "body": body}


def dump_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parse_install_id(event):
    install_id = event["pathParameters"]["installId"]
    if not INSTALL_ID.fullmatch(install_id):
        raise ApiError(404, "NOT_FOUND", "Install not found")
    return install_id


def parse_schedule_id(event):
    schedule_id = event["pathParameters"]["scheduleId"].lower()
    if not SCHEDULE_ID.fullmatch(schedule_id):
        raise ApiError(404, "NOT_FOUND", "Schedule not found")
    return schedule_id


def require_manageable(install):
    if install is None or install["deleting"] or not install["enabled"]:
        raise ApiError(404, "NOT_FOUND", "Install not found")
    if "cap:scheduler.manage" not in install["grantedCapabilities"]:
        raise ApiError(403, "CAPABILITY_DENIED", "The extension lacks cap:scheduler.manage")
    return install


def require_active(schedule):
    if schedule is None or schedule["state"] != "active":
        raise ApiError(404, "NOT_FOUND", "Schedule not found")
    return schedule


def schedule_json(row):
    fields = {
        "id": row["sk"].removeprefix("SCHEDULE#"),
        "endpointPath": row["endpointPath"],
        "endpointMethod": row["endpointMethod"],
        "name": row.get("name"),
        "cron": row["cron"],
        "timezone": row["timezone"],
        "enabled": row["enabled"],
        "lastRunAt": _format_time(row.get("lastRunAt")),
        "lastRunStatus": row.get("lastRunStatus"),
        "lastError": row.get("lastError"),
        "lastSuccessAt": _format_time(row.get("lastSuccessAt")),
        "consecutiveFailures": row.get("consecutiveFailures", 0),
        "createdAt": _format_time(row["createdAt"]),
        "nextFireAt": _read_next_fire(row),
    }
    if fields["nextFireAt"] is None:
        fields["notFiringReason"] = "never" if row["enabled"] else "disabled"
    if row.get("disabledReason"):
        fields["disabledReason"] = row["disabledReason"]
    return f'{dump_json(fields)[:-1]},"payload":{row.get("payload") or "null"}}}'


def _read_next_fire(row):
    from next_fire import read_next_fire  # which imports this module

    return read_next_fire(row, utc_now()) if row["enabled"] else None


def schedule_response(status, row, **headers):
    return json_response(status, schedule_json(row), {"etag": f'"{row["revision"]}"', **headers})


def format_stored_time(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f+0000")


def _format_time(text):
    return f"{text[:23]}Z" if text else None


def utc_now():
    return datetime.now(UTC)
