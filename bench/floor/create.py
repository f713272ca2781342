import secrets
from uuid import UUID

import timers
from answers import answering, install_id_of, managed, now, one_schedule, stored
from aws import TABLE, endpoints, install_key, name_key, read, schedule_key, typed
from rules import body_of, checked
from writes import settle, shard, take_name, take_slot, token, transact


def new_id(moment):
    return str(UUID(int=int(moment.timestamp() * 1000) << 80 | secrets.randbits(62), version=4))


@answering
def handler(event):
    install_id, body = install_id_of(event), body_of(event)
    name = body.get("name")
    wanted = name.strip() if isinstance(name, str) else None
    keys = [install_key(install_id)] + ([name_key(install_id, wanted)] if wanted else [])
    found = read(*keys)
    install = managed(found.get("INSTALL"))
    columns = checked(body, None, endpoints(install), f"UNIQUE#{wanted}" in found)
    moment = now()
    schedule_id = new_id(moment)
    row = {
        **schedule_key(install_id, schedule_id),
        **columns,
        "type": "schedule",
        "tenantId": install["tenantId"],
        "createdAt": stored(moment),
        "revision": 1,
        "timerRevision": 1,
        "lastTimerRevision": 1,
        "timerSince": stored(moment),
        "propagatedGeneration": install["generation"],
        "state": "active",
        "changedBy": "host_api",
        "changeToken": token(),
    }
    active = install["enabled"] and not install.get("paused")
    pending = columns["enabled"] and active
    if not active:
        row["suspended"] = True
    if pending:
        row |= {"pendingSince": stored(moment), "pendingShard": shard(schedule_id)}
    put = {"TableName": TABLE, "Item": typed(row), "ConditionExpression": "attribute_not_exists(pk)"}
    steps = [take_slot(install, install_id, moment, 1), {"Put": put}]
    if columns["name"]:
        steps.append(take_name(install_id, columns["name"], schedule_id))
    transact(*steps)
    if pending:
        timers.scheduler.create_schedule(**timers.timer(row, install_id, schedule_id))
        settle(row, install_id, schedule_id)
    return one_schedule(201, row, location=f"/v1/installs/{install_id}/schedules/{schedule_id}")
