"""What a command may end with."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit status of a command."""

    OK = 0
    WRONG = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    AWS = 5


MEANINGS = {
    Exit.OK: "done, and all is well",
    Exit.WRONG: "something is wrong with what was looked at, or not everything could be done",
    Exit.USAGE: "the command was not understood, or lacks what it needs",
    Exit.NOT_FOUND: "no such stack, install or schedule",
    Exit.REFUSED: "the service refuses it, or you did when you were asked",
    Exit.AWS: "AWS does not answer, or does not let you",
}


class AdminError(Exception):
    """Ends the command; the text is for the operator and says what to do."""

    def __init__(self, text: str, ends_with: Exit) -> None:
        super().__init__(text)
        self.ends_with = ends_with
