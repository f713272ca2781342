"""Every operation, and what is left of it when it is stopped at one of its AWS calls."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from functools import cache
from typing import Any, cast
from uuid import uuid4

from botocore.session import Session
from scheduling.clients.lambda_ import ExecutorClient
from scheduling.domain.errors import InstallNotFound, RunFailed, ScheduleNotFound, SchedulingError
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Fire, SkipReason, format_time
from scheduling.domain.schedule import IdempotencyKey, Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import PauseResult, set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.runs.execute import execute_fire
from scheduling.operations.runs.run_now import run_now
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.queries import get_schedule, list_runs, list_schedules
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws_calls import AwsCalls, Call, Killed, lost, refused
from tests.support.world import ADMIN, PUT, SETTINGS, World, changed, registration_body, wanted

WAYS = ("killed before", "killed after", "answer lost", "throttled", "outage")
"""The last one lasts; the others befall one call."""


@dataclass
class Case:
    """One install with one schedule, of an extension of its own, lest versions be known from earlier cases."""

    world: World
    install_id: InstallId
    schedule: Schedule
    fire: Fire


@dataclass(frozen=True)
class Operation:
    """What is done, how to see whether it was, and what comes before it."""

    act: Callable[[Case], object]
    happened: Callable[[Case], bool]
    prepare: Callable[[Case], object] | None = None


def _definition(case: Case) -> tuple[str, bool, str | None, str | None]:
    found = get_schedule(case.world.services, case.install_id, case.schedule.id).definition
    return found.cron, found.enabled, found.name, found.payload


def _created(case: Case) -> bool:
    return "UNIQUE#created" in {row["sk"] for row in case.world.kinds(case.install_id, "name")}


def _deleted(case: Case) -> bool:
    return not any(
        row["sk"].endswith(case.schedule.id) for row in case.world.kinds(case.install_id, "schedule")
    )


def _install(case: Case, attribute: str) -> object:
    return case.world.kinds(case.install_id, "install")[0][attribute]


def _create(case: Case) -> object:
    key = IdempotencyKey("key", "hash")
    return create_schedule(case.world.services, case.install_id, wanted(name="created"), key)


def _update(**fields: object) -> Callable[[Case], object]:
    def act(case: Case) -> object:
        return update_schedule(case.world.services, case.install_id, case.schedule.id, changed(**fields))

    return act


def _delete(case: Case) -> None:
    with suppress(ScheduleNotFound):  # a retry, of what is done or will be
        delete_schedule(case.world.services, case.install_id, case.schedule.id)


def remove_install(case: Case) -> None:
    """Delete it, also if it is gone already."""
    with suppress(InstallNotFound):
        delete_install(case.world.services, case.install_id, actor=ADMIN)


def _register(**fields: object) -> Callable[[Case], object]:
    def act(case: Case) -> object:
        own = {"registryId": case.install_id, "tenantId": case.install_id}
        return case.world.register(case.install_id, **own, **fields)

    return act


def _move(case: Case) -> object:
    manifest = registration_body()["manifest"] | {"version": "2.0.0"}
    return _register(versionId="version-2", manifest=manifest)(case)


def _manifest(*endpoints: tuple[str, str]) -> dict[str, object]:
    declared = [{"method": method, "path": path, "handler": "h"} for method, path in endpoints]
    return {**registration_body()["manifest"], "version": "3.0.0", "api": {"endpoints": declared}}


def move_without_the_endpoint(case: Case) -> object:
    """Move to a version that has not what the schedules use, and have them disabled."""
    put = replace(PUT, disable_missing=True)
    body = {"registryId": case.install_id, "tenantId": case.install_id, "versionId": "version-3"}
    return case.world.put(case.install_id, put, **body, manifest=_manifest(("GET", "/api/both")))


def _add_schedules(case: Case) -> None:
    create_schedule(case.world.services, case.install_id, wanted(name="another"))
    create_schedule(
        case.world.services, case.install_id, wanted(endpoint="GET /api/both", name="not affected")
    )


def all_moved(case: Case) -> bool:
    """Whether the install is at that version. Fails where its owner sees one schedule of before, one of after."""
    shown = list_schedules(case.world.services, case.install_id).schedules
    affected = {s.definition.enabled for s in shown if s.definition.endpoint == "POST /api/sync"}
    assert len(affected) == 1
    moved = _install(case, "versionId") == "version-3"
    assert affected == {not moved}
    return moved


def _switch(*, enabled: bool) -> Callable[[Case], object]:
    return lambda case: set_install_enabled(
        case.world.services, case.install_id, enabled=enabled, actor=ADMIN
    )


def _turn(*, paused: bool) -> Callable[[Case], object]:
    return lambda case: set_tenant_paused(case.world.services, case.install_id, paused=paused, actor=ADMIN)


def _paused(case: Case) -> bool:
    return case.world.services.tenants.read_tenant(case.install_id).paused


@cache
def _executor() -> ExecutorClient:
    return ExecutorClient(Session(), SETTINGS.timer_target_arn)


def _run_now(case: Case) -> object:
    return run_now(case.world.services, _executor().deliver_fire, case.install_id, case.schedule.id, "key")


def _run_started(case: Case) -> bool:
    handed = [event for event in case.world.handed_over() if event["scheduleId"] == case.schedule.id]
    assert len({event["scheduledTime"] for event in handed}) <= 1
    return bool(handed)


def _execute(case: Case) -> object:
    """As Lambda delivers: again after a minute, where the first delivery did not end well."""
    if case.world.clock[0] > case.schedule.created_at + timedelta(hours=1):
        case.world.advance(seconds=61)
    case.world.clock[0] = max(case.world.clock[0], case.schedule.created_at + timedelta(hours=1, seconds=1))
    return execute_fire(case.world.services, case.world.runner, case.fire)


def _succeeded(case: Case) -> bool:
    runs = list_runs(case.world.services, case.install_id, case.schedule.id, limit=50).runs
    return [(run.scheduled_time, run.status) for run in runs] == [(case.fire.scheduled_time, "success")]


OPERATIONS = {
    "create": Operation(_create, _created),
    "update the timer and the name": Operation(
        _update(cron="5 * * * *", name="after"), lambda case: _definition(case)[0] == "5 * * * *"
    ),
    "update the payload": Operation(_update(payload=[1]), lambda case: _definition(case)[3] == "[1]"),
    "disable": Operation(_update(enabled=False), lambda case: not _definition(case)[1]),
    "enable": Operation(
        _update(enabled=True), lambda case: _definition(case)[1], prepare=_update(enabled=False)
    ),
    "delete": Operation(_delete, _deleted),
    "move to a version": Operation(_move, lambda case: _install(case, "versionId") == "version-2"),
    "move to a version without the endpoint": Operation(
        move_without_the_endpoint, all_moved, prepare=_add_schedules
    ),
    "switch the install off": Operation(_switch(enabled=False), lambda case: not _install(case, "enabled")),
    "switch the install on": Operation(
        _switch(enabled=True), lambda case: bool(_install(case, "enabled")), prepare=_switch(enabled=False)
    ),
    "pause the tenant": Operation(_turn(paused=True), _paused),
    "resume the tenant": Operation(
        _turn(paused=False), lambda case: not _paused(case), prepare=_turn(paused=True)
    ),
    "run now": Operation(_run_now, _run_started),
    "disable the install": Operation(_register(enabled=False), lambda case: not _install(case, "enabled")),
    "enable the install": Operation(
        _register(), lambda case: bool(_install(case, "enabled")), prepare=_register(enabled=False)
    ),
    "delete the install": Operation(
        remove_install, lambda case: not case.world.kinds(case.install_id, "install")
    ),
    "execute": Operation(_execute, _succeeded),
}


def new_case(world: World, operation: Operation) -> Case:
    """An install of its own, on which the operation is about to be done."""
    install_id = InstallId(str(uuid4()))
    world.register(install_id, registryId=install_id, tenantId=install_id)
    schedule = create_schedule(world.services, install_id, wanted(name="before"))
    hour = schedule.created_at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    fire = Fire(
        install_id=install_id,
        schedule_id=schedule.id,
        revision=schedule.timer_revision,
        scheduled_time=format_time(hour.astimezone(UTC)),
    )
    case = Case(world, install_id, schedule, fire)
    if operation.prepare:
        operation.prepare(case)
    return case


@dataclass
class Beginning:
    """A case as it is before the operation, to begin again from."""

    case: Case

    def __post_init__(self) -> None:
        memory = self.case.world.memory
        assert memory
        self._before = pickle.dumps((memory.tables, memory.timers))
        self._time = self.case.world.clock[0]
        self._known = dict(self._versions())

    def _versions(self) -> dict[str, Any]:
        """Those that the process knows."""
        return cast("dict[str, Any]", vars(self.case.world.services.installs)["_versions"])

    def again(self) -> Case:
        """The case as it was, also in what versions are known."""
        world = self.case.world
        assert world.memory
        world.memory.tables, world.memory.timers = pickle.loads(self._before)  # noqa: S301 (its own)
        world.clock[0] = self._time
        world.calls.made.clear()
        versions = self._versions()
        versions.clear()
        versions |= self._known
        return self.case


def calls_of(beginning: Beginning, operation: Operation) -> Sequence[Call]:
    """The AWS calls that the operation makes where nothing goes wrong."""
    case = beginning.again()
    operation.act(case)
    return list(case.world.calls.made)


def stop_at(calls: AwsCalls, number: int, way: str) -> None:
    """Stop the `number`th call from now on in the way named."""
    seen = 0

    def before(_call: Call) -> None:
        nonlocal seen
        seen += 1
        if way == "killed before" and seen == number:
            raise Killed
        if way == "throttled" and seen == number:
            raise refused("ThrottlingException")
        if way == "outage" and seen >= number:
            raise lost()

    def after(_call: Call) -> None:
        if way == "killed after" and seen == number:
            raise Killed
        if way == "answer lost" and seen == number:
            raise lost()

    calls.before, calls.after = before, after


def attempt(case: Case, operation: Operation) -> str:
    """What the caller is told: `done`, `not done`, or nothing certain, `open`."""
    try:
        told = operation.act(case)
    except (Killed, RunFailed):
        return "open"
    except SchedulingError as error:
        if operation is OPERATIONS["execute"] or "may still" in str(error) or "shortly" in str(error):
            return "open"
        return "not done"
    unfinished = told is SkipReason.OVERLAP or (isinstance(told, PauseResult) and not told.complete)
    return "open" if unfinished else "done"


def cases(world: World, operation: Operation, way: str) -> Iterator[tuple[Case, str]]:
    """For each AWS call of the operation, a case in which that call was stopped, and what the caller was told."""
    beginning = Beginning(new_case(world, operation))
    for number in range(1, len(calls_of(beginning, operation)) + 1):
        case = beginning.again()
        stop_at(world.calls, number, way)
        told = attempt(case, operation)
        world.calls.before = world.calls.after = None
        yield case, told
