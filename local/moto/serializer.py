"""Serializes DynamoDB items as they are stored.

Written for moto 5.2.5, which walks through every attribute value of every item of a response, by the service's model.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from moto.core.serialize import SERVICE_SPECIFIC_SERIALIZERS, JSONSerializer
from moto.dynamodb.models.dynamo_type import DynamoType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.core.model import MapShape


def patch_serializers() -> None:
    """Let moto serialize the items of tables and streams as they are stored."""
    for service in ("dynamodb", "dynamodbstreams"):
        SERVICE_SPECIFIC_SERIALIZERS[service] = {"json": ItemSerializer}


class ItemSerializer(JSONSerializer):
    """A serializer that leaves the contents of items to the JSON encoder."""

    def _serialize_type_map(self, serialized: Any, value: Any, shape: MapShape, key: str) -> None:
        if shape.value.name == "AttributeValue":
            self._default_serialize(serialized, value, shape, key)
        else:
            super()._serialize_type_map(serialized, value, shape, key)

    def _serialize_body(self, body: Mapping[str, Any]) -> str:
        return json.dumps(body, default=_encode_value)


def _encode_value(value: Any) -> Any:
    if isinstance(value, DynamoType):
        return value.to_json()
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"cannot serialize {type(value)}")
