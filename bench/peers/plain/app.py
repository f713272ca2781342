"""boto3 and pydantic without a framework."""

import json

from pydantic import ValidationError
from schedules import NotFound, ScheduleBody, create_schedule, get_schedule, list_schedules


def handler(event, context):
    install_id = event["pathParameters"]["installId"]
    try:
        if event["requestContext"]["http"]["method"] == "POST":
            made = create_schedule(install_id, ScheduleBody.model_validate_json(event["body"]))
            return _answer(201, made.model_dump_json())
        if "scheduleId" in event["pathParameters"]:
            return _answer(
                200, get_schedule(install_id, event["pathParameters"]["scheduleId"]).model_dump_json()
            )
        found = [each.model_dump() for each in list_schedules(install_id)]
        return _answer(200, json.dumps({"schedules": found}))
    except NotFound as error:
        return _answer(404, json.dumps({"error": str(error)}))
    except (ValidationError, ValueError) as error:
        return _answer(400, json.dumps({"error": str(error)}))


def _answer(status, body):
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": body}
