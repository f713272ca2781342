"""Items as moto has them in its answers, which it would walk through for each of their attributes' names."""

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
    """Let moto write the items of tables and of streams as they are."""
    for service in ("dynamodb", "dynamodbstreams"):
        SERVICE_SPECIFIC_SERIALIZERS[service] = {"json": ItemSerializer}


class ItemSerializer(JSONSerializer):
    """Serializes all but what is in items."""

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
    raise TypeError(f"{type(value)} in an answer")
