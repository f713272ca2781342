"""Errors of the command line, each with a text for the author."""


class CommandError(Exception):
    """A command cannot do what it was asked to do; the text says why and what to do."""


class BuildFailed(CommandError):
    """The component cannot be built."""


class StackNotFound(CommandError):
    """There is no local stack."""
