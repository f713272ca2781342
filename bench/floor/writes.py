"""What create, update and delete have in common: the slot of the window, and the settling of the row."""

import random
import secrets

from answers import Refused
from aws import TABLE, dynamodb, install_key, name_key, schedule_key, typed, update

WINDOW_MS = 60_000


def token():
    return secrets.token_hex(8)


def shard(schedule_id):
    return f"{sum(schedule_id.encode()) % 16:x}"


def take_slot(install, install_id, now, growth):
    """The update of the install that counts the write, and, by `growth`, the schedule."""
    millis = int(now.timestamp() * 1000)
    if growth > 0 and install["scheduleCount"] >= 50:
        raise Refused(409, "QUOTA_EXCEEDED", "Too many schedules (max 50 per extension install)")
    free = [slot for slot in map(str, range(10)) if install["writes"].get(slot, 0) <= millis - WINDOW_MS]
    if not free:
        raise Refused(429, "RATE_LIMITED", "Too many changes")
    names = {"#w": "writes", "#s": random.choice(free), "#q": "sequence", "#g": "generation"}
    values = {":now": millis, ":old": millis - WINDOW_MS, ":one": 1, ":g": install["generation"]}
    condition = "#g = :g AND (attribute_not_exists(#w.#s) OR #w.#s <= :old)"
    added = "#q :one"
    if growth:
        names["#c"], values[":growth"] = "scheduleCount", growth
        added += ", #c :growth"
    if growth > 0:
        values[":most"] = 50
        condition += " AND #c < :most"
    return {
        "Update": {
            "TableName": TABLE,
            "Key": typed(install_key(install_id)),
            "UpdateExpression": f"SET #w.#s = :now ADD {added}",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": typed(values),
        }
    }


def count_one_less(install_id):
    return {
        "Update": {
            "TableName": TABLE,
            "Key": typed(install_key(install_id)),
            "UpdateExpression": "ADD scheduleCount :less",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": typed({":less": -1}),
        }
    }


def take_name(install_id, name, schedule_id):
    row = {**name_key(install_id, name), "type": "name", "scheduleId": schedule_id}
    return {
        "Put": {"TableName": TABLE, "Item": typed(row), "ConditionExpression": "attribute_not_exists(pk)"}
    }


def transact(*steps):
    dynamodb.transact_write_items(TransactItems=list(steps), ClientRequestToken=token() * 2)


AS_WRITTEN = "changeToken = :token AND attribute_exists(pendingSince)"


def settle(row, install_id, schedule_id):
    """EventBridge matches: the row is no longer pending."""
    key = schedule_key(install_id, schedule_id)
    done = {"pendingSince": None, "pendingShard": None}
    dynamodb.update_item(**update(key, done, AS_WRITTEN, {":token": row["changeToken"]}))
