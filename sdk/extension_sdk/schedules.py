"""Schedules, endpoints and results of the SDK."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal

from extension_sdk.errors import REJECTIONS_BY_CODE, ScheduleRejected

# Any value that `json` can read and write.
Json = Any


class Unset(Enum):
    """The type of UNSET."""

    UNSET = "unset"


# In an update: keep this field. (None clears a name or payload.)
UNSET: Final = Unset.UNSET
UnsetType = Literal[Unset.UNSET]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron rule that invokes an endpoint of this install."""

    id: str
    endpoint_path: str
    endpoint_method: str
    cron: str
    timezone: str
    enabled: bool
    name: str | None = None
    payload: Json = None
    last_run_at: str | None = None
    last_run_status: str | None = None
    last_error: str | None = None
    created_at: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint of the installed version."""

    id: str
    method: str
    path: str
    handler: str
    schedulable: bool


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a change: `success`, or `error` and the invalid fields."""

    error: str | None = None
    field_errors: Mapping[str, str] = field(default_factory=dict)
    code: str | None = field(default=None, kw_only=True)
    """The case of the error, where the runner passes on nothing else."""

    @property
    def success(self) -> bool:
        """Whether the scheduler made the change."""
        return self.error is None

    def raise_for_error(self) -> None:
        """Raise an error if the scheduler refused the change.

        Raises:
            ScheduleRejected: With the error and the invalid fields. Where `code` is set, the error is also of the
                class with this code, for example QuotaExceeded.
        """
        if self.error is not None:
            error_type = REJECTIONS_BY_CODE.get(self.code or "", ScheduleRejected)
            raise error_type(self.error, self.field_errors)


@dataclass(frozen=True, slots=True)
class CreateResult(Result):
    """The result of a create, with the `schedule_id` if it succeeded."""

    schedule_id: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateResult(Result):
    """The result of an update."""


@dataclass(frozen=True, slots=True)
class DeleteResult(Result):
    """The result of a delete."""
