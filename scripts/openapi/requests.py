"""The schemas of request bodies: of the pydantic models that parse them, with texts and limits.

A new field of a model is described here; the document cannot be made without.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from scheduling.api.parsing import ScheduleBody
from scheduling.api.registration import (
    MAX_CONFIG_BYTES,
    MAX_MANIFEST_BYTES,
    RegistrationBody,
    SecretEnvelope,
)
from scheduling.domain.cron.grammar import MAX_CRON_LENGTH
from scheduling.domain.cron.limits import MAX_SPREAD_MINUTES
from scheduling.domain.cron.timezones import MAX_TIMEZONE_LENGTH
from scheduling.domain.ids import TENANT_ID_FORMAT
from scheduling.domain.install import Limits
from scheduling.domain.requests.fields import MAX_NAME_LENGTH, MAX_PAUSE_AFTER_FAILURES
from scheduling.domain.rules import SCHEDULE_FIELDS

from scripts.openapi.backfill import build_backfill_request
from scripts.openapi.schemas import Schema, Undescribed, nullable, ref, uuid

_LIMITS = Limits()
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# What is added to a model's own schema of a field, or replaces parts of it.
_SCHEDULE_TEXTS: Mapping[str, Schema] = {
    "endpoint": {
        "description": "`/path` or `METHOD /path` of an endpoint of the installed version, GET or POST, without path "
        "parameters. A path without a method that exists as both means POST if there is a payload, else GET.",
    },
    "cron": {
        "description": "Five cron fields, `minute hour day-of-month month day-of-week`: digits, `* , - /`, and "
        "the names MON to SUN and JAN to DEC; not both days. No two fires are less than "
        f"{_LIMITS.min_interval_minutes} minutes apart (parameter MinIntervalMinutes). Or `at(yyyy-mm-ddThh:mm)` for a "
        "one-time schedule: in the future, at most 8 years ahead.",
        "maxLength": MAX_CRON_LENGTH,
    },
    "timezone": {
        "description": "An IANA name in any case. Null and empty mean `UTC`.",
        "maxLength": MAX_TIMEZONE_LENGTH,
        "default": "UTC",
    },
    "enabled": {"description": "Whether it is to fire."},
    "name": {
        "description": "Unique in the install. It is trimmed; empty and null mean none.",
        "maxLength": MAX_NAME_LENGTH,
    },
    "payload": {
        "description": f"What the endpoint gets as its body: up to {_LIMITS.max_payload_bytes:,} bytes as compact JSON "
        "in UTF-8 (parameter MaxPayloadBytes). Null means none.",
        "type": ["object", "array", "null"],
        "items": {},
    },
    "pauseAfterFailures": {
        "description": "After how many failed occurrences in a row it is disabled: 0 is never, null the stack's "
        "PauseAfterFailures, which an extension may only lower where it is above 0.",
        "type": ["integer", "null"],
        "minimum": 0,
        "maximum": MAX_PAUSE_AFTER_FAILURES,
    },
    "spreadMinutes": {
        "description": "Within how many minutes after its scheduled time it fires, less than the smallest gap of its "
        "rule. Null is the stack's DefaultSpreadMinutes, as far as the rule allows it.",
        "type": ["integer", "null"],
        "minimum": 0,
        "maximum": MAX_SPREAD_MINUTES,
    },
}
_REGISTRATION_TEXTS: Mapping[str, Schema] = {
    "tenantId": {"description": f"The tenant: {TENANT_ID_FORMAT}. It never changes."},
    "registryId": {"description": "The extension's id in the registry: 1 to 128 visible ASCII characters."},
    "versionId": {
        "description": "The version's id, 1 to 128 visible ASCII characters. A version's manifest never changes."
    },
    "contentHash": {"description": "The hash by which runners find the component."},
    "manifest": {
        "description": f"The version's manifest, up to {MAX_MANIFEST_BYTES:,} bytes as compact JSON."
    },
    "grantedCapabilities": {
        "description": "What the platform grants of what the manifest requests. They are compared trimmed and "
        "case-folded; unknown ones are ignored.",
    },
    "enabled": {"description": "Whether its schedules may fire."},
    "config": {
        "description": "The configuration that the runner gets, each value as a string, up to "
        f"{MAX_CONFIG_BYTES:,} bytes as JSON.",
    },
    "secretEnvelope": {
        "description": "Secrets that the runner can open; null and `{}` mean none.",
        "anyOf": [ref("SecretEnvelope"), {"type": "object", "maxProperties": 0}, {"type": "null"}],
    },
}
_MANIFEST_TEXTS: Mapping[str, Schema] = {
    "name": {"description": "The extension's name."},
    "publisher": {"description": "Who publishes it."},
    "version": {"description": "Its version."},
    "capabilities": {"description": "The capabilities that it requests."},
    "api": {"description": "What it serves."},
}
_API_TEXTS: Mapping[str, Schema] = {"endpoints": {"description": "The endpoints of its API."}}
_ENDPOINT_TEXTS: Mapping[str, Schema] = {
    "method": {
        "description": f"{', '.join(_METHODS)}, in any case.",
        # In the pattern's dialect, ECMA's, a part of a pattern cannot ignore case.
        "pattern": f"^({'|'.join(''.join(f'[{c}{c.lower()}]' for c in name) for name in _METHODS)})$",
    },
    "path": {"description": "The path; doubled slashes collapse, a missing leading one is added."},
    "handler": {"description": "The name of the extension's handler."},
}
_ENVELOPE_TEXTS: Mapping[str, Schema] = {
    "ciphertext_b64": {"description": "The encrypted secrets, in base64."},
    "version": {"description": "The version of the key or the form."},
    "algorithm": {"description": "How they are encrypted."},
    "expires_at": {"description": "When they expire."},
    "key_path": {"description": "The path of the key."},
    "mount": {"description": "Where the key is mounted."},
}
_PLACE = "scripts/openapi/requests.py"


def build_request_schemas() -> dict[str, Schema]:
    """Return the schemas by name."""
    schedule = _describe_model(ScheduleBody.model_json_schema(), _SCHEDULE_TEXTS, "A schedule.")
    for name in ("endpoint", "cron"):
        del schedule["properties"][name]["default"]  # the model's stands for a field that is missing
    registration = RegistrationBody.model_json_schema()
    definitions = registration.pop("$defs")
    changes = {name: _without_default(field) for name, field in schedule["properties"].items()}
    return {
        "NewSchedule": {**schedule, "required": ["endpoint", "cron"]},
        "ScheduleChanges": {
            **schedule,
            "description": "The fields of a schedule to change; absent ones stay, null clears.",
            "properties": changes,
        },
        "InstallRegistration": _describe_model(
            registration, _REGISTRATION_TEXTS, "An install as the platform declares it."
        ),
        "Manifest": _describe_model(
            definitions["_Manifest"],
            _MANIFEST_TEXTS,
            "What the version's author declares. Further fields are kept.",
        ),
        "ManifestApi": _describe_model(definitions["_Api"], _API_TEXTS, "What an extension serves."),
        "ManifestEndpoint": _describe_model(
            definitions["_Endpoint"], _ENDPOINT_TEXTS, "An endpoint that the manifest declares."
        ),
        "SecretEnvelope": _describe_model(
            SecretEnvelope.model_json_schema(), _ENVELOPE_TEXTS, "Encrypted secrets for the runner."
        ),
        "BackfillRequest": build_backfill_request(),
        **_build_callback_schemas(schedule["properties"], changes),
    }


def _build_callback_schemas(fields: Mapping[str, Schema], changes: Mapping[str, Schema]) -> dict[str, Schema]:
    schedule_id = {"scheduleId": uuid("The schedule's id.")}
    known = {name: fields[name] for name in SCHEDULE_FIELDS}
    known_changes = {name: changes[name] for name in SCHEDULE_FIELDS}
    bodies = {
        "CallbackList": ("list", "All schedules of the install.", {}, {}),
        "CallbackGet": ("get", "One schedule of the install.", schedule_id, {}),
        "CallbackCreate": (
            "create",
            "A new schedule.",
            {name: known.pop(name) for name in ("endpoint", "cron")},
            known,
        ),
        "CallbackUpdate": ("update", "Changes of a schedule.", schedule_id, known_changes),
        "CallbackDelete": ("delete", "The end of a schedule.", schedule_id, {}),
        "CallbackGetEndpoints": ("getEndpoints", "What a schedule may invoke.", {}, {}),
    }
    schemas = {
        name: {
            "type": "object",
            "description": f"{description} Fields that the operation does not know are ignored.",
            "required": ["operation", *required],
            "properties": {"operation": {"const": operation, "type": "string"}, **required, **optional},
        }
        for name, (operation, description, required, optional) in bodies.items()
    }
    mapping = {bodies[name][0]: ref(name)["$ref"] for name in bodies}
    union = {
        "description": "An operation with its fields.",
        "oneOf": [ref(name) for name in bodies],
        "discriminator": {"propertyName": "operation", "mapping": mapping},
    }
    return {"CallbackRequest": union, **schemas}


def describe_body_models() -> Mapping[type[BaseModel], Mapping[str, Schema]]:
    """Return the texts of each model's fields."""
    return {
        ScheduleBody: _SCHEDULE_TEXTS,
        RegistrationBody: _REGISTRATION_TEXTS,
        SecretEnvelope: _ENVELOPE_TEXTS,
    }


def _describe_model(schema: Mapping[str, Any], texts: Mapping[str, Schema], description: str) -> Schema:
    """Return a model's schema with the texts of its fields.

    Raises:
        Undescribed: A field has no text, or a text no field.
    """
    properties: Mapping[str, Schema] = schema["properties"]
    model = schema["title"].strip("_")
    for name in properties.keys() - texts.keys():
        raise Undescribed(f"the field {name} of {model} is not described: add it in {_PLACE}")
    for name in texts.keys() - properties.keys():
        raise Undescribed(f"{model} has no field {name}: remove it from {_PLACE}")
    rest = {
        name: value for name, value in schema.items() if name not in ("title", "description", "properties")
    }
    described = {name: _describe_field(field, texts[name]) for name, field in properties.items()}
    return {**rest, "description": description, "properties": described}


def _describe_field(field: Mapping[str, Any], texts: Schema) -> Schema:
    """Return the model's schema of a field with the texts; `X or null` becomes a list of types."""
    schema = {name: value for name, value in field.items() if name != "title"}
    choices = schema.get("anyOf", ())
    if len(choices) == 2 and choices[1] == {"type": "null"} and "anyOf" not in texts:
        del schema["anyOf"]
        schema = nullable({**choices[0], **schema})
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2].strip("_")
        schema["$ref"] = ref(name if name == "Manifest" else f"Manifest{name}")["$ref"]
    if "items" in schema and "$ref" in schema["items"]:
        schema["items"] = ref(f"Manifest{schema['items']['$ref'].rpartition('/')[2].strip('_')}")
    return {**schema, **texts}


def _without_default(field: Schema) -> Schema:
    return {name: value for name, value in field.items() if name != "default"}
