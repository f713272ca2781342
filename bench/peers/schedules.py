"""Schedules as usually stored with boto3 and pydantic: read, check, then write; shared by all peers."""

import json
import os
import re
import uuid
from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

import boto3
from boto3.dynamodb.conditions import Key
from pydantic import BaseModel, ConfigDict, Field, field_validator

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
scheduler = boto3.client("scheduler")
_ZONES = available_timezones()
_CRON = re.compile(r"(\S+) (\S+) (\S+) (\S+) (\S+)")


class NotFound(Exception):
    pass


class ScheduleBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    endpoint: str
    cron: str = Field(max_length=128, pattern=_CRON)
    timezone: str = "UTC"
    enabled: bool = True
    name: str | None = Field(None, max_length=128)
    payload: dict[str, Any] | list[Any] | None = None

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, value: str) -> str:
        if value not in _ZONES:
            raise ValueError("Invalid timezone")
        return value


class Schedule(BaseModel):
    id: str
    endpointMethod: str
    endpointPath: str
    name: str | None = None
    cron: str
    timezone: str
    enabled: bool
    lastRunAt: str | None = None
    lastRunStatus: str | None = None
    lastError: str | None = None
    createdAt: str
    payload: Any = None


def list_schedules(install_id):
    _read_install(install_id)
    page = table.query(
        KeyConditionExpression=Key("pk").eq(f"INSTALL#{install_id}")
        & Key("sk").between("SCHEDULE#", "SCHEDULE~"),
        ConsistentRead=True,
    )
    return [_schedule_from_item(item) for item in page["Items"]]


def get_schedule(install_id, schedule_id):
    _read_install(install_id)
    key = {"pk": f"INSTALL#{install_id}", "sk": f"SCHEDULE#{schedule_id}"}
    response = table.get_item(Key=key, ConsistentRead=True)
    if "Item" not in response:
        raise NotFound("Schedule not found")
    return _schedule_from_item(response["Item"])


def create_schedule(install_id, body):
    install = _read_install(install_id)
    if install["scheduleCount"] >= 50:
        raise ValueError("Too many schedules (max 50 per extension install)")
    schedule_id = str(uuid.uuid4())
    method, _, path = body.endpoint.rpartition(" ")
    item = {
        "pk": f"INSTALL#{install_id}",
        "sk": f"SCHEDULE#{schedule_id}",
        "endpointMethod": method or "GET",
        "endpointPath": path,
        "cron": body.cron,
        "timezone": body.timezone,
        "enabled": body.enabled,
        "createdAt": datetime.now(UTC).isoformat(),
    }
    if body.name:
        item["name"] = body.name
    if body.payload is not None:
        item["payload"] = json.dumps(body.payload)
    table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")
    scheduler.create_schedule(
        GroupName=os.environ["SCHEDULE_GROUP_NAME"],
        Name=schedule_id,
        ScheduleExpression="cron({} {} ? {} {} *)".format(*(_CRON.match(body.cron)[n] for n in (1, 2, 4, 5))),
        ScheduleExpressionTimezone=body.timezone,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=_timer_target(install["tenantId"], {"installId": install_id, "scheduleId": schedule_id}),
    )
    table.update_item(
        Key={"pk": f"INSTALL#{install_id}", "sk": "INSTALL"},
        UpdateExpression="ADD scheduleCount :one",
        ExpressionAttributeValues={":one": 1},
    )
    return _schedule_from_item(item)


def _timer_target(tenant_id, fire):
    message = {
        "QueueUrl": os.environ["OCCURRENCE_QUEUE_URL"],
        "MessageBody": json.dumps(fire),
        "MessageGroupId": tenant_id,
    }
    return {
        "Arn": os.environ["TIMER_TARGET_ARN"],
        "RoleArn": os.environ["TIMER_ROLE_ARN"],
        "Input": json.dumps(message),
    }


def _read_install(install_id):
    response = table.get_item(Key={"pk": f"INSTALL#{install_id}", "sk": "INSTALL"}, ConsistentRead=True)
    if "Item" not in response:
        raise NotFound("Install not found")
    return response["Item"]


def _schedule_from_item(item):
    fields = {name: item.get(name) for name in Schedule.model_fields if item.get(name) is not None}
    payload = json.loads(item["payload"]) if item.get("payload") else None
    return Schedule(**{**fields, "id": item["sk"].removeprefix("SCHEDULE#"), "payload": payload})
