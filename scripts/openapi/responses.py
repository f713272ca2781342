"""The schemas of the bodies of successful responses. A new field of a response is described here.

`domain/views` and `api/rendering` make these bodies, and tests compare every response that they see with the schemas.
"""

from scheduling.domain.ids import INSTALL_ID_FORMAT, TENANT_ID_FORMAT
from scheduling.domain.runs import RunStatus, Trigger

from scripts.openapi.backfill import build_backfill_response
from scripts.openapi.schemas import (
    Schema,
    array,
    count,
    flag,
    moment,
    nullable,
    record,
    ref,
    text,
    texts_by_name,
    uuid,
)

_NEXT_CURSOR = nullable(text("The `cursor` of the next page; null on the last one."))
_PAYLOAD: Schema = {
    "type": ["object", "array", "null"],
    "items": {},
    "description": "What the endpoint gets as its body, exactly as it was sent, numbers included.",
}
_NOT_FIRING_REASONS = [
    "disabled",
    "completed",
    "paused",
    "install-disabled",
    "capability-revoked",
    "unreadable",
    "due",
    "never",
]
_UNREADABLE = text("Why the stored row cannot be used; absent if it can.")

_SCHEDULE_FIELDS = {
    "id": uuid("The schedule's id, a UUID of version 1 to 5."),
    "endpointPath": text("The path of the endpoint that is invoked."),
    "endpointMethod": text("Its method.", enum=["GET", "POST"]),
    "name": nullable(text("The name, unique in the install.")),
    "cron": text("The rule: five cron fields, or `at(…)` for a one-time schedule."),
    "timezone": text("The IANA time zone in which the rule is read."),
    "enabled": flag("Whether it is to fire."),
    "lastRunAt": nullable(moment("When the newest run started.")),
    "lastRunStatus": nullable(text("How it ended.", enum=["success", "error"])),
    "lastError": nullable(text("Why it failed.", maxLength=4_000)),
    "lastSuccessAt": nullable(moment("When the newest successful run started.")),
    "consecutiveFailures": count(
        "How many occurrences have failed in a row by the extension's fault, since the last success or since the "
        "schedule was enabled."
    ),
    "createdAt": nullable(moment("When it was created.")),
    "nextFireAt": nullable(moment("The scheduled time of the next occurrence; null if nothing will fire.")),
    "payload": _PAYLOAD,
}
_OPTIONAL_SCHEDULE_FIELDS = {
    "pauseAfterFailures": count(
        "After how many failures in a row it is disabled; absent where it is the stack's.", maximum=1_000
    ),
    "spreadMinutes": count(
        "Within how many minutes after its scheduled time it fires; absent where it is the stack's.",
        maximum=60,
    ),
    "notFiringReason": text(
        "Why nothing will fire; present if `nextFireAt` is null. `due` is a one-time schedule whose occurrence is not "
        "finished.",
        enum=_NOT_FIRING_REASONS,
    ),
    "disabledReason": text("Why the service disabled it; absent unless it did."),
    "pending": flag(
        "True while EventBridge has not confirmed the shown state, which is the desired one.", const=True
    ),
    "unreadable": _UNREADABLE,
}

_CHANGED_FIELDS: Schema = {
    "type": "object",
    "description": "The fields that were changed; all of them of what was created or deleted.",
}

_INSTALL_FIELDS = {
    "installId": text(f"The install's id: {INSTALL_ID_FORMAT}."),
    "tenantId": text(f"Its tenant's id: {TENANT_ID_FORMAT}."),
    "registryId": text("The extension's id in the registry."),
    "versionId": text("The id of the installed version."),
    "extensionName": nullable(
        text("The manifest's name; null if the install was registered by an early release.")
    ),
    "extensionVersion": nullable(text("The manifest's version; likewise.")),
    "contentHash": text("The hash by which runners find the component."),
    "grantedCapabilities": array("The capabilities that its runs have.", {"type": "string"}),
    "enabled": flag("Whether its schedules may fire."),
    "paused": flag("Whether its tenant is paused."),
    "scheduleCount": count("How many schedules it has, of those that count toward the quota."),
}

_CHANGE_FIELDS = {
    "time": moment("When it was written, to the second."),
    "name": text(
        "The name of its event (docs/events.md), or `TimerRepaired`: what the sweep has found of a timer."
    ),
    "installId": _INSTALL_FIELDS["installId"],
    "scheduleId": nullable(uuid("The schedule; null if the install itself was changed.")),
    "actor": text("`host_api` (the extension), `system` (the service), or `admin:` and the principal's ARN."),
    "before": nullable(_CHANGED_FIELDS),
    "after": nullable(_CHANGED_FIELDS),
    "payloadChanged": flag("Whether the schedule's payload was changed; no payload is shown."),
}

_TENANT_SCHEDULE_FIELDS = {
    **_SCHEDULE_FIELDS,
    "installId": _INSTALL_FIELDS["installId"],
    "installEnabled": flag("Whether the install's schedules may fire."),
    "paused": _INSTALL_FIELDS["paused"],
}

_ENDPOINTS = array("The endpoints of the installed version, by path, then method.", ref("Endpoint"))

_INSTALL_WITH_ENDPOINTS = {**_INSTALL_FIELDS, "endpoints": _ENDPOINTS}

_RUN_FIELDS = {
    "scheduledTime": moment("The time of the occurrence; a manual one has milliseconds."),
    "trigger": text("What caused it.", enum=[each.value for each in Trigger]),
    "startedAt": nullable(moment("When the newest attempt started, or the occurrence was recorded.")),
    "durationMs": nullable(count("How long the newest attempt took.")),
    "attempt": count("How many attempts there were."),
    "status": text("How it stands.", enum=[each.value for each in RunStatus]),
    "httpStatus": nullable({"type": "integer", "description": "The extension's status, if it answered."}),
    "error": nullable(text("Why it failed, was skipped or waits.")),
    "requestId": nullable(text("The id of the newest attempt, by which the runner's log names it.")),
}

_DISABLED = record(
    "A schedule that the move disabled.",
    {"scheduleId": uuid("The schedule's id."), "endpoint": text("Its endpoint, as `METHOD /path`.")},
)


def build_response_schemas() -> dict[str, Schema]:
    """Return the schemas by name."""
    return {
        **_schedule_schemas(),
        **_endpoint_schemas(),
        **_preview_schemas(),
        **_run_schemas(),
        **_install_schemas(),
        **_callback_schemas(),
    }


def _schedule_schemas() -> dict[str, Schema]:
    return {
        "Schedule": record("A schedule as its owner sees it.", _SCHEDULE_FIELDS, _OPTIONAL_SCHEDULE_FIELDS),
        "SchedulePage": record(
            "A page of an install's schedules.",
            {"schedules": array("Oldest first.", ref("Schedule")), "nextCursor": _NEXT_CURSOR},
        ),
        "TenantSchedule": record(
            "A schedule with its install.", _TENANT_SCHEDULE_FIELDS, _OPTIONAL_SCHEDULE_FIELDS
        ),
        "TenantSchedulePage": record(
            "A page of a tenant's schedules. It may have fewer than `limit` although more follow.",
            {
                "schedules": array("Install by install, each oldest first.", ref("TenantSchedule")),
                "nextCursor": _NEXT_CURSOR,
            },
        ),
    }


def _endpoint_schemas() -> dict[str, Schema]:
    return {
        "Endpoint": record(
            "An endpoint of the installed version.",
            {
                "id": uuid("The same in all versions of the extension."),
                "method": text("GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS."),
                "path": text("The path, with one leading slash."),
                "handler": text("The name of the extension's handler."),
                "schedulable": flag(
                    "Whether a schedule may invoke it: GET or POST, without path parameters."
                ),
            },
        ),
        "EndpointList": record("The endpoints of an install.", {"endpoints": _ENDPOINTS}),
    }


def _preview_schemas() -> dict[str, Schema]:
    local_time = text("The time on the wall clock of the schedule's zone.")
    return {
        "FireTime": record(
            "A time at which the schedule would fire.",
            {"local": local_time, "utc": moment("The same time in UTC.")},
            {
                "repeated": flag(
                    "True if the clock shows the local time twice; the first one counts.", const=True
                )
            },
        ),
        "SkippedTime": record(
            "A local time that does not exist.",
            {"local": local_time, "reason": text("Why it does not exist.")},
        ),
        "Preview": record(
            "What a create with the same body would result in. What depends on an invalid field is null or empty.",
            {
                "valid": flag("Whether a create would succeed."),
                "error": nullable(text("The text of the refusal.")),
                "fieldErrors": texts_by_name("Every broken rule, by field."),
                "expression": nullable(text("The rule in EventBridge's form.")),
                "description": nullable(text("The rule in plain English.")),
                "timezone": nullable(text("The canonical name of the time zone.")),
                "endpoint": nullable(text("The endpoint, as `METHOD /path`.")),
                "smallestGapMinutes": nullable(
                    count("The smallest number of minutes between two fires; null for a one-time rule.")
                ),
                "spreadMinutes": nullable(
                    count(
                        "Within how many minutes after each time it fires: its own, or the stack's.",
                        maximum=60,
                    )
                ),
                "fires": array("The next ten fires.", ref("FireTime"), maxItems=10),
                "skipped": array("Local times until the last of them that do not exist.", ref("SkippedTime")),
            },
        ),
    }


def _run_schemas() -> dict[str, Schema]:
    return {
        "Run": record("One occurrence in the history of a schedule.", _RUN_FIELDS),
        "RunPage": record(
            "A page of a schedule's history.",
            {"runs": array("Newest first.", ref("Run")), "nextCursor": _NEXT_CURSOR},
        ),
        "Backfill": build_backfill_response(),
        "ManualRun": record(
            "A manual run that was started.",
            {
                "scheduleId": uuid("The schedule's id."),
                "scheduledTime": moment("The time by which the history names the run."),
            },
        ),
    }


def _install_schemas() -> dict[str, Schema]:
    unreadable = {"unreadable": _UNREADABLE}
    put_result = {
        **_INSTALL_WITH_ENDPOINTS,
        "changed": flag("Whether the request changed anything."),
        "disabled": array("The schedules whose endpoint the new version lacks.", _DISABLED),
        "dryRun": flag("Whether nothing was changed because the request is a dry run."),
        "ignoredCapabilities": array("Capabilities that the service does not know.", {"type": "string"}),
    }
    return {
        "InstallSummary": record("An install.", _INSTALL_FIELDS, unreadable),
        "InstallPage": record(
            "A page of installs.",
            {"installs": array("By id.", ref("InstallSummary")), "nextCursor": _NEXT_CURSOR},
        ),
        "Install": record("An install with its endpoints.", _INSTALL_WITH_ENDPOINTS, unreadable),
        "InstallPutResult": record("An install after it was put.", put_result, unreadable),
        "Change": record("A change of an install or of one of its schedules.", _CHANGE_FIELDS),
        "ChangePage": record(
            "A page of changes of the last 30 days.",
            {"changes": array("Newest first.", ref("Change")), "nextCursor": _NEXT_CURSOR},
        ),
        "TenantPause": record(
            "A tenant after it was paused or resumed.",
            {
                "tenantId": _INSTALL_FIELDS["tenantId"],
                "paused": flag("Whether it is paused."),
                "installs": count("How many installs it has."),
                "complete": flag(
                    "Whether the change has reached every install; repeat the request until it has."
                ),
            },
        ),
    }


def _callback_schemas() -> dict[str, Schema]:
    success = {"success": flag("Always true.", const=True)}
    return {
        "CallbackSchedules": record("Of `list`.", {"schedules": array("Oldest first.", ref("Schedule"))}),
        "CallbackSchedule": record(
            "Of `get`; null if the install has no such schedule.", {"schedule": nullable(ref("Schedule"))}
        ),
        "CallbackCreated": record("Of `create`.", {**success, "scheduleId": uuid("The new schedule's id.")}),
        "CallbackDone": record("Of `update` and `delete`.", success),
    }
