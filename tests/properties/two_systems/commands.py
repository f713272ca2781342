"""The commands of `test_two_systems`, and the results that their callers receive."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from scheduling.domain.errors import (
    CapabilityDenied,
    InstallNotFound,
    NotRunnable,
    RemapFailed,
    ScheduleNotFound,
    SchedulingError,
    UnconfirmedChange,
    ValidationFailed,
)
from scheduling.domain.ids import InstallId, ScheduleId

from tests.support.aws.calls import Killed
from tests.support.faults.interleaving import CallResult
from tests.support.oracles.reference_model import ModelStep, ReferenceModel, ReportedResult

INSTALLS = (InstallId("install-0"), InstallId("install-1"))
ENDPOINTS = ("POST /api/sync", "GET /api/both")
WITHOUT_FIRST, WITHOUT_SECOND = 4, 5
"""Versions that lack one of the endpoints; all others have both."""
Act = Callable[[], object]
Interpreter = Callable[[CallResult], ModelStep | None]


@dataclass(frozen=True)
class Create:
    """Create a schedule; with a key, the request is one of two, so that requests repeat."""

    install: int
    key: str | None
    body: int
    name: str | None
    minute: int
    enabled: bool
    endpoint: int = 0


@dataclass(frozen=True)
class Update:
    """Update one of the newest schedules; None and `keep` leave a field out."""

    target: int
    minute: int | None
    enabled: bool | None
    name: str | None
    payload: bool
    endpoint: int | None = None


@dataclass(frozen=True)
class Delete:
    """Delete one of the newest schedules; if `foreign`, as the other install."""

    target: int
    foreign: bool


@dataclass(frozen=True)
class Register:
    """Register or change the install; every version has its own manifest."""

    install: int
    enabled: bool
    granted: bool
    version: int
    disable_missing: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class SetInstallEnabled:
    """Enable or disable the install."""

    install: int
    enabled: bool


@dataclass(frozen=True)
class Uninstall:
    """Delete the install with every schedule."""

    install: int


@dataclass(frozen=True)
class SetTenantPaused:
    """Pause or resume the tenant of both installs."""

    paused: bool


@dataclass(frozen=True)
class RunNow:
    """Run one of the newest schedules now."""

    target: int
    key: str | None


@dataclass(frozen=True)
class Deliver:
    """Deliver an occurrence: of the current timer, of an earlier one, of no schedule, or of the newest manual run."""

    target: int
    time: str
    which: Literal["current", "stale", "unknown", "manual"]
    outcome: str


@dataclass(frozen=True)
class DeliverMessage:
    """Deliver one of the newest messages of the queue; if `repeated`, it is delivered another time later."""

    number: int
    outcome: str
    repeated: bool = False


@dataclass(frozen=True)
class Redrive:
    """Redrive and deliver one of the newest dead letters; if not `marked`, a message that SQS has moved itself."""

    number: int
    outcome: str
    marked: bool


@dataclass(frozen=True)
class Reconcile:
    """Run the reconciler once."""


ScheduleCommand = Update | Delete | RunNow
Change = Create | ScheduleCommand | Register | SetInstallEnabled | Uninstall | SetTenantPaused
Delivering = Deliver | DeliverMessage | Redrive
Command = Change | Delivering | Reconcile


_RESULT_BY_ERROR: Mapping[type[BaseException], ReportedResult] = {
    Killed: "open",
    UnconfirmedChange: "open",
    InstallNotFound: "no install",
    CapabilityDenied: "denied",
    ScheduleNotFound: "no schedule",
    RemapFailed: "missing",
    NotRunnable: "not runnable",
}


def reported_result(result: CallResult) -> ReportedResult:
    """Return what the caller learns; raise an error that no caller should receive."""
    error = result.error
    if error is None or "install is being deleted" in str(error):
        return "done"
    if isinstance(error, ValidationFailed) and "endpoint" in error.field_errors:
        return "no endpoint"
    if type(error) in _RESULT_BY_ERROR:
        return _RESULT_BY_ERROR[type(error)]
    if isinstance(error, SchedulingError):
        return "refused"
    raise error


def find_target(model: ReferenceModel, number: int) -> tuple[int, str, ScheduleId] | None:
    """Return one of the schedules reported as created, the newest first."""
    if not model.schedules:
        return None
    install, entity, schedule_id = model.schedules[-1 - number % len(model.schedules)]
    return install, entity, ScheduleId(schedule_id)
