"""Errors of the runner: requests that it rejects, and executions without a response of the extension."""

from typing import ClassVar


class RequestRejected(Exception):
    """The request is not executed. The HTTP response has `status` and the text."""

    status: ClassVar[int]


class InvalidJson(RequestRejected):
    """The body is not JSON."""

    status = 400


class Unauthorized(RequestRejected):
    """The service token is missing or wrong."""

    status = 401


class RequestTooLarge(RequestRejected):
    """The body is larger than the runner accepts."""

    status = 413


class InvalidField(RequestRejected):
    """A field is missing or has the wrong type."""

    status = 422


class AtCapacity(RequestRejected):
    """As many executions as allowed are running."""

    status = 503


class RunnerError(Exception):
    """An execution without a response of the extension.

    The HTTP status is 200; `status` and `description` are in the body of the response.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str]

    @property
    def description(self) -> str:
        """The code and, if there is one, the text."""
        return f"{self.code}: {self}" if str(self) else self.code


class MissingRoutingHeaders(RunnerError):
    """The header `x-alga-tenant` or `x-alga-extension` is missing or empty."""

    status = 400
    code = "missing_routing_headers"


class UnknownCapabilities(RunnerError):
    """The request has providers that the runner does not know; the text lists them."""

    status = 400
    code = "unknown_capabilities"


class BundleFetchFailed(RunnerError):
    """The extension folders have no usable component or bundle with the content hash."""

    status = 502
    code = "bundle_fetch_failed"


class EngineInitFailed(RunnerError):
    """The sandbox cannot be prepared for an execution."""

    code = "engine_init_failed"


class ComponentNotLoadable(EngineInitFailed):
    """The compiled component was made by another engine, or for another processor."""


class SecretDecryptFailed(RunnerError):
    """The secret envelope cannot be decoded."""

    code = "secret_decrypt_failed"


class ExecuteFailed(RunnerError):
    """The extension was called without success."""

    code = "execute_failed"


class InvalidComponent(ExecuteFailed):
    """The file is not a component of the world `runner`."""


class ExtensionTrap(ExecuteFailed):
    """The extension trapped."""


class HostCallRefused(ExecuteFailed):
    """The extension called a host function that this runner does not implement."""


class MemoryLimit(ExecuteFailed):
    """The extension exceeded the memory limit."""


class TimeLimit(ExecuteFailed):
    """The extension exceeded the time limit."""


class ResponseTooLarge(ExecuteFailed):
    """The extension's response is larger than the platform accepts."""


def error_by_name(name: str) -> type[RunnerError]:
    """Return the subclass of RunnerError with this name."""
    return _ERRORS[name]


_ERRORS: dict[str, type[RunnerError]] = {
    error.__name__: error
    for error in (
        BundleFetchFailed,
        EngineInitFailed,
        ComponentNotLoadable,
        ExecuteFailed,
        InvalidComponent,
        ExtensionTrap,
        HostCallRefused,
        MemoryLimit,
        TimeLimit,
        ResponseTooLarge,
    )
}
