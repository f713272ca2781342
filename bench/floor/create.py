import secrets
from uuid import UUID

import timers
from aws import TABLE, encode_item, install_key, name_key, read_endpoints, read_items, schedule_key
from next_fire import find_next_fire
from responses import (
    format_stored_time,
    http_handler,
    parse_install_id,
    require_manageable,
    schedule_response,
    utc_now,
)
from rules import check_definition, parse_body
from writes import mark_synced, new_token, pending_shard, reserve_name, reserve_write, transact


def new_id(moment):
    return str(UUID(int=int(moment.timestamp() * 1000) << 80 | secrets.randbits(62), version=4))


@http_handler
def handler(event):
    install_id, body = parse_install_id(event), parse_body(event)
    name = body.get("name")
    requested_name = name.strip() if isinstance(name, str) else None
    keys = [install_key(install_id)] + ([name_key(install_id, requested_name)] if requested_name else [])
    items = read_items(*keys)
    install = require_manageable(items.get("INSTALL"))
    columns = check_definition(body, None, read_endpoints(install), f"UNIQUE#{requested_name}" in items)
    moment = utc_now()
    schedule_id = new_id(moment)
    row = build_row(install, install_id, schedule_id, columns, moment)
    pending = "pendingSince" in row
    put = {"TableName": TABLE, "Item": encode_item(row), "ConditionExpression": "attribute_not_exists(pk)"}
    steps = [reserve_write(install, install_id, moment, 1), {"Put": put}]
    if columns["name"]:
        steps.append(reserve_name(install_id, columns["name"], schedule_id))
    transact(*steps)
    if pending:
        timers.scheduler.create_schedule(**timers.timer_arguments(row, install_id, schedule_id))
        mark_synced(row, install_id, schedule_id)
    return schedule_response(201, row, location=f"/v1/installs/{install_id}/schedules/{schedule_id}")


def build_row(install, install_id, schedule_id, columns, moment):
    row = {
        **schedule_key(install_id, schedule_id),
        **columns,
        "type": "schedule",
        "tenantId": install["tenantId"],
        "createdAt": format_stored_time(moment),
        "revision": 1,
        "timerRevision": 1,
        "lastTimerRevision": 1,
        "timerSince": format_stored_time(moment),
        "propagatedGeneration": install["generation"],
        "state": "active",
        "changedBy": "host_api",
        "changeToken": new_token(),
    }
    if columns["enabled"]:
        row["nextFire"] = find_next_fire(columns["cron"], columns["timezone"], moment)
    active = install["enabled"] and not install.get("paused")
    if not active:
        row["suspended"] = True
    if columns["enabled"] and active:
        row |= {"pendingSince": format_stored_time(moment), "pendingShard": pending_shard(schedule_id)}
    return row
