import timers
from answers import answer, answering, install_id_of, managed, now, schedule_id_of, stored, visible
from aws import TABLE, install_key, name_key, read, schedule_key, typed, update
from writes import AS_WRITTEN, count_one_less, shard, take_slot, token, transact


@answering
def handler(event):
    install_id, schedule_id = install_id_of(event), schedule_id_of(event)
    key = schedule_key(install_id, schedule_id)
    found = read(install_key(install_id), key)
    install = managed(found.get("INSTALL"))
    before = visible(found.get(key["sk"]))
    moment = now()
    mark = {
        "state": "deleting",
        "changeToken": token(),
        "pendingSince": stored(moment),
        "pendingShard": shard(schedule_id),
    }
    unchanged = "changeToken = :seen AND attribute_not_exists(pendingSince)"
    transact(
        take_slot(install, install_id, moment, 0),
        {"Update": update(key, mark, unchanged, {":seen": before["changeToken"]})},
    )
    timers.remove(schedule_id)
    gone = [
        count_one_less(install_id),
        {
            "Delete": {
                "TableName": TABLE,
                "Key": typed(key),
                "ConditionExpression": AS_WRITTEN,
                "ExpressionAttributeValues": typed({":token": mark["changeToken"]}),
            }
        },
    ]
    if before.get("name"):
        gone.append({"Delete": {"TableName": TABLE, "Key": typed(name_key(install_id, before["name"]))}})
    transact(*gone)
    return answer(204)
