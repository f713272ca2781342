"""The gates: limits of the ratios to the same work on raw botocore in the same run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.artifact import find_byte_code_faults
from bench.measure import Figures, median_ratio
from bench.units import LARGE_MIN_UNITS, MIN_UNITS, Usage, UsageBySize

MAX_CONTROL_DRIFT = 0.06
MAX_COLD_RATIO, MAX_FIRST_CALL_RATIO, MAX_PEAK_RATIO = 1.4, 1.3, 1.2
MAX_WARM_RATIOS = {"list": 0.7, "get": 1.6, "create": 1.0, "update": 1.0, "delete": 1.0}
MAX_INVALID_RATIO = 0.4
MAX_CALLS = {
    "list": 1,
    "get": 1,
    "endpoints": 1,
    "create": 4,
    "update": 4,
    "delete": 4,
    "refused": 1,
    "fire": 3,
}
LARGE_MAX_CALLS = {**MAX_CALLS, "list": 3}
"""With payloads of 100 KB: a request reads 1 MB, a page has 2 MB."""
MAX_UNITS_RATIO = 1.1


@dataclass(frozen=True)
class Gate:
    """A figure and its upper limit."""

    name: str
    figure: float
    limit: float

    @property
    def passes(self) -> bool:
        """Whether the figure does not exceed the limit."""
        return self.figure <= self.limit


def check_gates(
    cold: Figures, first: Figures, warm: Figures, usage: UsageBySize, artifact: Path
) -> list[Gate]:
    """Return all gates, in the order of the report."""
    return [
        Gate("cold init CPU, create", _ratio(cold, "create", "init"), MAX_COLD_RATIO),
        Gate(
            "cold init and first create over TLS, CPU", _ratio(first, "create", "first"), MAX_FIRST_CALL_RATIO
        ),
        *(Gate(f"warm CPU, {op}", _ratio(warm, op, "cpu"), limit) for op, limit in MAX_WARM_RATIOS.items()),
        Gate("warm CPU, invalid, to a's get", _invalid_ratio(warm), MAX_INVALID_RATIO),
        Gate("peak memory", _ratio(first, "create", "peak"), MAX_PEAK_RATIO),
        *_usage_gates(usage.small, MAX_CALLS, MIN_UNITS),
        *_usage_gates(usage.large, LARGE_MAX_CALLS, LARGE_MIN_UNITS, " with 100 KB"),
        Gate("DynamoDB clients, create", warm["this", "create"][0]["clients"].count("dynamodb"), 1),
        Gate("EventBridge clients, get", warm["this", "get"][0]["clients"].count("scheduler"), 0),
        Gate("byte code missing, stale, or checked by time", len(find_byte_code_faults(artifact)), 0),
        *_control_gates(cold, first, warm),
    ]


def _ratio(figures: Figures, operation: str, name: str) -> float:
    return median_ratio(figures["this", operation], figures["a", operation], name)


def _invalid_ratio(warm: Figures) -> float:
    return median_ratio(warm["this", "invalid"], warm["a", "get"], "cpu")


def _usage_gates(
    usage: Usage, max_calls: Mapping[str, int], min_units: Mapping[str, tuple[int, int]], size: str = ""
) -> Iterable[Gate]:
    for operation, most in max_calls.items():
        yield Gate(f"AWS calls, {operation}{size}", len(usage[operation].calls), most)
    for operation, (min_read, min_write) in min_units.items():
        yield Gate(f"read units, {operation}{size}", usage[operation].read_units, min_read * MAX_UNITS_RATIO)
        yield Gate(
            f"write units, {operation}{size}", usage[operation].write_units, min_write * MAX_UNITS_RATIO
        )


def _control_gates(cold: Figures, first: Figures, warm: Figures) -> Iterable[Gate]:
    """Yield the ratios of two measurements of the same subject: the uncertainty of this run's ratios."""
    for phase, figures, name in (("cold", cold, "init"), ("first", first, "first"), ("warm", warm, "cpu")):
        for subject, operation in figures:
            if subject == "a again":
                ratio = median_ratio(figures["a again", operation], figures["a", operation], name)
                yield Gate(f"control, {phase} {operation}", abs(ratio - 1), MAX_CONTROL_DRIFT)
