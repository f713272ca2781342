import base64

from aws import TABLE, decode_item, dynamodb, encode_item
from responses import (
    dump_json,
    http_handler,
    json_response,
    parse_install_id,
    require_manageable,
    schedule_json,
)


@http_handler
def handler(event):
    install_id = parse_install_id(event)
    limit = int((event.get("queryStringParameters") or {}).get("limit", 50))
    page = dynamodb.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :0 AND sk BETWEEN :1 AND :2",
        ExpressionAttributeValues=encode_item(
            {":0": f"INSTALL#{install_id}", ":1": "INSTALL", ":2": "SCHEDULE~"}
        ),
        ConsistentRead=True,
        Limit=1 + 2 * (limit + 1),
    )
    rows = [decode_item(item) for item in page["Items"]]
    require_manageable(rows[0] if rows and rows[0]["sk"] == "INSTALL" else None)
    schedules = [row for row in rows[1:] if row.get("state") == "active"]
    cursor = None
    if len(schedules) > limit:
        schedules = schedules[:limit]
        last = schedules[-1]["sk"].removeprefix("SCHEDULE#")
        cursor = base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")
    schedules_json = ",".join(map(schedule_json, schedules))
    return json_response(200, f'{{"schedules":[{schedules_json}],"nextCursor":{dump_json(cursor)}}}')
