"""What must hold, as ratios to the same work on raw botocore in the same run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.artifact import byte_code_faults
from bench.measure import Figures, paired
from bench.units import LEAST, Asked

CONTROL = 0.06
COLD, FIRST, PEAK = 1.4, 1.3, 1.2
WARM = {"list": 0.7, "get": 1.6, "create": 1.0, "update": 1.0, "delete": 1.0}
INVALID = 0.4
CALLS = {"list": 1, "get": 1, "endpoints": 1, "create": 4, "update": 4, "delete": 4, "refused": 1, "fire": 3}
UNITS = 1.1


@dataclass(frozen=True)
class Gate:
    """A figure, and what it may be at most."""

    name: str
    figure: float
    most: float

    @property
    def holds(self) -> bool:
        """Whether it is not above."""
        return self.figure <= self.most


def gates(
    cold: Figures, first: Figures, warm: Figures, asked: Mapping[str, Asked], artifact: Path
) -> list[Gate]:
    """All of them, in the order of the issue that asks for them."""
    return [
        Gate("cold init CPU, create", _ratio(cold, "create", "init"), COLD),
        Gate("cold init and first create over TLS, CPU", _ratio(first, "create", "first"), FIRST),
        *(Gate(f"warm CPU, {op}", _ratio(warm, op, "cpu"), most) for op, most in WARM.items()),
        Gate("warm CPU, invalid, to a's get", _invalid(warm), INVALID),
        Gate("peak memory", _ratio(first, "create", "peak"), PEAK),
        *(Gate(f"AWS calls, {op}", len(asked[op].calls), most) for op, most in CALLS.items()),
        *_units(asked),
        Gate("DynamoDB clients, create", warm["this", "create"][0]["clients"].count("dynamodb"), 1),
        Gate("EventBridge clients, get", warm["this", "get"][0]["clients"].count("scheduler"), 0),
        Gate("byte code missing, stale, or checked by time", len(byte_code_faults(artifact)), 0),
        *_controls(cold, first, warm),
    ]


def _ratio(figures: Figures, operation: str, name: str) -> float:
    return paired(figures["this", operation], figures["a", operation], name)


def _invalid(warm: Figures) -> float:
    return paired(warm["this", "invalid"], warm["a", "get"], "cpu")


def _units(asked: Mapping[str, Asked]) -> Iterable[Gate]:
    for operation, (read, written) in LEAST.items():
        yield Gate(f"read units, {operation}", asked[operation].read, read * UNITS)
        yield Gate(f"write units, {operation}", asked[operation].written, written * UNITS)


def _controls(cold: Figures, first: Figures, warm: Figures) -> Iterable[Gate]:
    """The same measured twice: how far apart it is tells what a ratio of this run is worth."""
    for what, figures, name in (("cold", cold, "init"), ("first", first, "first"), ("warm", warm, "cpu")):
        for subject, operation in figures:
            if subject == "a again":
                ratio = paired(figures["a again", operation], figures["a", operation], name)
                yield Gate(f"control, {what} {operation}", abs(ratio - 1), CONTROL)
