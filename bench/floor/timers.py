import json
import os

from aws import CONFIG, session
from rules import parse_cron

scheduler = session.create_client("scheduler", config=CONFIG)
_GROUP = os.environ["SCHEDULE_GROUP_NAME"]
_DAYS = "SUN MON TUE WED THU FRI SAT".split()


def timer_arguments(row, install_id, schedule_id):
    """Build the arguments of CreateSchedule and UpdateSchedule."""
    return {
        "GroupName": _GROUP,
        "Name": schedule_id,
        "Description": "trigger=host_api",
        "State": "ENABLED",
        "ScheduleExpression": _cron_expression(row["cron"]),
        "ScheduleExpressionTimezone": row["timezone"],
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": os.environ["TIMER_TARGET_ARN"],
            "RoleArn": os.environ["TIMER_ROLE_ARN"],
            "Input": json.dumps(
                {
                    "QueueUrl": os.environ["OCCURRENCE_QUEUE_URL"],
                    "MessageBody": json.dumps(
                        {
                            "installId": install_id,
                            "scheduleId": schedule_id,
                            "revision": row["timerRevision"],
                            "scheduledTime": "<aws.scheduler.scheduled-time>",
                            "attempt": "<aws.scheduler.attempt-number>",
                        }
                    ),
                    "MessageGroupId": row["tenantId"],
                }
            ),
            "DeadLetterConfig": {"Arn": os.environ["TIMER_DLQ_ARN"]},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 20},
        },
    }


def delete_timer(schedule_id):
    scheduler.delete_schedule(GroupName=_GROUP, Name=schedule_id)


def _cron_expression(cron):
    minutes, hours, days, months, weekdays = parse_cron(cron)
    fields = [
        _cron_field(minutes, 60),
        _cron_field(hours, 24),
        _cron_field(days, 31),
        _cron_field(months, 12),
    ]
    if len(weekdays) == 7:
        return f"cron({' '.join(fields)} ? *)"
    fields[2] = "?"
    return f"cron({' '.join(fields)} {','.join(_DAYS[day] for day in weekdays)} *)"


def _cron_field(values, size):
    return "*" if len(values) == size else ",".join(map(str, values))
