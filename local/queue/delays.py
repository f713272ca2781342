"""Delays of SQS messages in the local clock's time.

SQS counts a delay in real time. A message that a function of this process sends with a delay is therefore sent without
it, with the time at which it is due by the local clock, until which the consumer holds it. That needs nothing of the
emulator. Functions in containers use the real time, and so do their delays.

Written for botocore 1.44: a session takes its handlers from a list, to which nothing else can add one for the sessions
that the functions create.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.handlers import BUILTIN_HANDLERS

from local.clock import format_instant

if TYPE_CHECKING:
    from local.clock import LocalClock

DUE_AT = "local-due-at"
"""The message attribute with the time at which a delayed message is due."""
MAX_DELAY = timedelta(minutes=15)
"""The longest delay of SQS."""


def delay_by_local_clock(clock: LocalClock) -> None:
    """Let all sessions that this process creates from now on send delayed messages as above."""
    BUILTIN_HANDLERS.append(("before-parameter-build.sqs.SendMessage", _DelayReplacement(clock)))


class _DelayReplacement:
    """Replaces the delay in the parameters of SendMessage."""

    def __init__(self, clock: LocalClock) -> None:
        self._clock = clock

    def __call__(self, params: dict[str, Any], **_: Any) -> None:
        """Change the parameters of a call, which botocore then sends."""
        if delay := params.pop("DelaySeconds", 0):
            due_at = self._clock.now() + timedelta(seconds=delay)
            attribute = {"DataType": "String", "StringValue": format_instant(due_at)}
            params["MessageAttributes"] = {**params.get("MessageAttributes", {}), DUE_AT: attribute}
