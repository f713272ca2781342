"""What an action is about, what it will do, and what it has done."""

from collections.abc import Callable
from dataclasses import dataclass, field

from htpy import Node
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.rules import ScheduleFields

from scheduling_admin.commands.schedules import find_schedule
from scheduling_admin.console.links import install_link, occurrence_link, schedule_path, tenant_link
from scheduling_admin.stack.session import AdminSession


@dataclass(frozen=True)
class Target:
    """What an action is about: a tenant, an install, a schedule or an occurrence.

    `key` makes a repeated request the same one.
    """

    tenant: str | None = None
    install: InstallId | None = None
    schedule: ScheduleId | None = None
    occurrence: str | None = None
    key: str = ""
    fields: ScheduleFields = field(default_factory=lambda: ScheduleFields())
    revision: int | None = None

    @property
    def link(self) -> str:
        """The page of what the action is about."""
        if self.install and self.schedule:
            if self.occurrence:
                return occurrence_link(self.install, self.schedule, self.occurrence)
            return schedule_path(self.install, self.schedule)
        return install_link(self.install) if self.install else tenant_link(self.tenant or "")

    @property
    def schedule_ids(self) -> tuple[InstallId, ScheduleId]:
        """The ids of the install and the schedule."""
        return InstallId(self.install or ""), ScheduleId(self.schedule or "")


@dataclass(frozen=True)
class Result:
    """What an action did, as text; or where to see it. `succeeded` is False if something is left to do."""

    text: str = ""
    succeeded: bool = True
    see: str | None = None


@dataclass(frozen=True)
class Plan:
    """What an action will do: a question, sentences on its effect, and the same command.

    `details` show what it is about; without `possible`, there is nothing to do.
    """

    question: str
    effects: tuple[str, ...]
    command: str = ""
    details: Node = None
    possible: bool = True


@dataclass(frozen=True)
class Action:
    """One action; a `dangerous` one stops or deletes something."""

    label: str
    plan: Callable[[AdminSession, Target], Plan]
    perform: Callable[[AdminSession, Target], Result]
    needs: str
    dangerous: bool = False


def describe_schedule(session: AdminSession, target: Target) -> str:
    """Return what the schedule is called in a question."""
    _, schedule = find_schedule(session, *target.schedule_ids)
    return schedule.definition.name or f"{schedule.definition.endpoint} ({schedule.id})"
