"""Random histories of a one-time schedule, with functions that die at any call: both systems and the history agree."""

from collections import Counter
from contextlib import ExitStack, suppress
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from scheduling.domain.errors import SchedulingError
from scheduling.domain.runs import Fire, Outcome, Run, RunStatus
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.maintenance.parts import sweep_install
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.runs.run_now import run_now
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.update import update_schedule

from tests.support.aws.calls import Call, Killed
from tests.support.oracles.consistency import assert_consistent
from tests.support.stacks.fires import create_fire, execute_fire
from tests.support.stacks.world import (
    ADMIN,
    GROUP,
    START,
    TENANT,
    aws_client,
    create_input,
    new_world,
    update_input,
)

_OUTCOMES = {
    "success": Outcome(status=RunStatus.SUCCESS, http_status=200),
    "retryable": Outcome(status=RunStatus.ERROR, http_status=503, error="503", retryable=True),
    "final": Outcome(status=RunStatus.ERROR, http_status=404, error="404"),
}
_KILL_AT = st.none() | st.integers(1, 4)
_HOURS = st.integers(1, 6)


class OneTimeMachine(RuleBasedStateMachine):
    """One install with one schedule, and what happens to it."""

    @initialize()
    def start(self) -> None:
        self.stack = ExitStack()
        self.world = self.stack.enter_context(new_world(aws="memory"))
        self.install_id = self.world.register_install()
        self.time = START + timedelta(hours=1)
        self.schedule_id = create_schedule(
            self.world.services, self.install_id, create_input(cron=self._rule(), name="once")
        ).id

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()

    def _rule(self) -> str:
        return f"at({self.time:%Y-%m-%dT%H:%M})"

    def _read(self) -> Schedule:
        schedule = self.world.services.schedules.read_snapshot(self.install_id, self.schedule_id).schedule
        assert schedule is not None
        return schedule

    def _runs(self) -> list[Run]:
        page = self.world.services.runs.read_run_page(
            self.install_id, self.schedule_id, before=None, limit=50
        )
        return list(page.runs)

    def _kill_at(self, number: int | None) -> None:
        calls = 0

        def after(_call: Call) -> None:
            nonlocal calls
            calls += 1
            if calls == number:
                raise Killed

        self.world.calls.after = after

    @rule(outcome=st.sampled_from(sorted(_OUTCOMES)), kill_at=_KILL_AT)
    def fire(self, outcome: str, kill_at: int | None) -> None:
        """Deliver the occurrence at its time, or once more."""
        schedule = self._read()
        self.world.clock[0] = max(self.world.clock[0], self.time)
        with suppress(aws_client("scheduler").exceptions.ResourceNotFoundException):
            aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=self.schedule_id)
        self._deliver(create_fire(schedule, f"{self.time:%Y-%m-%dT%H:%M:%SZ}"), outcome, kill_at)

    @rule(outcome=st.sampled_from(sorted(_OUTCOMES)))
    def trigger(self, outcome: str) -> None:
        fires: list[Fire] = []
        self.world.advance(seconds=61)
        with suppress(SchedulingError):
            run_now(
                self.world.services,
                lambda fire, _: fires.append(fire),
                self.install_id,
                self.schedule_id,
                None,
                actor=ADMIN,
            )
        for fire in fires:
            self._deliver(fire, outcome, None)

    def _deliver(self, fire: Fire, outcome: str, kill_at: int | None) -> None:
        self.world.runner.outcome = _OUTCOMES[outcome]
        self._kill_at(kill_at)
        with suppress(Killed):
            execute_fire(self.world.services, self.world.runner, fire)
        self.world.calls.after = None

    @rule(hours=_HOURS, enabled=st.none() | st.booleans())
    def change_rule(self, hours: int, enabled: bool | None) -> None:
        before, self.time = (
            self.time,
            self.world.clock[0].replace(minute=30, second=0) + timedelta(hours=hours),
        )
        fields = {"cron": self._rule(), **({} if enabled is None else {"enabled": enabled})}
        try:
            update_schedule(self.world.services, self.install_id, self.schedule_id, update_input(**fields))
        except SchedulingError:
            self.time = before

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        set_tenant_paused(self.world.services, TENANT, paused=paused, actor=ADMIN)

    @rule(hours=st.sampled_from([1, 2, 100]))
    def wait_and_sweep(self, hours: int) -> None:
        """Let the sweep end what no message continues; a timer whose time has come has deleted itself."""
        self.world.advance(hours=hours)
        if self.world.clock[0] >= self.time:
            with suppress(aws_client("scheduler").exceptions.ResourceNotFoundException):
                aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=self.schedule_id)
        reconcile(self.world.services)
        with suppress(SchedulingError):
            self._sweep()

    def _sweep(self) -> None:

        sweep_install(self.world.services, self.install_id, Counter())

    @invariant()
    def both_systems_and_the_history_agree(self) -> None:
        if not hasattr(self, "world"):
            return
        assert_consistent(self.world)
        schedule = self._read()
        own = [run for run in self._runs() if run.scheduled_time == f"{self.time:%Y-%m-%dT%H:%M:%SZ}"]
        if schedule.completed:
            assert (schedule.definition.enabled, schedule.next_fire) == (False, None)
            assert schedule.expires_at is not None
            assert own
        else:
            assert schedule.expires_at is None
            assert not [run for run in own if run.is_final or run.status is RunStatus.MISSED]


TestOneTime = OneTimeMachine.TestCase
TestOneTime.settings = settings(max_examples=25, stateful_step_count=10, deadline=None)
