import timers
from aws import TABLE, build_update, encode_item, install_key, name_key, read_items, schedule_key
from responses import (
    format_stored_time,
    http_handler,
    json_response,
    parse_install_id,
    parse_schedule_id,
    require_active,
    require_manageable,
    utc_now,
)
from writes import IF_STILL_PENDING, decrement_count, new_token, pending_shard, reserve_write, transact


@http_handler
def handler(event):
    install_id, schedule_id = parse_install_id(event), parse_schedule_id(event)
    key = schedule_key(install_id, schedule_id)
    items = read_items(install_key(install_id), key)
    install = require_manageable(items.get("INSTALL"))
    before = require_active(items.get(key["sk"]))
    moment = utc_now()
    changes = {
        "state": "deleting",
        "changeToken": new_token(),
        "pendingSince": format_stored_time(moment),
        "pendingShard": pending_shard(schedule_id),
    }
    unchanged = "changeToken = :previous AND attribute_not_exists(pendingSince)"
    transact(
        reserve_write(install, install_id, moment, 0),
        {"Update": build_update(key, changes, unchanged, {":previous": before["changeToken"]})},
    )
    timers.delete_timer(schedule_id)
    deletes = [
        decrement_count(install_id),
        {
            "Delete": {
                "TableName": TABLE,
                "Key": encode_item(key),
                "ConditionExpression": IF_STILL_PENDING,
                "ExpressionAttributeValues": encode_item({":token": changes["changeToken"]}),
            }
        },
    ]
    if before.get("name"):
        deletes.append(
            {"Delete": {"TableName": TABLE, "Key": encode_item(name_key(install_id, before["name"]))}}
        )
    transact(*deletes)
    return json_response(204)
