"""Errors that end the local stack with one clear line instead of a traceback."""


class StackError(Exception):
    """The local stack cannot start or continue; the text says why and what to do."""

    exit_status = 1


class SettingsError(StackError):
    """An environment variable has an invalid value."""

    exit_status = 2
