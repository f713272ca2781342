"""The platform as the extension reaches it: `host.scheduler`, `host.context` and `host.log`."""

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
    """On whose behalf the extension runs."""

    tenant_id: str
    extension_id: str
    install_id: str | None = None
    version_id: str | None = None
    request_id: str | None = None


class Scheduler(Protocol):
    """The install's own schedules. Needs the capability `cap:scheduler.manage`.

    `list`, `get` and `get_endpoints` raise a SchedulerError; the others return a result that says what was
    wrong, and raise only when asked to: `create(...).raise_for_error()`.
    """

    def list(self) -> Sequence[Schedule]:
        """All schedules, oldest first."""

    def get(self, schedule_id: str) -> Schedule | None:
        """One schedule, or None where the install has no such one."""

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
        """Invoke `endpoint` ("/path" or "METHOD /path") whenever `cron` says."""

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
        """Change what is given. None clears `name` or `payload`."""

    def delete(self, schedule_id: str) -> DeleteResult:
        """Delete a schedule."""

    def get_endpoints(self) -> Sequence[Endpoint]:
        """The endpoints of the installed version, by path then method."""


class Log(Protocol):
    """The extension's log."""

    def info(self, message: str) -> None:
        """Log what is worth knowing."""

    def warn(self, message: str) -> None:
        """Log what somebody should look at."""

    def error(self, message: str) -> None:
        """Log what went wrong."""


class Platform(Protocol):
    """All the platform offers. The WASM host is one, `extension_sdk.testing.FakeHost` another."""

    @property
    def scheduler(self) -> Scheduler:
        """The install's own schedules."""

    @property
    def log(self) -> Log:
        """The extension's log."""

    @property
    def context(self) -> Context:
        """On whose behalf this request is."""


class Host:
    """The platform that the extension is connected to."""

    def __init__(self) -> None:
        self._platform: Platform | None = None

    def connect(self, platform: Platform) -> None:
        """Use `platform` from now on. In a component this is done for you; tests pass a FakeHost."""
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
        """On whose behalf this request is."""
        return self._require_platform().context

    def _require_platform(self) -> Platform:
        if self._platform is None:
            raise RuntimeError("no host: outside a component, call host.connect(FakeHost()) first")
        return self._platform


host = Host()
