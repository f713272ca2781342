"""Validation against docs/events.schema.json in a closed form: fields that the schema does not name are refused."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

SCHEMA_PATH = Path(__file__).parents[3] / "docs" / "events.schema.json"


def load_schema() -> dict[str, Any]:
    """Load the published schema."""
    return dict(json.loads(SCHEMA_PATH.read_text(encoding="utf-8")))


@cache
def _closed_validator() -> Any:
    strict_schema = load_schema()
    for event in strict_schema["oneOf"]:
        event["properties"]["detail"]["unevaluatedProperties"] = False
    for name in ("actor", "schedule", "install", "run", "runRequest", "backfillRequest"):
        strict_schema["$defs"][name]["unevaluatedProperties"] = False
    Draft202012Validator.check_schema(strict_schema)
    return Draft202012Validator(strict_schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def find_violation(source: str, detail_type: str, detail: object) -> str | None:
    """Return the first violation of the schema, or None."""
    event = {"source": source, "detail-type": detail_type, "detail": detail}
    error = best_match(_closed_validator().iter_errors(event))
    return f"{'.'.join(map(str, error.absolute_path))}: {error.message}" if error else None
