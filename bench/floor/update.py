import timers
from aws import (
    TABLE,
    build_update,
    encode_item,
    install_key,
    name_key,
    payload_key,
    read_endpoints,
    read_items,
    schedule_key,
)
from next_fire import find_next_fire
from responses import (
    format_stored_time,
    http_handler,
    parse_install_id,
    parse_schedule_id,
    require_active,
    require_manageable,
    schedule_response,
    utc_now,
)
from rules import check_definition, parse_body
from writes import mark_synced, new_token, pending_shard, reserve_name, reserve_write, transact

_DEFINITION_COLUMNS = ("endpointMethod", "endpointPath", "cron", "timezone", "enabled", "name", "payload")


def _changed_columns(before, current, columns, moment, schedule_id):
    changed = {column: value for column, value in columns.items() if value != current[column]}
    changed |= {"revision": before["revision"] + 1, "changeToken": new_token()}
    if any(column in changed for column in ("cron", "timezone", "enabled")):
        number = before["lastTimerRevision"] + 1
        changed |= {
            "timerRevision": number,
            "lastTimerRevision": number,
            "timerSince": format_stored_time(moment),
            "pendingSince": format_stored_time(moment),
            "pendingShard": pending_shard(schedule_id),
            "nextFire": find_next_fire(columns["cron"], columns["timezone"], moment)
            if columns["enabled"]
            else None,
        }
    return changed


@http_handler
def handler(event):
    install_id, schedule_id, body = parse_install_id(event), parse_schedule_id(event), parse_body(event)
    name = body.get("name")
    requested_name = name.strip() if isinstance(name, str) else None
    key = schedule_key(install_id, schedule_id)
    name_keys = [name_key(install_id, requested_name)] if requested_name else []
    items = read_items(install_key(install_id), key, payload_key(install_id, schedule_id), *name_keys)
    install = require_manageable(items.get("INSTALL"))
    before = require_active(items.get(key["sk"]))
    owner = items.get(f"UNIQUE#{requested_name}", {}).get("scheduleId", schedule_id)
    current = {column: before.get(column) for column in _DEFINITION_COLUMNS}
    columns = check_definition(body, current, read_endpoints(install), owner != schedule_id)
    moment = utc_now()
    changed = _changed_columns(before, current, columns, moment, schedule_id)
    timer_changed = "timerRevision" in changed
    unchanged = "changeToken = :previous AND attribute_not_exists(pendingSince)"
    steps = [
        reserve_write(install, install_id, moment, 0),
        {"Update": build_update(key, changed, unchanged, {":previous": before["changeToken"]})},
    ]
    if "name" in changed:
        if columns["name"]:
            steps.append(reserve_name(install_id, columns["name"], schedule_id))
        if before.get("name"):
            steps.append(
                {"Delete": {"TableName": TABLE, "Key": encode_item(name_key(install_id, before["name"]))}}
            )
    transact(*steps)
    row = {**before, **changed}
    if timer_changed:
        if row["enabled"] and not row.get("suspended"):
            timers.scheduler.update_schedule(**timers.timer_arguments(row, install_id, schedule_id))
        else:
            timers.delete_timer(schedule_id)
        mark_synced(row, install_id, schedule_id)
    return schedule_response(200, row)
