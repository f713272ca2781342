"""The metrics in what functions print, put into CloudWatch as AWS does, but at the local clock's time."""

from __future__ import annotations

import json
import logging
from io import TextIOBase
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from threading import Event
    from typing import TextIO

    from local.clock import LocalClock

logger = logging.getLogger("local")
_MARK = '"_aws"'
_POLL_SECONDS = 0.5
_MAX_DATA = 500
"""PutMetricData accepts a thousand values."""
MetricData = tuple[str, list[dict[str, Any]]]


class MetricsLog(TextIOBase):
    """The log of functions: writes what is printed to a file, and keeps the metrics in it for `run`, which puts them.

    The functions print each line of metrics in one piece (CloudWatch's embedded metric format).
    """

    def __init__(self, file: TextIO, clock: LocalClock, create_client: Callable[[], Any]) -> None:
        self._file = file
        self._clock = clock
        self._create_client = create_client
        self._unsent: SimpleQueue[MetricData] = SimpleQueue()

    def write(self, text: str) -> int:
        """Write to the file, and keep the metrics that the text has."""
        if _MARK in text:
            for data in parse_metric_data(text, self._clock.now()):
                self._unsent.put(data)
        return self._file.write(text)

    def flush(self) -> None:
        """Flush the file."""
        self._file.flush()

    def run(self, stop: Event) -> None:
        """Put the metrics until `stop` is set, or CloudWatch does not take them, as some emulators do not."""
        client: Any = None
        while not stop.wait(_POLL_SECONDS):
            by_namespace = self._take_unsent()
            if not by_namespace:
                continue
            try:
                client = client or self._create_client()
                for namespace, data in by_namespace.items():
                    client.put_metric_data(Namespace=namespace, MetricData=data)
            except (BotoCoreError, ClientError) as error:
                logger.warning("metrics are no longer put into CloudWatch: %s", error)
                return

    def _take_unsent(self) -> dict[str, list[dict[str, Any]]]:
        by_namespace: dict[str, list[dict[str, Any]]] = {}
        for _ in range(_MAX_DATA):
            try:
                namespace, data = self._unsent.get_nowait()
            except Empty:
                break
            by_namespace.setdefault(namespace, []).extend(data)
        return by_namespace


def parse_metric_data(text: str, now: datetime) -> Iterator[MetricData]:
    """Yield the namespace and the values of each directive in a line of metrics; nothing if it is no such line."""
    try:
        line = json.loads(text)
        directives = line["_aws"]["CloudWatchMetrics"]
    except (ValueError, LookupError, TypeError):
        return
    for directive in directives:
        data = [
            {
                "MetricName": metric["Name"],
                "Dimensions": [{"Name": name, "Value": line[name]} for name in names],
                "Timestamp": now,
                "Values": line[metric["Name"]],
                "Unit": metric["Unit"],
            }
            for names in directive["Dimensions"]
            for metric in directive["Metrics"]
        ]
        yield directive["Namespace"], data
