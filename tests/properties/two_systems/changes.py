"""Commands that change state: the call of each, and its result as a step of the model."""

import json

from scheduling.domain.errors import RemapFailed
from scheduling.domain.exact_json import Number
from scheduling.domain.ids import MAX_INLINE_PAYLOAD_BYTES, ScheduleId
from scheduling.domain.requests.idempotency import IdempotencyKey
from scheduling.domain.schedule import Definition, Schedule
from scheduling.operations.installs.register import PutOptions, PutResult, set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.runs.run_now import run_now
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.properties.two_systems.commands import (
    ENDPOINTS,
    INSTALLS,
    WITHOUT_FIRST,
    WITHOUT_SECOND,
    Act,
    Change,
    Create,
    Delete,
    Interpreter,
    Register,
    RunNow,
    ScheduleCommand,
    SetInstallEnabled,
    SetTenantPaused,
    Uninstall,
    Update,
    find_target,
    reported_result,
)
from tests.support.faults.interleaving import CallResult
from tests.support.oracles.reference_model import ModelDefinition, ModelInstall, ModelStep, ReferenceModel
from tests.support.stacks.world import (
    ADMIN,
    TENANT,
    World,
    create_input,
    registration_body,
    update_input,
)


class ChangeRunner:
    """Builds the call of a command and the interpreter of its result."""

    def __init__(self, world: World, model: ReferenceModel) -> None:
        self._world, self._model = world, model
        self._last_number = 0
        self._requested_keys: set[tuple[ScheduleId, str]] = set()
        self._started: dict[tuple[ScheduleId, str], str] = {}

    def prepare(self, command: Change) -> tuple[Act, Interpreter] | None:
        """Return the call and the interpreter, or None if the command's target does not exist."""
        match command:
            case Create():
                return self._prepare_create(command)
            case Register():
                return self._prepare_register(command)
            case SetInstallEnabled():
                return self._prepare_set_install_enabled(command)
            case SetTenantPaused():
                return self._prepare_set_tenant_paused(command.paused)
            case Uninstall():
                return self._prepare_uninstall(command.install)
        schedule = find_target(self._model, command.target)
        return self._prepare_schedule_command(command, *schedule) if schedule else None

    def _prepare_schedule_command(
        self, command: ScheduleCommand, install: int, entity: str, schedule_id: ScheduleId
    ) -> tuple[Act, Interpreter]:
        match command:
            case Update():
                return self._prepare_update(command, install, entity, schedule_id)
            case Delete():
                return self._prepare_delete(command, install, entity, schedule_id)
            case RunNow():
                return self._prepare_run_now(command, install, entity, schedule_id)

    def _next_number(self) -> int:
        self._last_number += 1
        return self._last_number

    def _prepare_create(self, command: Create) -> tuple[Act, Interpreter]:
        key, minute, name, enabled = None, command.minute, command.name, command.enabled
        endpoint = ENDPOINTS[command.endpoint]
        entity = f"n{self._next_number()}"
        if command.key:
            entity, minute, enabled = f"{command.key}{command.body}", command.body, True
            endpoint = ENDPOINTS[command.body]
            name = "x" if command.body else None
            key = IdempotencyKey(command.key, entity)
        payload = _build_payload(entity, 0)
        text = json.dumps(payload, separators=(",", ":"))
        expected = ModelDefinition(endpoint, f"{minute} * * * *", enabled, name, text)
        input_ = create_input(
            endpoint=endpoint, cron=expected.cron, name=name, enabled=enabled, payload=payload
        )

        def interpret(result: CallResult) -> ModelStep:
            created: Schedule | None = result.value
            if created is None:
                return ModelStep("create", command.install, reported_result(result), entity, result=expected)
            assert model_definition(created.definition) == expected
            return ModelStep("create", command.install, reported_result(result), entity, created.id, expected)

        return lambda: create_schedule(
            self._world.services, INSTALLS[command.install], input_, key
        ), interpret

    def _prepare_update(
        self, command: Update, install: int, entity: str, schedule_id: ScheduleId
    ) -> tuple[Act, Interpreter]:
        fields: dict[str, object] = {}
        spread: dict[str, object] = {}  # which only the consistency of row and timer shows
        if command.minute is not None:
            fields["cron"] = f"{command.minute} * * * *"
            spread["spreadMinutes"] = Number(str(command.minute))
        if command.enabled is not None:
            fields["enabled"] = command.enabled
        if command.name != "keep":
            fields["name"] = command.name
        if command.endpoint is not None:
            fields["endpoint"] = ENDPOINTS[command.endpoint]
        changes = dict(fields)
        if command.payload:
            fields["payload"] = _build_payload(entity, self._next_number())
            changes["payload"] = json.dumps(fields["payload"], separators=(",", ":"))

        def interpret(result: CallResult) -> ModelStep:
            schedule: Schedule | None = result.value
            returned_definition = model_definition(schedule.definition) if schedule else None
            return ModelStep(
                "update", install, reported_result(result), entity, schedule_id, returned_definition, changes
            )

        input_ = update_input(**fields, **spread)
        return lambda: update_schedule(
            self._world.services, INSTALLS[install], schedule_id, input_
        ), interpret

    def _prepare_delete(
        self, command: Delete, install: int, entity: str, schedule_id: ScheduleId
    ) -> tuple[Act, Interpreter]:
        caller = 1 - install if command.foreign else install

        def interpret(result: CallResult) -> ModelStep | None:
            if command.foreign:
                assert reported_result(result) != "done", "a foreign schedule was deleted"
                return None
            return ModelStep("delete", install, reported_result(result), entity, schedule_id)

        return lambda: delete_schedule(self._world.services, INSTALLS[caller], schedule_id), interpret

    def _prepare_run_now(
        self, command: RunNow, install: int, entity: str, schedule_id: ScheduleId
    ) -> tuple[Act, Interpreter]:
        def interpret(result: CallResult) -> ModelStep:
            repeated = (schedule_id, command.key) in self._requested_keys
            if command.key and reported_result(result) in ("done", "open", "refused"):
                self._requested_keys.add((schedule_id, command.key))
            if result.value:
                self._check_delivered(schedule_id, command.key, result.value.scheduled_time)
            return ModelStep("run", install, reported_result(result), entity, schedule_id, repeated=repeated)

        services, install_id = self._world.services, INSTALLS[install]
        return lambda: run_now(
            services, services.queue.send_fire, install_id, schedule_id, command.key, actor=ADMIN
        ), interpret

    def _check_delivered(self, schedule_id: ScheduleId, key: str | None, time: str) -> None:
        delivered = {
            (each["scheduleId"], each["scheduledTime"]) for each in self._world.list_executor_events()
        }
        assert (schedule_id, time) in delivered, "reported as started but not delivered"
        if key:
            assert self._started.setdefault((schedule_id, key), time) == time, "one key, two occurrences"

    def _prepare_register(self, command: Register) -> tuple[Act, Interpreter]:
        install, body, target_install = command.install, _registration_body(command), _target_install(command)
        options = PutOptions(actor=ADMIN, disable_missing=command.disable_missing, dry_run=command.dry_run)

        def interpret(result: CallResult) -> ModelStep:
            return ModelStep(
                "register",
                install,
                reported_result(result),
                target_install=target_install,
                disable_missing=options.disable_missing,
                dry_run=options.dry_run,
                missing_schedules=_missing_schedule_ids(result),
            )

        return lambda: self._world.put_install(INSTALLS[install], options, **body), interpret

    def _prepare_set_install_enabled(self, command: SetInstallEnabled) -> tuple[Act, Interpreter]:
        install, enabled = command.install, command.enabled

        def interpret(result: CallResult) -> ModelStep:
            return ModelStep("set_enabled", install, reported_result(result), switch_on=enabled)

        return lambda: set_install_enabled(
            self._world.services, INSTALLS[install], enabled=enabled, actor=ADMIN
        ), interpret

    def _prepare_set_tenant_paused(self, paused: bool) -> tuple[Act, Interpreter]:
        def interpret(result: CallResult) -> ModelStep:
            incomplete = result.value is not None and not result.value.complete
            return ModelStep(
                "set_paused", 0, "open" if incomplete else reported_result(result), switch_on=paused
            )

        return lambda: set_tenant_paused(self._world.services, TENANT, paused=paused, actor=ADMIN), interpret

    def _prepare_uninstall(self, install: int) -> tuple[Act, Interpreter]:
        def interpret(result: CallResult) -> ModelStep:
            return ModelStep("uninstall", install, reported_result(result))

        return lambda: delete_install(self._world.services, INSTALLS[install], actor=ADMIN), interpret


def _version_endpoints(version: int) -> tuple[str, ...]:
    return {WITHOUT_FIRST: ENDPOINTS[1:], WITHOUT_SECOND: ENDPOINTS[:1]}.get(version, ENDPOINTS)


def _build_payload(entity: str, number: int) -> list[object]:
    """Return a payload that names the entity; every other one is too large for the schedule's own row."""
    is_large = (int(entity[1:]) + number) % 2
    return [entity, number, *["x" * MAX_INLINE_PAYLOAD_BYTES] * is_large]


def _target_install(command: Register) -> ModelInstall:
    version, endpoints = f"version-{command.version}", frozenset(_version_endpoints(command.version))
    return ModelInstall(command.enabled, command.granted, version, endpoints)


def _registration_body(command: Register) -> dict[str, object]:
    declared = [endpoint.split() for endpoint in _version_endpoints(command.version)]
    endpoints = [{"method": method, "path": path, "handler": "h"} for method, path in declared]
    manifest = registration_body()["manifest"]
    return {
        "registryId": f"registry-{command.install}",
        "versionId": f"version-{command.version}",
        "enabled": command.enabled,
        "grantedCapabilities": ["cap:scheduler.manage"] if command.granted else [],
        "manifest": {**manifest, "version": f"1.0.{command.version}", "api": {"endpoints": endpoints}},
    }


def _missing_schedule_ids(result: CallResult) -> frozenset[str]:
    """Return the schedules reported as lacking their endpoint."""
    match result.value, result.error:
        case PutResult() as registered, _:
            return frozenset(schedule.id for schedule in registered.disabled_schedules)
        case _, RemapFailed() as failed:
            return frozenset(schedule_id for schedule_id, _ in failed.missing)
    return frozenset()


def model_definition(definition: Definition) -> ModelDefinition:
    """Return the fields that the model keeps."""
    return ModelDefinition(
        definition.endpoint, definition.cron, definition.enabled, definition.name, definition.payload or ""
    )
