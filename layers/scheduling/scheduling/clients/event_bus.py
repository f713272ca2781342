"""EventBridge's bus, on which the audit publishes."""

import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from scheduling.domain.audit import EVENT_SOURCE, AuditEvent

logger = logging.getLogger(__name__)
MAX_ENTRIES = 10
MAX_BATCH_BYTES = 200_000
"""Of one call, whose limit is 256 KB for its entries together; each has some bytes beside its detail."""
_CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


class EventBusClient:
    """Where those who audit the service listen."""

    def __init__(self, session: Session, name: str) -> None:
        self._client: Any = session.create_client("events", config=_CONFIG)
        self._name = name

    def put_events(self, events: Sequence[AuditEvent]) -> Sequence[AuditEvent]:
        """Publish in order; those that were taken. After a call that failed as a whole, no further one is made.

        One call for each ten events, or fewer large ones.
        """
        published: list[AuditEvent] = []
        for batch in _batch_events(events):
            try:
                response = self._client.put_events(Entries=[self._build_entry(*item) for item in batch])
            except (ClientError, BotoCoreError) as error:
                logger.error("%d events were not taken: %s", len(batch), error)
                break
            for (event, _), entry in zip(batch, response["Entries"], strict=True):
                if "ErrorCode" in entry:
                    logger.error("%s %s was not taken: %s", event.name, event.sequence, entry["ErrorCode"])
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
    """The events with their details as JSON, as many at a time as one call takes."""
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
