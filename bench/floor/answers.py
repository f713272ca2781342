"""Answers, and what every operation asks of an install."""

import json
import re
from datetime import UTC, datetime

INSTALL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SCHEDULE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_REASONS = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 429: "Too Many Requests"}


class Refused(Exception):
    def __init__(self, status, code, text, field_errors=None):
        super().__init__(text)
        self.status, self.code, self.field_errors = status, code, field_errors


def answering(operation):
    def handler(event, context):
        try:
            return operation(event)
        except Refused as refused:
            body = {
                "type": "about:blank",
                "title": _REASONS[refused.status],
                "status": refused.status,
                "detail": str(refused),
                "code": refused.code,
            }
            if refused.field_errors:
                body["fieldErrors"] = refused.field_errors
            return answer(refused.status, compact(body), {"content-type": "application/problem+json"})

    return handler


def answer(status, body="", headers=None):
    content = {"content-type": "application/json"} if body else {}
    return {"statusCode": status, "headers": {**content, **(headers or {})}, "body": body}


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def install_id_of(event):
    install_id = event["pathParameters"]["installId"]
    if not INSTALL_ID.fullmatch(install_id):
        raise Refused(404, "NOT_FOUND", "Install not found")
    return install_id


def schedule_id_of(event):
    schedule_id = event["pathParameters"]["scheduleId"].lower()
    if not SCHEDULE_ID.fullmatch(schedule_id):
        raise Refused(404, "NOT_FOUND", "Schedule not found")
    return schedule_id


def managed(install):
    if install is None or install["deleting"] or not install["enabled"]:
        raise Refused(404, "NOT_FOUND", "Install not found")
    if "cap:scheduler.manage" not in install["grantedCapabilities"]:
        raise Refused(403, "CAPABILITY_DENIED", "The extension lacks cap:scheduler.manage")
    return install


def visible(schedule):
    if schedule is None or schedule["state"] != "active":
        raise Refused(404, "NOT_FOUND", "Schedule not found")
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
        "lastRunAt": _shown(row.get("lastRunAt")),
        "lastRunStatus": row.get("lastRunStatus"),
        "lastError": row.get("lastError"),
        "createdAt": _shown(row["createdAt"]),
    }
    if row.get("disabledReason"):
        fields["disabledReason"] = row["disabledReason"]
    return f'{compact(fields)[:-1]},"payload":{row.get("payload") or "null"}}}'


def one_schedule(status, row, **headers):
    return answer(status, schedule_json(row), {"etag": f'"{row["revision"]}"', **headers})


def stored(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f+0000")


def _shown(text):
    return f"{text[:23]}Z" if text else None


def now():
    return datetime.now(UTC)
