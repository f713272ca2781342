"""The events by which the sweep invokes its own function for each part, their results, and the metrics of all."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from scheduling.api.observability import MetricValues
from scheduling.domain.sweeps import PartResult, SweepPart, SweepPhase
from scheduling.operations.maintenance.parts import check_part
from scheduling.operations.services import Services

_FIELD = "sweepPart"


def format_part(part: SweepPart) -> dict[str, Any]:
    """Return the event of the part."""
    return {_FIELD: {"phase": part.phase.value, "ids": list(part.ids)}}


def check_part_event(services: Services, event: Mapping[str, Any]) -> dict[str, Any] | None:
    """Check the part of the event and return the function's result; None if it is another event."""
    fields = event.get(_FIELD)
    if fields is None:
        return None
    result = check_part(services, SweepPart(phase=SweepPhase(fields["phase"]), ids=fields["ids"]))
    return {"checked": result.checked, "throttled": result.throttled, "repaired": dict(result.repairs)}


def parse_result(fields: Mapping[str, Any]) -> PartResult:
    """Return the result of a part from that of the function."""
    return PartResult(
        checked=fields["checked"], throttled=fields["throttled"], repairs=Counter(fields["repaired"])
    )


def count_repairs(repairs: Counter[str]) -> MetricValues:
    """Return the metrics of the repairs; the runs that the sweep has ended have failed for good."""
    failed_count = repairs["lost message"] + repairs["expired run"]
    drift_count = repairs.total() - repairs["missed"] - repairs["unreadable"] - failed_count
    values: MetricValues = {
        "MissedFires": (MetricUnit.Count, repairs["missed"]),
        "DriftRepaired": (MetricUnit.Count, drift_count),
    }
    if not failed_count:
        return values
    failed = (MetricUnit.Count, failed_count)
    return {**values, "FinishedOccurrences": failed, "FailedOccurrences": failed}
