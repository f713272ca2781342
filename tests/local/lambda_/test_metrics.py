"""The stand-in for what CloudWatch makes of the functions' output."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws
from scheduling.api.observability import emit_metrics

from local.clock import LocalClock
from local.lambda_.metrics import MetricsLog

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class StopAfterOnePoll(Event):
    """An event that is set at its second wait."""

    polled = False

    def wait(self, timeout: float | None = None) -> bool:
        """Return at once."""
        del timeout
        polled, self.polled = self.polled, True
        return polled


def make_log(file: io.StringIO) -> MetricsLog:
    client = boto3.client("cloudwatch", region_name="us-east-1")
    return MetricsLog(file, LocalClock(NOW, frozen=True), lambda: client)


def read_values(name: str, **dimensions: str) -> list[float]:
    metric = {
        "Namespace": "ExtensionScheduler",
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    client: Any = boto3.client("cloudwatch", region_name="us-east-1")
    response = client.get_metric_data(
        MetricDataQueries=[query], StartTime=NOW, EndTime=NOW + timedelta(minutes=1)
    )
    return list(response["MetricDataResults"][0]["Values"])


def test_metrics_that_functions_print_are_put_at_the_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stack")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    file = io.StringIO()
    with mock_aws():
        log = make_log(file)
        monkeypatch.setattr("sys.stdout", log)
        print("a line")
        for _ in range(2):
            emit_metrics({"RunnerResponses": (MetricUnit.Count, 1)}, code="401")
        emit_metrics({"Attempts": (MetricUnit.Count, 1), "FailedAttempts": (MetricUnit.Count, 0)})
        print('a line that mentions "_aws"')

        log.run(StopAfterOnePoll())

        assert read_values("RunnerResponses", service="stack", code="401") == [2]
        assert read_values("Attempts", service="stack") == [1]
        assert read_values("FailedAttempts", service="stack") == [0]
    lines = file.getvalue().splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("a line", 'a line that mentions "_aws"', 5)
    assert json.loads(lines[1])["code"] == "401"


def test_an_emulator_without_cloudwatch_is_asked_once(caplog: pytest.LogCaptureFixture) -> None:
    def refuse() -> Any:
        raise EndpointConnectionError(endpoint_url="http://nowhere")

    log = MetricsLog(io.StringIO(), LocalClock(NOW, frozen=True), refuse)
    log.write('{"_aws": {"CloudWatchMetrics": [{"Namespace": "n", "Dimensions": [], "Metrics": []}]}}')

    log.run(StopAfterOnePoll())

    assert "metrics are no longer put into CloudWatch" in caplog.text
