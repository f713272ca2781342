import timers
from answers import answering, install_id_of, managed, now, one_schedule, schedule_id_of, stored, visible
from aws import TABLE, endpoints, install_key, name_key, read, schedule_key, typed, update
from rules import body_of, checked
from writes import settle, shard, take_name, take_slot, token, transact

_DEFINED = ("endpointMethod", "endpointPath", "cron", "timezone", "enabled", "name", "payload")


@answering
def handler(event):
    install_id, schedule_id, body = install_id_of(event), schedule_id_of(event), body_of(event)
    name = body.get("name")
    wanted = name.strip() if isinstance(name, str) else None
    key = schedule_key(install_id, schedule_id)
    found = read(install_key(install_id), key, *([name_key(install_id, wanted)] if wanted else []))
    install = managed(found.get("INSTALL"))
    before = visible(found.get(key["sk"]))
    owner = found.get(f"UNIQUE#{wanted}", {}).get("scheduleId", schedule_id)
    current = {column: before.get(column) for column in _DEFINED}
    columns = checked(body, current, endpoints(install), owner != schedule_id)
    moment = now()
    changed = {column: value for column, value in columns.items() if value != current[column]}
    changed |= {"revision": before["revision"] + 1, "changeToken": token()}
    moved = any(column in changed for column in ("cron", "timezone", "enabled"))
    if moved:
        number = before["lastTimerRevision"] + 1
        changed |= {"timerRevision": number, "lastTimerRevision": number, "timerSince": stored(moment)}
        changed |= {"pendingSince": stored(moment), "pendingShard": shard(schedule_id)}
    unchanged = "changeToken = :seen AND attribute_not_exists(pendingSince)"
    steps = [
        take_slot(install, install_id, moment, 0),
        {"Update": update(key, changed, unchanged, {":seen": before["changeToken"]})},
    ]
    if "name" in changed:
        if columns["name"]:
            steps.append(take_name(install_id, columns["name"], schedule_id))
        if before.get("name"):
            steps.append({"Delete": {"TableName": TABLE, "Key": typed(name_key(install_id, before["name"]))}})
    transact(*steps)
    row = {**before, **changed}
    if moved:
        if row["enabled"] and not row.get("suspended"):
            timers.scheduler.update_schedule(**timers.timer(row, install_id, schedule_id))
        else:
            timers.remove(schedule_id)
        settle(row, install_id, schedule_id)
    return one_schedule(200, row)
