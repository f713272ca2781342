"""What each route accepts and returns, by the name of its function. A new route is described here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scheduling.domain import errors
from scheduling.domain.errors import SchedulingError

from scripts.openapi.schemas import Undescribed

Errors = tuple[type[SchedulingError], ...]

_ANY: Errors = (SchedulingError, errors.Unavailable)
_INSTALL: Errors = (*_ANY, errors.InstallNotFound)
_MANAGEABLE: Errors = (*_INSTALL, errors.CapabilityDenied)
_PAGE: Errors = (errors.ValidationFailed, errors.InvalidCursor)
_BODY: Errors = (errors.ValidationFailed, errors.BodyTooLarge, errors.RulesViolated)
_WRITE: Errors = (*_MANAGEABLE, errors.UnconfirmedChange)
_TAKEN: Errors = (
    errors.NameTaken,
    errors.QuotaExceeded,
)  # by an update, where it revives a completed schedule
_CREATE: Errors = (*_WRITE, *_BODY, *_TAKEN, errors.IdempotencyMismatch)
_UPDATE: Errors = (*_WRITE, *_BODY, *_TAKEN, errors.ScheduleNotFound, errors.PreconditionFailed)
_DELETE: Errors = (*_WRITE, errors.ScheduleNotFound, errors.PreconditionFailed)
_EXTENSION: Errors = (errors.RateLimited,)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What a route accepts and returns.

    Attributes:
        id: The name of the operation in generated clients.
        title: What it does, in a few words.
        responses: The schema of the body of each successful response, by status; empty if it has none.
        errors: The errors that it responds with.
        parameters: Its query parameters and headers, by their names in `parameters`.
        body: The schema of its body, if it has one.
        headers: The headers of its successful responses, by their names in `parameters`.
        callback: Whether its failures have the form of the runner's callback.
    """

    id: str
    title: str
    tag: str
    responses: Mapping[int, str | Sequence[str]]
    errors: Errors
    parameters: tuple[str, ...] = ()
    body: str = ""
    headers: tuple[str, ...] = ()
    callback: bool = False


_CALLBACK, _RESOURCES, _INSTALLS, _ADMIN_SCHEDULES, _TENANTS = (
    "Callback",
    "Schedules",
    "Installs",
    "Schedules, as admin",
    "Tenants",
)
TAGS: Mapping[str, str] = {
    _RESOURCES: "What an extension's runner may do with the schedules of its install.",
    _CALLBACK: "The one route of deployed runners, with all operations of an extension.",
    _INSTALLS: "The platform registers, moves, stops and deletes installs.",
    _ADMIN_SCHEDULES: "The platform's admins act on one schedule; the request's signer is the actor in every event.",
    _TENANTS: "The platform's view of a tenant, and its kill switch.",
}
_PAGING = ("limit", "cursor")

OPERATIONS: Mapping[str, Operation] = {
    "callback": Operation(
        id="callCallback",
        title="Perform an operation for an extension",
        tag=_CALLBACK,
        body="CallbackRequest",
        responses={
            200: (
                *("CallbackSchedules", "CallbackSchedule", "CallbackDone", "EndpointList"),
                "CallbackFailure",  # of a broken rule, where CallbackRuleErrorStatus is 200
            ),
            201: "CallbackCreated",
        },
        errors=(
            *(_WRITE + _BODY + _EXTENSION),
            *(errors.NameTaken, errors.QuotaExceeded, errors.ScheduleNotFound, errors.ResponseTooLarge),
        ),
        callback=True,
    ),
    "list": Operation(
        id="listSchedules",
        title="List the install's schedules",
        tag=_RESOURCES,
        parameters=_PAGING,
        responses={200: "SchedulePage"},
        errors=_MANAGEABLE + _PAGE + _EXTENSION,
    ),
    "create": Operation(
        id="createSchedule",
        title="Create a schedule",
        tag=_RESOURCES,
        parameters=("idempotency-key",),
        body="NewSchedule",
        responses={201: "Schedule"},
        headers=("etag", "location"),
        errors=_CREATE + _EXTENSION,
    ),
    "get": Operation(
        id="getSchedule",
        title="Get a schedule",
        tag=_RESOURCES,
        responses={200: "Schedule"},
        headers=("etag",),
        errors=(*_MANAGEABLE, errors.ScheduleNotFound, *_EXTENSION),
    ),
    "update": Operation(
        id="updateSchedule",
        title="Change a schedule",
        tag=_RESOURCES,
        parameters=("if-match",),
        body="ScheduleChanges",
        responses={200: "Schedule"},
        headers=("etag",),
        errors=_UPDATE + _EXTENSION,
    ),
    "delete": Operation(
        id="deleteSchedule",
        title="Delete a schedule",
        tag=_RESOURCES,
        parameters=("if-match",),
        responses={204: ""},
        errors=_DELETE + _EXTENSION,
    ),
    "endpoints": Operation(
        id="listEndpoints",
        title="List what a schedule may invoke",
        tag=_RESOURCES,
        responses={200: "EndpointList"},
        errors=_MANAGEABLE + _EXTENSION,
    ),
    "runs": Operation(
        id="listRuns",
        title="List the runs of a schedule",
        tag=_RESOURCES,
        parameters=_PAGING,
        responses={200: "RunPage"},
        errors=(*_MANAGEABLE, errors.ScheduleNotFound, *_PAGE, *_EXTENSION),
    ),
    "preview": Operation(
        id="previewSchedule",
        title="Preview a schedule",
        tag=_RESOURCES,
        body="NewSchedule",
        responses={200: "Preview"},
        errors=_MANAGEABLE + _BODY + _EXTENSION,
    ),
    "install_put": Operation(
        id="putInstall",
        title="Register an install, change it or move it",
        tag=_INSTALLS,
        parameters=("onMissingEndpoint", "dryRun"),
        body="InstallRegistration",
        responses={200: "InstallPutResult", 201: "InstallPutResult"},
        errors=(
            *(*_ANY, errors.ValidationFailed, errors.BodyTooLarge, errors.InstallNotFound),
            *(errors.InstallConflict, errors.RemapFailed, errors.UnconfirmedChange),
        ),
    ),
    "install_get": Operation(
        id="getInstall",
        title="Get an install",
        tag=_INSTALLS,
        responses={200: "Install"},
        errors=_INSTALL,
    ),
    "install_delete": Operation(
        id="deleteInstall",
        title="Delete an install with all of its schedules",
        tag=_INSTALLS,
        responses={204: ""},
        errors=(*_INSTALL, errors.UnconfirmedChange),
    ),
    "install_disable": Operation(
        id="disableInstall",
        title="Stop the schedules of an install",
        tag=_INSTALLS,
        responses={200: "Install"},
        errors=(*_INSTALL, errors.UnconfirmedChange),
    ),
    "install_enable": Operation(
        id="enableInstall",
        title="Resume the schedules of an install",
        tag=_INSTALLS,
        responses={200: "Install"},
        errors=(*_INSTALL, errors.UnconfirmedChange),
    ),
    "run": Operation(
        id="runSchedule",
        title="Run a schedule now",
        tag=_ADMIN_SCHEDULES,
        parameters=("idempotency-key",),
        responses={202: "ManualRun"},
        errors=(
            *(*_MANAGEABLE, errors.ScheduleNotFound, errors.ValidationFailed),
            *(errors.NotRunnable, errors.RateLimited),
        ),
    ),
    "backfill": Operation(
        id="backfillSchedule",
        title="Catch up on past occurrences",
        tag=_ADMIN_SCHEDULES,
        body="BackfillRequest",
        responses={200: "Backfill", 202: "Backfill"},
        errors=(
            *(*_MANAGEABLE, errors.ScheduleNotFound, errors.ValidationFailed, errors.BodyTooLarge),
            *(errors.NotRunnable, errors.BackfillInProgress),
        ),
    ),
    "admin_create": Operation(
        id="createScheduleAsAdmin",
        title="Create a schedule as an admin",
        tag=_ADMIN_SCHEDULES,
        parameters=("idempotency-key",),
        body="NewSchedule",
        responses={201: "Schedule"},
        headers=("etag", "location"),
        errors=_CREATE,
    ),
    "admin_update": Operation(
        id="updateScheduleAsAdmin",
        title="Change a schedule as an admin",
        tag=_ADMIN_SCHEDULES,
        parameters=("if-match",),
        body="ScheduleChanges",
        responses={200: "Schedule"},
        headers=("etag",),
        errors=_UPDATE,
    ),
    "admin_delete": Operation(
        id="deleteScheduleAsAdmin",
        title="Delete a schedule as an admin",
        tag=_ADMIN_SCHEDULES,
        parameters=("if-match",),
        responses={204: ""},
        errors=_DELETE,
    ),
    "changes": Operation(
        id="listChanges",
        title="List what has changed of an install and its schedules",
        tag=_INSTALLS,
        parameters=("schedule", *_PAGING),
        responses={200: "ChangePage"},
        errors=(*_INSTALL, *_PAGE),
    ),
    "installs": Operation(
        id="listInstalls",
        title="List installs",
        tag=_INSTALLS,
        parameters=("tenant", *_PAGING),
        responses={200: "InstallPage"},
        errors=_ANY + _PAGE,
    ),
    "tenant_schedules": Operation(
        id="listTenantSchedules",
        title="List the schedules of a tenant",
        tag=_TENANTS,
        parameters=_PAGING,
        responses={200: "TenantSchedulePage"},
        errors=_ANY + _PAGE,
    ),
    "tenant_pause": Operation(
        id="pauseTenant",
        title="Pause a tenant",
        tag=_TENANTS,
        responses={200: "TenantPause", 202: "TenantPause"},
        errors=(*_ANY, errors.ValidationFailed, errors.UnconfirmedChange),
    ),
    "tenant_resume": Operation(
        id="resumeTenant",
        title="Resume a tenant",
        tag=_TENANTS,
        responses={200: "TenantPause", 202: "TenantPause"},
        errors=(*_ANY, errors.ValidationFailed, errors.UnconfirmedChange),
    ),
}


def find_operation(name: str, route: str) -> Operation:
    """Return the operation of a function.

    Raises:
        Undescribed: There is none.
    """
    if name not in OPERATIONS:
        raise Undescribed(
            f"the route {route} (function {name}) is not described: add it in scripts/openapi/operations.py"
        )
    return OPERATIONS[name]
