"""The event bus on which the audit publishes."""

import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from scheduling.domain.audit.events import EVENT_SOURCE, AuditEvent

logger = logging.getLogger(__name__)
MAX_ENTRIES = 10
MAX_BATCH_BYTES = 200_000
"""Details of one call, whose limit is 256 KB for its whole entries."""
_CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


class EventBusClient:
    """The event bus on which the audit publishes."""

    def __init__(self, session: Session, name: str) -> None:
        self._client: Any = session.create_client("events", config=_CONFIG)
        self._name = name

    def put_events(self, events: Sequence[AuditEvent]) -> Sequence[AuditEvent]:
        """Publish the events in order and return the accepted ones; stop after a call that fails as a whole.

        One call for each ten events, or for fewer large ones.
        """
        published: list[AuditEvent] = []
        for batch in _batch_events(events):
            try:
                response = self._client.put_events(Entries=[self._build_entry(*item) for item in batch])
            except (ClientError, BotoCoreError) as error:
                logger.error("%d events were not accepted: %s", len(batch), error)
                break
            for (event, _), entry in zip(batch, response["Entries"], strict=True):
                if "ErrorCode" in entry:
                    logger.error("%s %s was not accepted: %s", event.name, event.sequence, entry["ErrorCode"])
                else:
                    published.append(event)
        return published

    def _build_entry(self, event: AuditEvent, detail: str) -> dict[str, object]:
        return {
            "EventBusName": self._name,
            "Source": EVENT_SOURCE,
            "DetailType": event.name.value,
            "Time": event.time,
            "Detail": detail,
        }


def _batch_events(events: Sequence[AuditEvent]) -> Iterator[list[tuple[AuditEvent, str]]]:
    """Yield the events with their details as JSON, as many at a time as fit into one call."""
    batch: list[tuple[AuditEvent, str]] = []
    size = 0
    for event in events:
        detail = json.dumps(event.detail, ensure_ascii=False, separators=(",", ":"))
        length = len(detail.encode())
        if batch and (len(batch) == MAX_ENTRIES or size + length > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((event, detail))
        size += length
    if batch:
        yield batch
