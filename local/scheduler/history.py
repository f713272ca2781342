"""Reads the history of occurrences through the layer, whose path is known only once the template has been read."""

from __future__ import annotations

import importlib
from typing import Any


def read_run(body: str) -> Any:
    """Return the run of the occurrence that a message names, or None if the history has none."""
    fire_events = importlib.import_module("scheduling.domain.fire_events")
    errors = importlib.import_module("scheduling.domain.errors")
    bootstrap = importlib.import_module("scheduling.bootstrap")
    try:
        fire = fire_events.parse_fire_event(body).fire
    except errors.InvalidFireEvent:
        return None
    return bootstrap.services().runs.read_fire_snapshot(fire).run
