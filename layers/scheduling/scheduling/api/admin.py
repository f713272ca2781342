"""What is asked and answered on the platform's routes alone (contract, section 3)."""

from collections.abc import Sequence

from scheduling.api.http import Answer, Request, answer
from scheduling.api.render import compact, install_fields
from scheduling.api.requests import cursor_of, position
from scheduling.domain.actors import admin
from scheduling.domain.errors import ValidationFailed
from scheduling.domain.ids import parse_install_id, parse_schedule_id
from scheduling.domain.install import Version
from scheduling.operations.installs import Put, Registered
from scheduling.operations.tenants import Place, Turned


def put_of(request: Request) -> Put:
    """How an install is to be put, and by whom. Raises ValidationFailed."""
    missing = _chosen("onMissingEndpoint", request.query("onMissingEndpoint"), ("reject", "disable"))
    dry_run = _chosen("dryRun", request.query("dryRun"), ("false", "true"))
    return Put(by=admin(request.principal), disable_missing=missing == "disable", dry_run=dry_run == "true")


def place_of(cursor: str | None) -> Place | None:
    """The place that a page of a tenant's schedules follows. Raises ValidationFailed."""
    if cursor is None:
        return None
    install, _, schedule = position(cursor).partition(" ")
    install_id, schedule_id = parse_install_id(install), parse_schedule_id(schedule)
    if install_id is None or (schedule and schedule_id is None):
        raise ValidationFailed.of({"cursor": "Invalid cursor"})
    return Place(install_id, schedule_id)


def _chosen(name: str, text: str | None, choices: Sequence[str]) -> str:
    """A parameter of the query that is one of the choices, by default the first. Raises ValidationFailed."""
    if text is None:
        return choices[0]
    if text not in choices:
        raise ValidationFailed.of({name: f"{name} must be {' or '.join(choices)}"})
    return text


def cursor_of_place(place: Place | None) -> str | None:
    """An opaque word for a place in the list of a tenant's schedules."""
    return cursor_of(f"{place.install_id} {place.schedule_id or ''}" if place else None)


def one_install(status: int, registered: Registered, version: Version, *, dry_run: bool) -> Answer:
    """An install as it was put, or in a dry run would be."""
    disabled = [{"scheduleId": s.id, "endpoint": s.definition.endpoint} for s in registered.disabled]
    told = {"changed": registered.changed, "disabled": disabled, "dryRun": dry_run}
    return answer(status, compact({**install_fields(registered.install, version), **told}))


def turned(told: Turned) -> Answer:
    """A tenant paused or resumed: 200 where all of its installs have followed, else 202."""
    fields = {
        "tenantId": told.tenant.id,
        "paused": told.tenant.paused,
        "installs": told.installs,
        "complete": told.complete,
    }
    return answer(200 if told.complete else 202, compact(fields))
