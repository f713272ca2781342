"""The schemas of a backfill's request, which no model parses, and of its response."""

from scheduling.domain.deliveries.backfill import MAX_OCCURRENCES, Selection

from scripts.openapi.schemas import Schema, array, flag, moment, record, text, uuid

_SELECTIONS = [each.value for each in Selection]


def build_backfill_request() -> Schema:
    """Return the schema of the request's body."""
    which = f"All occurrences, at most {MAX_OCCURRENCES}, or the latest of the period."
    return {
        "type": "object",
        "description": "The period to catch up on, and which of its occurrences.",
        "required": ["from", "to", "which"],
        "additionalProperties": False,
        "properties": {
            "from": moment("Its start, which is part of it; no older than the history."),
            "to": moment("Its end, likewise; not in the future."),
            "which": text(which, enum=_SELECTIONS),
            "dryRun": flag("Whether nothing is to be run.", default=False),
        },
    }


def build_backfill_response() -> Schema:
    """Return the schema of the response's body."""
    left_out = {
        "scheduledTime": moment("Its scheduled time."),
        "status": text("Its status in the history; `unreadable` if its row cannot be read."),
    }
    return record(
        "The occurrences of a period that are run, or would be run.",
        {
            "scheduleId": uuid("The schedule's id."),
            "from": moment("The start of the period."),
            "to": moment("Its end."),
            "which": text("The request's.", enum=_SELECTIONS),
            "dryRun": flag("Whether none is run because the request is a dry run."),
            "scheduledTimes": array("Their scheduled times, oldest first.", moment("One of them.")),
            "leftOut": array("The others of the period.", record("One that is not run.", left_out)),
        },
    )
