"""The errors that `/v1/execute` returns when there is no response of the extension."""


class RunnerError(Exception):
    """An execution without a response of the extension; the text says why in one line."""

    status = 502
    code = "EXTENSION_TRAP"


class InvalidRequest(RunnerError):
    """The request does not match the contract."""

    status = 400
    code = "INVALID_REQUEST"


class Unauthorized(RunnerError):
    """The service token is missing or wrong."""

    status = 401
    code = "UNAUTHORIZED"


class UnknownComponent(RunnerError):
    """The extension folders have no component with the content hash."""

    status = 404
    code = "COMPONENT_NOT_FOUND"


class InvalidComponent(RunnerError):
    """The file is not a component of the world `runner`."""

    code = "INVALID_COMPONENT"


class ExtensionTrap(RunnerError):
    """The extension trapped."""


class HostCallRefused(RunnerError):
    """The extension called a host function that this runner does not implement."""

    code = "HOST_CALL_REFUSED"


class MemoryLimit(RunnerError):
    """The extension exceeded the memory limit."""

    code = "MEMORY_LIMIT"


class TimeLimit(RunnerError):
    """The extension exceeded the time limit."""

    status = 504
    code = "TIME_LIMIT"


class ResponseTooLarge(RunnerError):
    """The extension's response is larger than the platform accepts."""

    code = "RESPONSE_TOO_LARGE"
