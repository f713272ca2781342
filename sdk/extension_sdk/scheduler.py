"""The scheduler's functions, as an extension calls them."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from extension_sdk._boundary import check_text
from extension_sdk._inputs import build_create_input, build_update_input
from extension_sdk.schedules import (
    UNSET,
    CreateResult,
    DeleteResult,
    Endpoint,
    Json,
    Result,
    Schedule,
    UnsetType,
    UpdateResult,
)
from extension_sdk.sync import Change, DesiredSchedule, SyncReport, plan_changes


class Scheduler(ABC):
    """The install's own schedules. Needs the capability `cap:scheduler.manage`.

    `list`, `get` and `get_endpoints` raise a SchedulerError. The other methods return a result with the error,
    and raise it on request only: `create(...).raise_for_error()`. An argument of the wrong type, or that no JSON or
    Unicode text can express, is a TypeError or ValueError.
    """

    def list(self) -> Sequence[Schedule]:
        """Return all schedules, oldest first."""
        return self._list_schedules()

    def get(self, schedule_id: str) -> Schedule | None:
        """Return a schedule, or None if the install does not have it."""
        return self._get_schedule(check_text("schedule_id", schedule_id))

    def create(
        self,
        endpoint: str,
        cron: str,
        *,
        timezone: str | None = None,
        enabled: bool | None = None,
        name: str | None = None,
        payload: Json = None,
    ) -> CreateResult:
        """Create a schedule that invokes `endpoint` ("/path" or "METHOD /path") at the times of `cron`."""
        fields = {
            "endpoint": endpoint,
            "cron": cron,
            "timezone": timezone,
            "enabled": enabled,
            "name": name,
            "payload": payload,
        }
        return self._create_schedule(build_create_input(fields))

    def update(
        self,
        schedule_id: str,
        *,
        endpoint: str | UnsetType = UNSET,
        cron: str | UnsetType = UNSET,
        timezone: str | UnsetType = UNSET,
        enabled: bool | UnsetType = UNSET,
        name: str | UnsetType | None = UNSET,
        payload: Json | UnsetType = UNSET,
    ) -> UpdateResult:
        """Update the fields that are set. None clears `name` or `payload`."""
        fields = {
            "endpoint": endpoint,
            "cron": cron,
            "timezone": timezone,
            "enabled": enabled,
            "name": name,
            "payload": payload,
        }
        return self._update_schedule(check_text("schedule_id", schedule_id), build_update_input(fields))

    def delete(self, schedule_id: str) -> DeleteResult:
        """Delete a schedule."""
        return self._delete_schedule(check_text("schedule_id", schedule_id))

    def get_endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoints of the installed version, by path then method."""
        return self._get_endpoints()

    def sync(
        self, schedules: Iterable[DesiredSchedule], *, prune: bool = False, dry_run: bool = False
    ) -> SyncReport:
        """Create and update schedules until the install has the declared ones; each is known by its name.

        It changes only what differs, stops at the limit of changes per minute, and can be called again at any time.

        Args:
            schedules: The declared schedules.
            prune: Also delete schedules with a name that is not declared. Those without a name are left alone.
            dry_run: Only report what would change.

        Raises:
            ValueError: A name is empty or declared twice, or a payload is not JSON.
            SchedulerError: The schedules cannot be listed.
        """
        desired = list(schedules)
        needs_endpoints = any(" " not in each.endpoint.strip() for each in desired)
        endpoints = self.get_endpoints() if needs_endpoints else ()
        changes = plan_changes(desired, self.list(), endpoints, prune=prune)
        report = SyncReport([each.name.strip() for each in desired])
        for change in changes:
            report.add(change, None if dry_run or report.remaining else self._apply(change))
        return report

    def _apply(self, change: Change) -> Result:
        if change.action == "create":
            return self.create(**change.fields)
        if change.schedule_id is None:
            raise ValueError(f"no id for {change.action}")
        if change.action == "delete":
            return self.delete(change.schedule_id)
        return self.update(change.schedule_id, **change.fields)

    # The host interface: its inputs are checked, and have all fields of the record.

    @abstractmethod
    def _list_schedules(self) -> Sequence[Schedule]: ...

    @abstractmethod
    def _get_schedule(self, schedule_id: str) -> Schedule | None: ...

    @abstractmethod
    def _create_schedule(self, schedule_input: Mapping[str, Any]) -> CreateResult: ...

    @abstractmethod
    def _update_schedule(self, schedule_id: str, schedule_input: Mapping[str, Any]) -> UpdateResult: ...

    @abstractmethod
    def _delete_schedule(self, schedule_id: str) -> DeleteResult: ...

    @abstractmethod
    def _get_endpoints(self) -> Sequence[Endpoint]: ...
