"""The sparse indexes of the table, in parts by shard."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

SHARDS = "0123456789abcdef"
"""Parts of an index, so that no one part takes all writes: see `shard_of`."""


def shard_of(identifier: str) -> str:
    """Which of the sixteen parts of an index a row is in."""
    return f"{sum(identifier.encode()) % 16:x}"


class PendingIndex(GlobalSecondaryIndex[Any]):
    """The rows that EventBridge may differ from, and no others, by how long."""

    class Meta:
        index_name = "pending"
        projection = IncludeProjection(["type"])

    shard = UnicodeAttribute(hash_key=True, attr_name="pendingShard")
    since = UTCDateTimeAttribute(range_key=True, attr_name="pendingSince")


class InstallsIndex(GlobalSecondaryIndex[Any]):
    """The rows of installs, and no others, by their ids; an extension's writes change nothing of what it projects."""

    class Meta:
        index_name = "installs"
        projection = IncludeProjection(["type"])

    shard = UnicodeAttribute(hash_key=True, attr_name="installShard")
    pk = UnicodeAttribute(range_key=True)
