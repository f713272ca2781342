"""The state that the files under `events/` expect, on request (`SETUP=events`): an install with one schedule.

Imports the layer inside its functions: its folder is known only once the template has been read.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from wasmtime import wat2wasm

from local.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from scheduling.domain.runs import Execution, Outcome
    from scheduling.operations.services import Services

EVENTS = PROJECT_ROOT / "events"
INSTALL_ID = "5a3d1e0c-9c1b-4f0e-8d55-0d2f6a1c7e11"
SCHEDULE_ID = "01a20745-4897-4f81-a91e-a0d09962b8d6"
_DAILY = {"endpoint": "POST /api/sync", "cron": "0 9 * * *", "name": "daily"}
_LAST_FIRE = "2026-11-22T09:00:00Z"


def write_extension(folder: Path) -> None:
    """Write the component of the events' extension where the runner finds it; its hash is that of the events."""
    manifest = json.loads(read_registration())["manifest"]
    (folder / "demo").mkdir(parents=True, exist_ok=True)
    (folder / "demo" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    wasm = wat2wasm((EVENTS / "extension.wat").read_text(encoding="utf-8"))
    (folder / "demo" / "component.wasm").write_bytes(wasm)


def read_registration() -> str:
    """Return the body of the event that registers the install."""
    event = json.loads((EVENTS / "install_put" / "register.json").read_text(encoding="utf-8"))
    return str(event["body"])


def create_events_state(services: Services) -> None:
    """Register the install, and create its schedule with one run that has succeeded."""
    from scheduling.api.parsing import parse_schedule_input
    from scheduling.api.registration import parse_registration
    from scheduling.domain.ids import InstallId, ScheduleId
    from scheduling.operations.installs.register import PutOptions, put_install
    from scheduling.operations.schedules.create import create_schedule

    install_id, schedule_id = InstallId(INSTALL_ID), ScheduleId(SCHEDULE_ID)
    registration = parse_registration(json.loads(read_registration()))
    put_install(services, install_id, registration, PutOptions(actor="admin:events"))
    own_id = replace(services, new_schedule_id=lambda _now: schedule_id)
    create_schedule(own_id, install_id, parse_schedule_input(_DAILY))
    _create_run(services)


def _create_run(services: Services) -> None:
    """Deliver an occurrence of the past as a replay, which runs however late it is."""
    from scheduling.domain.deliveries.delivery import Delivery
    from scheduling.domain.fire_events import parse_fire_event
    from scheduling.operations.runs.deliver import deliver_occurrence

    fields = {"installId": INSTALL_ID, "scheduleId": SCHEDULE_ID, "scheduledTime": _LAST_FIRE}
    event = parse_fire_event({**fields, "revision": 1, "attempt": "1"})
    event = replace(event, fire=replace(event.fire, replay=True))
    delivery = Delivery(event=event, accepted_at=services.clock(), group="acme")
    for _ in deliver_occurrence(services, _succeed, delivery):
        pass


def _succeed(_execution: Execution) -> Outcome:
    from scheduling.domain.runs import Outcome, RunStatus

    return Outcome(status=RunStatus.SUCCESS, http_status=200)
