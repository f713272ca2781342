"""Steps that create, update and delete share: the slot of the rate limit, and marking the row synced."""

import random
import secrets

from aws import TABLE, build_update, dynamodb, encode_item, install_key, name_key, schedule_key
from errors import ApiError

WINDOW_MS = 60_000


def new_token():
    return secrets.token_hex(8)


def pending_shard(schedule_id):
    return f"{sum(schedule_id.encode()) % 16:x}"


def reserve_write(install, install_id, now, growth):
    """Build the update of the install that counts the write and adds `growth` to its schedule count."""
    millis = int(now.timestamp() * 1000)
    if growth > 0 and install["scheduleCount"] >= 50:
        raise ApiError(409, "QUOTA_EXCEEDED", "Too many schedules (max 50 per extension install)")
    free = [slot for slot in map(str, range(10)) if install["writes"].get(slot, 0) <= millis - WINDOW_MS]
    if not free:
        raise ApiError(429, "RATE_LIMITED", "Too many changes")
    names = {"#w": "writes", "#s": random.choice(free), "#q": "writeSequence", "#g": "generation"}
    values = {":now": millis, ":window_start": millis - WINDOW_MS, ":one": 1, ":g": install["generation"]}
    condition = "#g = :g AND (attribute_not_exists(#w.#s) OR #w.#s <= :window_start)"
    additions = "#q :one"
    if growth:
        names["#c"], values[":growth"] = "scheduleCount", growth
        additions += ", #c :growth"
    if growth > 0:
        values[":quota"] = 50
        condition += " AND #c < :quota"
    return {
        "Update": {
            "TableName": TABLE,
            "Key": encode_item(install_key(install_id)),
            "UpdateExpression": f"SET #w.#s = :now ADD {additions}",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": encode_item(values),
        }
    }


def decrement_count(install_id):
    return {
        "Update": {
            "TableName": TABLE,
            "Key": encode_item(install_key(install_id)),
            "UpdateExpression": "ADD scheduleCount :less",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": encode_item({":less": -1}),
        }
    }


def reserve_name(install_id, name, schedule_id):
    row = {**name_key(install_id, name), "type": "name", "scheduleId": schedule_id}
    return {
        "Put": {
            "TableName": TABLE,
            "Item": encode_item(row),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }


def transact(*steps):
    dynamodb.transact_write_items(TransactItems=list(steps), ClientRequestToken=new_token() * 2)


IF_STILL_PENDING = "changeToken = :token AND attribute_exists(pendingSince)"


def mark_synced(row, install_id, schedule_id):
    """Clear the pending mark of the row, since EventBridge matches it."""
    key = schedule_key(install_id, schedule_id)
    changes = {"pendingSince": None, "pendingShard": None}
    dynamodb.update_item(**build_update(key, changes, IF_STILL_PENDING, {":token": row["changeToken"]}))
