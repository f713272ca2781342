"""How many calls an install may make, whatever becomes of them: a token bucket for each install (decision 039)."""

MAX_INSTALLS = 10_000
"""Installs that a budget remembers; beyond it, the one whose last call is longest ago starts anew."""

_SECOND = 10**9
_PERIOD = 60 * _SECOND


class CallBudget:
    """The calls of each install in one process.

    An install may make `calls_per_minute` at once, and gets them back evenly over a minute. Accepted writes count too,
    though the install's window of writes, which is exact over all processes, allows far fewer.
    """

    def __init__(self, calls_per_minute: int) -> None:
        self._time_per_call = _PERIOD // calls_per_minute
        self._used_until: dict[str, int] = {}

    def take_call(self, install_id: str, now: int) -> int:
        """Count a call of the install and return 0, or return in how many seconds it may make one.

        Args:
            install_id: The install.
            now: The nanoseconds of a clock that never goes back.
        """
        used_until = max(self._used_until.pop(install_id, now), now)
        wait = used_until + self._time_per_call - now - _PERIOD
        self._used_until[install_id] = used_until if wait > 0 else used_until + self._time_per_call
        if len(self._used_until) > MAX_INSTALLS:
            del self._used_until[next(iter(self._used_until))]
        return -(-max(wait, 0) // _SECOND)
