"""What `/v1/execute` answers where it has no response of the extension."""


class RunnerError(Exception):
    """An execution that gave no response; the text says why in one line."""

    status = 502
    code = "EXTENSION_TRAP"


class InvalidRequest(RunnerError):
    """The request is not one of the contract's."""

    status = 400
    code = "INVALID_REQUEST"


class Unauthorized(RunnerError):
    """The service token is missing or wrong."""

    status = 401
    code = "UNAUTHORIZED"


class UnknownComponent(RunnerError):
    """No component with the content hash is in the extension folders."""

    status = 404
    code = "COMPONENT_NOT_FOUND"


class InvalidComponent(RunnerError):
    """The file is no component of the world `runner`."""

    code = "INVALID_COMPONENT"


class ExtensionTrap(RunnerError):
    """The extension came to a sudden end."""


class HostCallRefused(RunnerError):
    """The extension called a host function that this runner lacks."""

    code = "HOST_CALL_REFUSED"


class MemoryLimit(RunnerError):
    """The extension needed more memory than it may have."""

    code = "MEMORY_LIMIT"


class TimeLimit(RunnerError):
    """The extension took longer than it may."""

    status = 504
    code = "TIME_LIMIT"


class ResponseTooLarge(RunnerError):
    """The extension's response is larger than the platform accepts."""

    code = "RESPONSE_TOO_LARGE"
