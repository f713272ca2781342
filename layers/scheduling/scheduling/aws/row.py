"""Any item of the table, and how it is read."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Self

from pynamodb.attributes import (
    Attribute,
    DiscriminatorAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.models import Model

from scheduling.aws.indexes import InstallsIndex, PendingIndex


class Row(Model):
    """Any item of the table."""

    class Meta:
        table_name = ""
        connect_timeout_seconds = 1
        read_timeout_seconds = 2
        max_pool_connections = 32
        retry_configuration = {"mode": "standard", "total_max_attempts": 3}  # noqa: RUF012 - pynamodb's form

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    type = DiscriminatorAttribute()
    pending_shard = UnicodeAttribute(null=True, attr_name="pendingShard")
    pending_since = UTCDateTimeAttribute(null=True, attr_name="pendingSince")
    expires_at = TTLAttribute(null=True, attr_name="expiresAt")
    pending_index = PendingIndex()
    installs_index = InstallsIndex()

    @classmethod
    def from_raw_data(cls, data: Mapping[str, Mapping[str, Any]]) -> Self:
        """The row of an item, by the attributes that it has; pynamodb goes through all that it could have."""
        kind = cls.type.deserialize(data["type"]["S"])
        readers = _readers(kind)
        row: Self = kind.__new__(kind)
        row.attribute_values = {}
        for name, typed in data.items():
            if name in readers:
                attribute, read, key = readers[name]
                row.attribute_values[attribute] = read(typed[key])
        return row


@cache
def _readers(kind: type[Row]) -> Mapping[str, tuple[str, Callable[[Any], Any], str]]:
    """For each name in an item: the attribute, what reads its value, and DynamoDB's word for its type."""
    return {
        attribute.attr_name: (name, _reader(attribute), attribute.attr_type)
        for name, attribute in kind.get_attributes().items()
    }


def _reader(attribute: Attribute[Any]) -> Callable[[Any], Any]:
    """All numbers here are whole; pynamodb reads each as a JSON document, in a sixth of what a list takes."""
    return int if type(attribute) is NumberAttribute else attribute.deserialize
