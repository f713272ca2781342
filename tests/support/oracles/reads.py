"""Reads of the table are strongly consistent, except those of an index, which cannot be."""

from collections.abc import Iterable
from typing import Any

from tests.support.aws.calls import Call


def assert_consistent_reads(calls: Iterable[Call]) -> None:
    """Check that each recorded read of the table asks for strong consistency."""
    reads = [read for call in calls if call.service == "dynamodb" for read in _list_reads(call)]
    assert [read for read in reads if not read.get("ConsistentRead")] == []


def _list_reads(call: Call) -> list[dict[str, Any]]:
    if call.operation == "BatchGetItem":
        return list(call.arguments["RequestItems"].values())
    is_read = call.operation in ("GetItem", "Query") and "IndexName" not in call.arguments
    return [call.arguments] if is_read else []
