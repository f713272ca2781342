"""Accidents of a process: its end at an AWS call, single faults, and outages of a service."""

import os
import signal
import threading
from dataclasses import dataclass
from random import Random

from botocore.exceptions import ConnectTimeoutError

from tests.support.aws.calls import AwsCalls, Call, client_error, lost_response_error

_FAULT_SHARE, _OUTAGE_SHARE = 0.03, 0.004


@dataclass
class Accidents:
    """Chooses, by seed, at which call the process dies, and which calls fail."""

    random: Random
    kill_at: int | None
    """The call at which the process is killed; None if it lives on."""
    kill_when: str
    """`before` the call, `after` it, or `during` it, a few milliseconds after it began."""
    faults: int = 0
    _calls: int = 0
    _outage_calls: int = 0
    _outage_service: str = ""
    _lose_response: bool = False

    def install(self, calls: AwsCalls) -> None:
        """Let the accidents happen to the calls of this process."""
        calls.before, calls.after = self._before, self._after

    def _before(self, call: Call) -> None:
        self._calls += 1
        if self._calls == self.kill_at and self.kill_when == "before":
            _kill_self()
        if self._calls == self.kill_at and self.kill_when == "during":
            threading.Timer(self.random.uniform(0, 0.006), _kill_self).start()
        if self._is_out(call):
            self._raise_fault(ConnectTimeoutError(endpoint_url="https://aws.test"))
        if self.random.random() < _FAULT_SHARE:
            self._cause_fault(call)

    def _after(self, _call: Call) -> None:
        if self._calls == self.kill_at and self.kill_when == "after":
            _kill_self()
        if self._lose_response:
            self._lose_response = False
            self._raise_fault(lost_response_error())

    def _is_out(self, call: Call) -> bool:
        """Return whether the call's service is out; an outage lasts some calls of either service."""
        if self._outage_calls:
            self._outage_calls -= 1
            return call.service == self._outage_service
        if self.random.random() < _OUTAGE_SHARE:
            self._outage_service = self.random.choice(("scheduler", "scheduler", "dynamodb"))
            # Without the table an operation ends at its first call, so fewer calls last as long.
            self._outage_calls = self.random.randrange(3, 40 if self._outage_service == "scheduler" else 6)
        return False

    def _cause_fault(self, call: Call) -> None:
        kind = self.random.randrange(4)
        if kind == 0:
            self._raise_fault(client_error("ThrottlingException", call.operation))
        if kind == 1:
            self._raise_fault(client_error("InternalServerError", call.operation, 500))
        if kind == 2:
            self._raise_fault(ConnectTimeoutError(endpoint_url="https://aws.test"))
        self._lose_response = True

    def _raise_fault(self, error: Exception) -> None:
        self.faults += 1
        raise error


def _kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
