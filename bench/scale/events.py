"""The clock of a simulation: steps in the order of their times."""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush

Step = Callable[[float], None]


class Events:
    """Steps that are to happen, and the arrivals of occurrences, which are already in order."""

    def __init__(self, arrivals: Iterator[tuple[float, int]], arrive: Callable[[float, int], None]) -> None:
        self._arrivals, self._arrive = arrivals, arrive
        self._steps: list[tuple[float, int, Step]] = []
        self._count = 0
        self._next_arrival = next(arrivals, None)

    def at(self, time: float, step: Step) -> None:
        """Let the step happen at that time."""
        self._count += 1
        heappush(self._steps, (time, self._count, step))

    def run(self, until: float) -> float:
        """Let everything happen before that time, and return the time of the last step."""
        now = 0.0
        while True:
            arrival = self._next_arrival
            step_time = self._steps[0][0] if self._steps else None
            if arrival and (step_time is None or arrival[0] <= step_time):
                if arrival[0] >= until:
                    return now
                now = arrival[0]
                self._next_arrival = next(self._arrivals, None)
                self._arrive(*arrival)
            elif step_time is not None and step_time < until:
                now, _, step = heappop(self._steps)
                step(now)
            else:
                return now

    def list_arrivals(self) -> list[int]:
        """Return the occurrences that have not arrived yet."""
        rest = [self._next_arrival] if self._next_arrival else []
        return [occurrence for _, occurrence in [*rest, *self._arrivals]]
