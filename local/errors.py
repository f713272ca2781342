"""What ends the local stack with one clear line instead of a traceback."""


class StackError(Exception):
    """The local stack cannot start or go on; the text says why and what to do."""

    exit_status = 1


class SettingsError(StackError):
    """A variable of the environment has a value that makes no sense."""

    exit_status = 2
