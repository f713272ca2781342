"""A process that changes schedules, installs and their tenant until its operations or its life end."""

from collections.abc import Callable
from random import Random

from scheduling.domain.errors import (
    Conflict,
    InstallNotFound,
    NameTaken,
    ScheduleNotFound,
    SchedulingError,
    TimerFailed,
    UnconfirmedChange,
)
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.requests.idempotency import IdempotencyKey
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.delete import delete_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.attack.histories.ledger import ABSENT, DONE, OPEN, PRESENT, REFUSED, Definition, LedgerFile
from tests.attack.histories.world import INSTALLS
from tests.support.stacks.world import ADMIN, TENANT, World, create_input, update_input

_NAMES_PER_WORKER = 5
_Change = Callable[[], object]


class Worker:
    """Makes random operations; the schedules that it names are changed by no other worker."""

    def __init__(self, world: World, random: Random, number: int, ledger: LedgerFile) -> None:
        self._world, self._random, self._ledger = world, random, ledger
        self._names = [f"{number}-{each}" for each in range(_NAMES_PER_WORKER)]
        self.operations = 0

    def run(self, count: int) -> None:
        """Make that many operations."""
        for _ in range(count):
            self.operations += 1
            kind = self._random.random()
            if kind < 0.78:
                self._change_schedule()
            else:
                self._change_installs(kind)

    def _change_schedule(self) -> None:
        install_id, name = self._random.choice(INSTALLS), self._random.choice(self._names)
        definition = (self._random.randrange(60), self._random.random() < 0.8)
        schedule_id = self._find_schedule(install_id, name)
        services = self._world.services
        if schedule_id is None:
            fields = create_input(name=name, cron=f"{definition[0]} * * * *", enabled=definition[1])
            key = IdempotencyKey(f"{name} {self._random.random()}", "hash")
            self._record(
                install_id, name, definition, lambda: create_schedule(services, install_id, fields, key)
            )
        elif self._random.random() < 0.6:
            changes = update_input(cron=f"{definition[0]} * * * *", enabled=definition[1])
            self._record(
                install_id,
                name,
                definition,
                lambda: update_schedule(services, install_id, schedule_id, changes),
            )
        else:
            self._record(install_id, name, None, lambda: delete_schedule(services, install_id, schedule_id))

    def _find_schedule(self, install_id: InstallId, name: str) -> ScheduleId | None:
        """Return the id of the schedule as the table has it, without regard to what its caller learned."""
        try:
            schedules = self._world.services.schedules.read_all_schedules(install_id)
        except (SchedulingError, TimerFailed):
            return None
        return next((each.id for each in schedules if each.definition.name == name), None)

    def _record(
        self, install_id: InstallId, name: str, definition: Definition | None, change: _Change
    ) -> None:
        self._ledger.write("begin", install_id, name, definition)
        self._ledger.write("end", _attempt(change))

    def _change_installs(self, kind: float) -> None:
        services, install_id = self._world.services, self._random.choice(INSTALLS)
        chosen = self._random.random() < 0.8
        if kind < 0.84:
            _attempt(lambda: set_install_enabled(services, install_id, enabled=chosen, actor=ADMIN))
        elif kind < 0.90:
            _attempt(lambda: set_tenant_paused(services, TENANT, paused=not chosen, actor=ADMIN))
        elif kind < 0.95:
            _attempt(lambda: self._world.register_install(install_id, enabled=chosen))
        else:
            _attempt(lambda: reconcile(services))


def _attempt(change: _Change) -> str:
    """Return what the caller of a change learns."""
    try:
        change()
    except ScheduleNotFound:
        return ABSENT
    except NameTaken:
        return PRESENT
    except (UnconfirmedChange, TimerFailed, Conflict):
        return OPEN
    except InstallNotFound:
        return REFUSED
    except SchedulingError as error:
        return OPEN if "may still" in str(error) or "shortly" in str(error) else REFUSED
    return DONE
