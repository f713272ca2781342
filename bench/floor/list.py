import base64

from answers import answer, answering, compact, install_id_of, managed, schedule_json
from aws import TABLE, dynamodb, plain, typed


@answering
def handler(event):
    install_id = install_id_of(event)
    limit = int((event.get("queryStringParameters") or {}).get("limit", 50))
    found = dynamodb.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :0 AND sk BETWEEN :1 AND :2",
        ExpressionAttributeValues=typed({":0": f"INSTALL#{install_id}", ":1": "INSTALL", ":2": "SCHEDULE~"}),
        ConsistentRead=True,
        Limit=limit + 2,
    )
    rows = [plain(item) for item in found["Items"]]
    managed(rows[0] if rows and rows[0]["sk"] == "INSTALL" else None)
    schedules = [row for row in rows[1:] if row["state"] == "active"]
    cursor = None
    if len(schedules) > limit:
        schedules = schedules[:limit]
        last = schedules[-1]["sk"].removeprefix("SCHEDULE#")
        cursor = base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")
    listed = ",".join(map(schedule_json, schedules))
    return answer(200, f'{{"schedules":[{listed}],"nextCursor":{compact(cursor)}}}')
