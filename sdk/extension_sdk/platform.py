"""Access to the platform: `host.scheduler`, `host.context` and `host.log`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from extension_sdk._boundary import check_text
from extension_sdk.scheduler import Scheduler


@dataclass(frozen=True, slots=True)
class Context:
    """The tenant and install on whose behalf the extension runs."""

    tenant_id: str
    extension_id: str
    install_id: str | None = None
    version_id: str | None = None
    request_id: str | None = None


class Log(ABC):
    """The extension's log. A message must be a str without lone surrogates."""

    def info(self, message: str) -> None:
        """Log a message at level info."""
        self._log_info(check_text("message", message))

    def warn(self, message: str) -> None:
        """Log a message at level warn."""
        self._log_warn(check_text("message", message))

    def error(self, message: str) -> None:
        """Log a message at level error."""
        self._log_error(check_text("message", message))

    @abstractmethod
    def _log_info(self, message: str) -> None: ...

    @abstractmethod
    def _log_warn(self, message: str) -> None: ...

    @abstractmethod
    def _log_error(self, message: str) -> None: ...


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
