"""What the rules of `test_two_systems` may do, and how what its caller is told becomes a step of the model."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from scheduling.domain.errors import CapabilityDenied, InstallNotFound, ScheduleNotFound, SchedulingError
from scheduling.domain.idempotency import IdempotencyKey
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.schedule import Definition, Schedule
from scheduling.operations.create import create
from scheduling.operations.delete import delete
from scheduling.operations.uninstall import delete_install
from scheduling.operations.update import update

from tests.support.aws_calls import Killed
from tests.support.interleaving import Result
from tests.support.model import Defined, Model, Step, Told
from tests.support.world import ADMIN, World, changed, registration_body, wanted

INSTALLS = (InstallId("install-0"), InstallId("install-1"))
Act = Callable[[], object]
Judge = Callable[[Result], Step | None]


@dataclass(frozen=True)
class Create:
    """With a key, the request is one of two, so that the same is made again."""

    install: int
    key: str | None
    body: int
    name: str | None
    minute: int
    enabled: bool


@dataclass(frozen=True)
class Update:
    """Of one of the newest schedules; None and `keep` leave a field out."""

    target: int
    minute: int | None
    enabled: bool | None
    name: str | None
    payload: bool


@dataclass(frozen=True)
class Delete:
    """Of one of the newest schedules; `foreign`, by the other install."""

    target: int
    foreign: bool


@dataclass(frozen=True)
class Register:
    """The first time, or a change; every version has the same endpoints and another manifest."""

    install: int
    enabled: bool
    granted: bool
    version: int


@dataclass(frozen=True)
class Uninstall:
    """With every schedule."""

    install: int


@dataclass(frozen=True)
class Deliver:
    """Of what stands in EventBridge, of an earlier revision, or of no schedule."""

    target: int
    time: str
    which: Literal["current", "stale", "unknown"]
    outcome: str


@dataclass(frozen=True)
class Reconcile:
    """Once."""


Command = Create | Update | Delete | Register | Uninstall | Deliver | Reconcile
Change = Create | Update | Delete | Register | Uninstall


def told(result: Result) -> Told:
    """What the caller knows. Raises what no caller should ever be told."""
    match result.error:
        case None:
            return "done"
        case Killed():
            return "open"
        case InstallNotFound() | CapabilityDenied():
            return "no install"
        case ScheduleNotFound():
            return "no schedule"
        case SchedulingError() as error:
            text = str(error)
            if "install is being deleted" in text:
                return "done"
            return "open" if "may still take effect" in text or "shortly" in text else "refused"
        case error:
            raise error


def target(model: Model, number: int) -> tuple[int, str, ScheduleId] | None:
    """One of the schedules that were told to exist, the newest first."""
    if not model.known:
        return None
    install, subject, schedule_id = model.known[-1 - number % len(model.known)]
    return install, subject, ScheduleId(schedule_id)


class Changes:
    """Makes of a command the call and its judgement."""

    def __init__(self, world: World, model: Model) -> None:
        self._world, self._model = world, model
        self._marks = 0

    def of(self, command: Change) -> tuple[Act, Judge] | None:
        """None where there is nothing to do it to."""
        match command:
            case Create():
                return self._create(command)
            case Register():
                return self._register(command)
            case Uninstall():
                return self._uninstall(command.install)
        found = target(self._model, command.target)
        if found is None:
            return None
        return self._update(command, *found) if isinstance(command, Update) else self._delete(command, *found)

    def _mark(self) -> int:
        self._marks += 1
        return self._marks

    def _create(self, command: Create) -> tuple[Act, Judge]:
        key, minute, name, enabled = None, command.minute, command.name, command.enabled
        subject = f"n{self._mark()}"
        if command.key:
            subject, minute, enabled = f"{command.key}{command.body}", command.body, True
            name = "x" if command.body else None
            key = IdempotencyKey(command.key, subject)
        given = wanted(cron=f"{minute} * * * *", name=name, enabled=enabled, payload=[subject, 0])
        answer = Defined(f"{minute} * * * *", enabled, name, json.dumps([subject, 0], separators=(",", ":")))

        def judge(result: Result) -> Step:
            made: Schedule | None = result.value
            if made is None:
                return Step("create", command.install, told(result), subject, answer=answer)
            assert defined(made.definition) == answer
            return Step("create", command.install, told(result), subject, made.id, answer)

        return lambda: create(self._world.services, INSTALLS[command.install], given, key), judge

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
        changes = dict(fields)
        if command.payload:
            fields["payload"] = [subject, self._mark()]
            changes["payload"] = json.dumps(fields["payload"], separators=(",", ":"))

        def judge(result: Result) -> Step:
            made: Schedule | None = result.value
            answer = defined(made.definition) if made else None
            return Step("update", install, told(result), subject, schedule_id, answer, changes)

        given = changed(**fields)
        return lambda: update(self._world.services, INSTALLS[install], schedule_id, given), judge

    def _delete(
        self, command: Delete, install: int, subject: str, schedule_id: ScheduleId
    ) -> tuple[Act, Judge]:
        by = 1 - install if command.foreign else install

        def judge(result: Result) -> Step | None:
            if command.foreign:
                assert told(result) != "done", "a foreign schedule was deleted"
                return None
            return Step("delete", install, told(result), subject, schedule_id)

        return lambda: delete(self._world.services, INSTALLS[by], schedule_id), judge

    def _register(self, command: Register) -> tuple[Act, Judge]:
        install, on = command.install, command.enabled and command.granted
        body = registration_body(
            tenantId=f"tenant-{install}",
            registryId=f"registry-{install}",
            versionId=f"version-{command.version}",
            enabled=command.enabled,
            grantedCapabilities=["cap:scheduler.manage"] if command.granted else [],
        )
        body["manifest"]["version"] = f"1.0.{command.version}"

        def judge(result: Result) -> Step:
            return Step("register", install, told(result), on=on)

        return lambda: self._world.register(INSTALLS[install], **body), judge

    def _uninstall(self, install: int) -> tuple[Act, Judge]:
        def judge(result: Result) -> Step:
            return Step("uninstall", install, told(result))

        return lambda: delete_install(self._world.services, INSTALLS[install], by=ADMIN), judge


def defined(definition: Definition) -> Defined:
    """The part that the model keeps."""
    return Defined(definition.cron, definition.enabled, definition.name, definition.payload or "")
