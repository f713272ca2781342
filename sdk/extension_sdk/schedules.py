"""Schedules and endpoints as the extension sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal

from extension_sdk.errors import ScheduleRejected

# What `json` makes and takes.
Json = Any


class Unset(Enum):
    """The type of UNSET."""

    UNSET = "unset"


# In an update: leave this field as it is. (None clears a name or payload.)
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
    """How a change went: `success`, or `error` and the fields that are to blame."""

    error: str | None = None
    field_errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def success(self) -> bool:
        """Whether it was done."""
        return self.error is None

    def raise_for_error(self) -> None:
        """Raise ScheduleRejected unless it was done."""
        if self.error is not None:
            raise ScheduleRejected(self.error, self.field_errors)


@dataclass(frozen=True, slots=True)
class CreateResult(Result):
    """How a create went; `schedule_id` where it was done."""

    schedule_id: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateResult(Result):
    """How an update went."""


@dataclass(frozen=True, slots=True)
class DeleteResult(Result):
    """How a delete went."""
