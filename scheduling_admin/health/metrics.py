"""The functions' own metrics and the age of the queue, in one request of CloudWatch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scheduling.domain.deliveries.delivery import WaitingCause
from scheduling.domain.deliveries.responses import RESPONSE_CODES

from scheduling_admin.health.model import METRICS_WINDOW, StackMetrics

NAMESPACE = "ExtensionScheduler"
_PERIOD_SECONDS = 300
_RECENT = timedelta(minutes=15)
"""SQS sends its metrics each minute, with some minutes of delay."""


@dataclass(frozen=True)
class _Series:
    """One metric to be read; `key` names it in the result."""

    key: tuple[str, ...]
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str

    def build_query(self, number: int) -> dict[str, Any]:
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions.items()]
        metric = {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}
        statistics = {"Metric": metric, "Period": _PERIOD_SECONDS, "Stat": self.statistic}
        return {"Id": f"m{number}", "MetricStat": statistics}


Points = Sequence[tuple[datetime, float]]


def read_metrics(cloudwatch: Any, stack_name: str, queue_name: str, now: datetime) -> StackMetrics:
    """Return what was counted within `METRICS_WINDOW`.

    One GetMetricData for all series, which are few since the codes and causes are.
    """
    points = _read_points(cloudwatch, _list_series(stack_name, queue_name), now)

    def total(*key: str) -> int:
        return round(sum(value for _, value in points.get(key, ())))

    lateness = [value for _, value in points.get(("lateness",), ())]
    reports = [time for time, value in points.get(("reconciler",), ()) if value]
    return StackMetrics(
        responses={code: count for code in RESPONSE_CODES if (count := total("response", code))},
        finished=total("finished"),
        failed=total("failed"),
        waiting={cause: count for cause in map(str, WaitingCause) if (count := total("waiting", cause))},
        max_lateness=timedelta(seconds=max(lateness)) if lateness else None,
        oldest_message_age=_find_latest_age(points, now),
        reconciled_at=max(reports, default=None),
    )


def read_oldest_message_age(cloudwatch: Any, queue_name: str, now: datetime) -> timedelta | None:
    """Return the age of the oldest message in the queue; None without a recent value.

    One GetMetricData for one series.
    """
    return _find_latest_age(_read_points(cloudwatch, [_age_series(queue_name)], now), now)


def _find_latest_age(points: Mapping[tuple[str, ...], Points], now: datetime) -> timedelta | None:
    ages = [value for time, value in points.get(("age",), ()) if time >= now - _RECENT]
    return timedelta(seconds=ages[-1]) if ages else None


def _age_series(queue_name: str) -> _Series:
    dimensions = {"QueueName": queue_name}
    return _Series(("age",), "AWS/SQS", "ApproximateAgeOfOldestMessage", dimensions, "Maximum")


def _list_series(stack_name: str, queue_name: str) -> list[_Series]:
    service = {"service": stack_name}

    def own(key: tuple[str, ...], name: str, statistic: str = "Sum", **dimensions: str) -> _Series:
        return _Series(key, NAMESPACE, name, {**service, **dimensions}, statistic)

    return [
        *(own(("response", code), "RunnerResponses", code=code) for code in RESPONSE_CODES),
        *(own(("waiting", cause), "Waiting", cause=cause) for cause in map(str, WaitingCause)),
        own(("finished",), "FinishedOccurrences"),
        own(("failed",), "FailedOccurrences"),
        own(("lateness",), "Lateness", "Maximum"),
        own(("reconciler",), "OldestPendingSeconds", "SampleCount"),
        _age_series(queue_name),
    ]


SERIES_COUNT = len(_list_series("stack", "queue"))
"""How many metrics a request reads, each of which is charged."""


def _read_points(cloudwatch: Any, series: Sequence[_Series], now: datetime) -> dict[tuple[str, ...], Points]:
    """Return the values of each series that has any, by its key, oldest first."""
    keys = {f"m{number}": each.key for number, each in enumerate(series)}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[each.build_query(number) for number, each in enumerate(series)],
        StartTime=now - METRICS_WINDOW,
        EndTime=now + timedelta(minutes=1),
        ScanBy="TimestampAscending",
    )
    points: dict[tuple[str, ...], list[tuple[datetime, float]]] = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            values = zip(result["Timestamps"], result["Values"], strict=True)
            points.setdefault(keys[result["Id"]], []).extend(values)
    return {key: sorted(values) for key, values in points.items()}
