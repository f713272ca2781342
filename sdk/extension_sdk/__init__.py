"""The SDK for extensions in Python: `Extension` routes requests to functions, `host` is the platform."""

from extension_sdk.errors import (
    BadRequest,
    Denied,
    NotFound,
    QuotaExceeded,
    ScheduleRejected,
    SchedulerError,
    SchedulerInternalError,
    ValidationFailed,
)
from extension_sdk.extension import Extension
from extension_sdk.http import Occurrence, Request, Response
from extension_sdk.platform import Context, host
from extension_sdk.schedules import UNSET, CreateResult, DeleteResult, Endpoint, Schedule, UpdateResult
from extension_sdk.sync import DesiredSchedule, SyncReport

WIT_VERSION = "1.0.0"
"""The version of the platform's interface, `alga:extension`."""

__all__ = [
    "UNSET",
    "WIT_VERSION",
    "BadRequest",
    "Context",
    "CreateResult",
    "DeleteResult",
    "Denied",
    "DesiredSchedule",
    "Endpoint",
    "Extension",
    "NotFound",
    "Occurrence",
    "QuotaExceeded",
    "Request",
    "Response",
    "Schedule",
    "ScheduleRejected",
    "SchedulerError",
    "SchedulerInternalError",
    "SyncReport",
    "UpdateResult",
    "ValidationFailed",
    "host",
]
