"""Access to the platform: `host.scheduler`, `host.context` and `host.log`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from extension_sdk.schedules import (
    UNSET,
    CreateResult,
    DeleteResult,
    Endpoint,
    Json,
    Schedule,
    UnsetType,
    UpdateResult,
)


@dataclass(frozen=True, slots=True)
class Context:
    """The tenant and install on whose behalf the extension runs."""

    tenant_id: str
    extension_id: str
    install_id: str | None = None
    version_id: str | None = None
    request_id: str | None = None


class Scheduler(Protocol):
    """The install's own schedules. Needs the capability `cap:scheduler.manage`.

    `list`, `get` and `get_endpoints` raise a SchedulerError. The other methods return a result with the error,
    and raise on request only: `create(...).raise_for_error()`.
    """

    def list(self) -> Sequence[Schedule]:
        """Return all schedules, oldest first."""

    def get(self, schedule_id: str) -> Schedule | None:
        """Return a schedule, or None if the install does not have it."""

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

    def delete(self, schedule_id: str) -> DeleteResult:
        """Delete a schedule."""

    def get_endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoints of the installed version, by path then method."""


class Log(Protocol):
    """The extension's log."""

    def info(self, message: str) -> None:
        """Log a message at level info."""

    def warn(self, message: str) -> None:
        """Log a message at level warn."""

    def error(self, message: str) -> None:
        """Log a message at level error."""


class Platform(Protocol):
    """Everything the platform offers, implemented by the WASM host and `extension_sdk.testing.FakeHost`."""

    @property
    def scheduler(self) -> Scheduler:
        """The install's own schedules."""

    @property
    def log(self) -> Log:
        """The extension's log."""

    @property
    def context(self) -> Context:
        """The tenant and install of this request."""


class Host:
    """Delegates to the platform that the extension is connected to."""

    def __init__(self) -> None:
        self._platform: Platform | None = None

    def connect(self, platform: Platform) -> None:
        """Connect to `platform`. A component is connected already; tests pass a FakeHost."""
        self._platform = platform

    @property
    def scheduler(self) -> Scheduler:
        """The install's own schedules."""
        return self._require_platform().scheduler

    @property
    def log(self) -> Log:
        """The extension's log."""
        return self._require_platform().log

    @property
    def context(self) -> Context:
        """The tenant and install of this request."""
        return self._require_platform().context

    def _require_platform(self) -> Platform:
        if self._platform is None:
            raise RuntimeError(
                "no host is connected: outside a component, call host.connect(FakeHost()) first"
            )
        return self._platform


host = Host()
