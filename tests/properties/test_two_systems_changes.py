"""How what the caller of a command of `test_two_systems` is told becomes a step of the model."""

import json
from functools import cache

from botocore.session import Session
from scheduling.clients.lambda_ import ExecutorClient
from scheduling.domain.errors import RemapFailed
from scheduling.domain.ids import ScheduleId
from scheduling.domain.schedule import Definition, IdempotencyKey, Schedule
from scheduling.operations.installs.register import PutOptions, PutResult, set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.runs.run_now import run_now
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.properties.test_two_systems_commands import (
    ENDPOINTS,
    INSTALLS,
    WITHOUT_FIRST,
    WITHOUT_SECOND,
    Act,
    Change,
    Create,
    Delete,
    Judge,
    OfSchedule,
    Register,
    RunNow,
    Switch,
    Turn,
    Uninstall,
    Update,
    target,
    told,
)
from tests.support.interleaving import Result
from tests.support.model import Defined, Installed, Model, Step
from tests.support.world import ADMIN, SETTINGS, TENANT, World, changed, registration_body, wanted


class Changes:
    """Makes of a command the call and its judgement."""

    def __init__(self, world: World, model: Model) -> None:
        self._world, self._model = world, model
        self._marks = 0
        self._asked: set[tuple[ScheduleId, str]] = set()
        self._started: dict[tuple[ScheduleId, str], str] = {}

    def of(self, command: Change) -> tuple[Act, Judge] | None:
        """None where there is nothing to do it to."""
        match command:
            case Create():
                return self._create(command)
            case Register():
                return self._register(command)
            case Switch():
                return self._switch(command)
            case Turn():
                return self._turn(command.paused)
            case Uninstall():
                return self._uninstall(command.install)
        found = target(self._model, command.target)
        return self._of_schedule(command, *found) if found else None

    def _of_schedule(
        self, command: OfSchedule, install: int, subject: str, schedule_id: ScheduleId
    ) -> tuple[Act, Judge]:
        match command:
            case Update():
                return self._update(command, install, subject, schedule_id)
            case Delete():
                return self._delete(command, install, subject, schedule_id)
            case RunNow():
                return self._run_now(command, install, subject, schedule_id)

    def _mark(self) -> int:
        self._marks += 1
        return self._marks

    def _create(self, command: Create) -> tuple[Act, Judge]:
        key, minute, name, enabled = None, command.minute, command.name, command.enabled
        endpoint = ENDPOINTS[command.endpoint]
        subject = f"n{self._mark()}"
        if command.key:
            subject, minute, enabled = f"{command.key}{command.body}", command.body, True
            endpoint = ENDPOINTS[command.body]
            name = "x" if command.body else None
            key = IdempotencyKey(command.key, subject)
        text = json.dumps([subject, 0], separators=(",", ":"))
        answer = Defined(endpoint, f"{minute} * * * *", enabled, name, text)
        given = wanted(endpoint=endpoint, cron=answer.cron, name=name, enabled=enabled, payload=[subject, 0])

        def judge(result: Result) -> Step:
            made: Schedule | None = result.value
            if made is None:
                return Step("create", command.install, told(result), subject, answer=answer)
            assert defined(made.definition) == answer
            return Step("create", command.install, told(result), subject, made.id, answer)

        return lambda: create_schedule(self._world.services, INSTALLS[command.install], given, key), judge

    def _update(
        self, command: Update, install: int, subject: str, schedule_id: ScheduleId
    ) -> tuple[Act, Judge]:
        fields: dict[str, object] = {}
        if command.minute is not None:
            fields["cron"] = f"{command.minute} * * * *"
        if command.enabled is not None:
            fields["enabled"] = command.enabled
        if command.name != "keep":
            fields["name"] = command.name
        if command.endpoint is not None:
            fields["endpoint"] = ENDPOINTS[command.endpoint]
        changes = dict(fields)
        if command.payload:
            fields["payload"] = [subject, self._mark()]
            changes["payload"] = json.dumps(fields["payload"], separators=(",", ":"))

        def judge(result: Result) -> Step:
            made: Schedule | None = result.value
            answer = defined(made.definition) if made else None
            return Step("update", install, told(result), subject, schedule_id, answer, changes)

        given = changed(**fields)
        return lambda: update_schedule(self._world.services, INSTALLS[install], schedule_id, given), judge

    def _delete(
        self, command: Delete, install: int, subject: str, schedule_id: ScheduleId
    ) -> tuple[Act, Judge]:
        by = 1 - install if command.foreign else install

        def judge(result: Result) -> Step | None:
            if command.foreign:
                assert told(result) != "done", "a foreign schedule was deleted"
                return None
            return Step("delete", install, told(result), subject, schedule_id)

        return lambda: delete_schedule(self._world.services, INSTALLS[by], schedule_id), judge

    def _run_now(
        self, command: RunNow, install: int, subject: str, schedule_id: ScheduleId
    ) -> tuple[Act, Judge]:
        def judge(result: Result) -> Step:
            again = (schedule_id, command.key) in self._asked
            if command.key and told(result) in ("done", "open", "refused"):
                self._asked.add((schedule_id, command.key))
            if result.value:
                self._check_handed_over(schedule_id, command.key, result.value.scheduled_time)
            return Step("run", install, told(result), subject, schedule_id, again=again)

        services, by = self._world.services, INSTALLS[install]
        return lambda: run_now(services, _executor().deliver_fire, by, schedule_id, command.key), judge

    def _check_handed_over(self, schedule_id: ScheduleId, key: str | None, time: str) -> None:
        handed = {(each["scheduleId"], each["scheduledTime"]) for each in self._world.handed_over()}
        assert (schedule_id, time) in handed, "told to run, and not handed over"
        if key:
            assert self._started.setdefault((schedule_id, key), time) == time, "one key, two occurrences"

    def _register(self, command: Register) -> tuple[Act, Judge]:
        install, body, stated = command.install, _body(command), _stated(command)
        put = PutOptions(actor=ADMIN, disable_missing=command.disable_missing, dry_run=command.dry_run)

        def judge(result: Result) -> Step:
            return Step(
                "put",
                install,
                told(result),
                stated=stated,
                disable_missing=put.disable_missing,
                dry_run=put.dry_run,
                listed=_listed(result),
            )

        return lambda: self._world.put(INSTALLS[install], put, **body), judge

    def _switch(self, command: Switch) -> tuple[Act, Judge]:
        install, on = command.install, command.enabled

        def judge(result: Result) -> Step:
            return Step("switch", install, told(result), on=on)

        return lambda: set_install_enabled(
            self._world.services, INSTALLS[install], enabled=on, actor=ADMIN
        ), judge

    def _turn(self, paused: bool) -> tuple[Act, Judge]:
        def judge(result: Result) -> Step:
            begun = result.value is not None and not result.value.complete
            return Step("turn", 0, "open" if begun else told(result), on=paused)

        return lambda: set_tenant_paused(self._world.services, TENANT, paused=paused, actor=ADMIN), judge

    def _uninstall(self, install: int) -> tuple[Act, Judge]:
        def judge(result: Result) -> Step:
            return Step("uninstall", install, told(result))

        return lambda: delete_install(self._world.services, INSTALLS[install], actor=ADMIN), judge


@cache
def _executor() -> ExecutorClient:
    """One for all worlds, since a client of Lambda costs more than a sequence."""
    return ExecutorClient(Session(), SETTINGS.timer_target_arn)


def _endpoints(version: int) -> tuple[str, ...]:
    return {WITHOUT_FIRST: ENDPOINTS[1:], WITHOUT_SECOND: ENDPOINTS[:1]}.get(version, ENDPOINTS)


def _stated(command: Register) -> Installed:
    version, endpoints = f"version-{command.version}", frozenset(_endpoints(command.version))
    return Installed(command.enabled, command.granted, version, endpoints)


def _body(command: Register) -> dict[str, object]:
    declared = [endpoint.split() for endpoint in _endpoints(command.version)]
    endpoints = [{"method": method, "path": path, "handler": "h"} for method, path in declared]
    manifest = registration_body()["manifest"]
    return {
        "registryId": f"registry-{command.install}",
        "versionId": f"version-{command.version}",
        "enabled": command.enabled,
        "grantedCapabilities": ["cap:scheduler.manage"] if command.granted else [],
        "manifest": {**manifest, "version": f"1.0.{command.version}", "api": {"endpoints": endpoints}},
    }


def _listed(result: Result) -> frozenset[str]:
    """The schedules that are said to lack their endpoint."""
    match result.value, result.error:
        case PutResult() as registered, _:
            return frozenset(schedule.id for schedule in registered.disabled_schedules)
        case _, RemapFailed() as failed:
            return frozenset(schedule_id for schedule_id, _ in failed.missing)
    return frozenset()


def defined(definition: Definition) -> Defined:
    """The part that the model keeps."""
    return Defined(
        definition.endpoint, definition.cron, definition.enabled, definition.name, definition.payload or ""
    )
