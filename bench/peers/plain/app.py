"""boto3 and pydantic without a framework."""

import json

from pydantic import ValidationError
from schedules import NotFound, ScheduleBody, create_schedule, get_schedule, list_schedules


def handler(event, context):
    install_id = event["pathParameters"]["installId"]
    try:
        if event["requestContext"]["http"]["method"] == "POST":
            schedule = create_schedule(install_id, ScheduleBody.model_validate_json(event["body"]))
            return _response(201, schedule.model_dump_json())
        if "scheduleId" in event["pathParameters"]:
            return _response(
                200, get_schedule(install_id, event["pathParameters"]["scheduleId"]).model_dump_json()
            )
        schedules = [each.model_dump() for each in list_schedules(install_id)]
        return _response(200, json.dumps({"schedules": schedules}))
    except NotFound as error:
        return _response(404, json.dumps({"error": str(error)}))
    except (ValidationError, ValueError) as error:
        return _response(400, json.dumps({"error": str(error)}))


def _response(status, body):
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": body}
