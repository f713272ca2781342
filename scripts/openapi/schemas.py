"""Builders of JSON schemas (2020-12, the dialect of OpenAPI 3.1)."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]


class Undescribed(Exception):
    """The API has something that its description lacks; the message says what, and where to add it."""


def text(description: str, **rules: Any) -> Schema:
    """Return the schema of a string."""
    return {"type": "string", "description": description, **rules}


def moment(description: str) -> Schema:
    """Return the schema of a time, by ISO 8601 in UTC."""
    return text(description, format="date-time")


def uuid(description: str) -> Schema:
    """Return the schema of a UUID."""
    return text(description, format="uuid")


def count(description: str, minimum: int = 0, **rules: Any) -> Schema:
    """Return the schema of a whole number."""
    return {"type": "integer", "minimum": minimum, "description": description, **rules}


def flag(description: str, **rules: Any) -> Schema:
    """Return the schema of a boolean."""
    return {"type": "boolean", "description": description, **rules}


def nullable(schema: Schema) -> Schema:
    """Return the schema with null as a further value."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    choices = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [*types, "null"], **choices}


def array(description: str, items: Schema, **rules: Any) -> Schema:
    """Return the schema of an array."""
    return {"type": "array", "description": description, "items": items, **rules}


def texts_by_name(description: str) -> Schema:
    """Return the schema of an object whose values are strings."""
    return {"type": "object", "description": description, "additionalProperties": {"type": "string"}}


def record(
    description: str, required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None
) -> Schema:
    """Return the schema of an object with fixed fields.

    It is left open, since the service may add fields to its responses; the tests close it to find undescribed ones.
    """
    return {
        "type": "object",
        "description": description,
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


def ref(name: str) -> Schema:
    """Return a reference to one of the description's schemas."""
    return {"$ref": f"#/components/schemas/{name}"}
