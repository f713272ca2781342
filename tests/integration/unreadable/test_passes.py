"""Whatever works on many installs, schedules and timers goes on past those that it cannot use, and reports them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from scheduling.api.observability import report_unreadable
from scheduling.domain.errors import UnreadableItem
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.maintenance.reconcile import reconcile
from scheduling.operations.maintenance.sweep import sweep
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.queries import list_schedules

from tests.integration.maintenance.sweeps import DAY, delete_timer, run_sweep
from tests.support.aws.calls import Call, client_error
from tests.support.faults.broken_rows import (
    INSTALLS,
    LEFT_OUT,
    LISTED,
    TIMERS,
    BrokenRow,
    replace_timer,
    set_attribute,
)
from tests.support.stacks.functions import Context, deploy_functions, load_function
from tests.support.stacks.world import ADMIN, TENANT, UNKNOWN_SCHEDULE_ID, World, create_input, on_moto

SCHEDULES = {**LISTED, **LEFT_OUT}


@pytest.fixture
def reported(world: World) -> list[UnreadableItem]:
    """The items that operations report as unreadable."""
    items: list[UnreadableItem] = []
    world.services = replace(world.services, report_unreadable=items.append)
    return items


@pytest.fixture
def schedules(world: World, install_id: InstallId) -> list[Schedule]:
    return [create_schedule(world.services, install_id, create_input(name=f"n{n}")) for n in range(3)]


class TestSweep:
    @pytest.fixture(autouse=True)
    def plan_first_sweep(self, world: World) -> None:
        sweep(world.services, DAY)

    @pytest.mark.parametrize("broken_row", SCHEDULES.values(), ids=SCHEDULES)
    def test_repairs_all_others_and_reports_the_damaged_schedule(
        self, world: World, schedules: list[Schedule], reported: list[UnreadableItem], broken_row: BrokenRow
    ) -> None:
        damaged = schedules[1]
        delete_timer(schedules[0])
        delete_timer(schedules[2])
        broken_row.damage_schedule(damaged)

        repairs = run_sweep(world)

        assert repairs["missing timer"] == 2
        assert repairs["unreadable"] == 1
        assert reported == [
            UnreadableItem("schedule", f"{damaged.id} of install {damaged.install_id}", broken_row.reason)
        ]

    def test_leaves_the_timer_of_an_unreadable_schedule(
        self, world: World, schedules: list[Schedule]
    ) -> None:
        before = world.read_timers()[schedules[1].id]
        LISTED["dropped zone"].damage_schedule(schedules[1])

        run_sweep(world)

        assert world.read_timers()[schedules[1].id] == before

    @pytest.mark.parametrize("broken_row", INSTALLS.values(), ids=INSTALLS)
    def test_goes_on_past_a_damaged_install(
        self,
        world: World,
        install_id: InstallId,
        schedules: list[Schedule],
        reported: list[UnreadableItem],
        broken_row: BrokenRow,
    ) -> None:
        other = create_schedule(world.services, world.register_install(), create_input())
        delete_timer(other)
        broken_row.damage_install(install_id)

        repairs = run_sweep(world)

        assert repairs["missing timer"] == 1
        assert reported == [UnreadableItem("install", install_id, broken_row.reason)]
        assert {schedule.id for schedule in schedules} <= world.read_timers().keys()

    @pytest.mark.parametrize("timer", TIMERS.values(), ids=TIMERS)
    @on_moto
    def test_deletes_and_reports_a_timer_of_no_schedule(
        self,
        world: World,
        schedules: list[Schedule],
        reported: list[UnreadableItem],
        timer: Mapping[str, Any],
    ) -> None:
        replace_timer(UNKNOWN_SCHEDULE_ID, **timer)

        repairs = run_sweep(world)

        assert world.read_timers().keys() == {schedule.id for schedule in schedules}
        assert repairs["orphaned timer"] == 1
        assert [(item.kind, item.id) for item in reported] == [("timer", UNKNOWN_SCHEDULE_ID)]

    @pytest.mark.parametrize("timer", TIMERS.values(), ids=TIMERS)
    @on_moto
    def test_repairs_a_timer_that_was_changed(
        self, world: World, schedules: list[Schedule], timer: Mapping[str, Any]
    ) -> None:
        before = world.read_timers()
        replace_timer(schedules[1].id, **timer)

        repairs = run_sweep(world)

        assert repairs["different timer"] == 1
        assert world.read_timers()[schedules[1].id]["Target"] == before[schedules[1].id]["Target"]

    def test_goes_on_past_a_schedule_that_eventbridge_refuses(
        self, world: World, schedules: list[Schedule], reported: list[UnreadableItem]
    ) -> None:
        for schedule in schedules:
            delete_timer(schedule)

        def refuse(call: Call) -> None:
            if (
                call.operation in ("CreateSchedule", "UpdateSchedule")
                and call.arguments["Name"] == schedules[0].id
            ):
                raise client_error("ValidationException", call.operation)

        world.calls.before = refuse
        repairs = run_sweep(world)

        assert repairs["missing timer"] == 2
        assert {item.id.split()[0] for item in reported} == {schedules[0].id}

    def test_goes_on_past_a_name_that_eventbridge_cannot_have(
        self, world: World, install_id: InstallId, schedules: list[Schedule], reported: list[UnreadableItem]
    ) -> None:
        delete_timer(schedules[0])

        def refuse(call: Call) -> None:
            if call.operation == "GetSchedule" and call.arguments["Name"] == schedules[1].id:
                raise client_error("ValidationException", call.operation)

        world.calls.before = refuse
        repairs = run_sweep(world)

        assert repairs["missing timer"] == 1
        assert {item.id for item in reported} == {
            f"{schedules[1].id} of install {install_id}", schedules[1].id
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("attribute", "value"),
        [("nextSweepAt", {"S": "soon"}), ("phase", {"S": "tenants"}), ("nextSweepAt", None)],
        ids=["malformed time", "unknown phase", "no time"],
    )
    def test_starts_anew_where_its_progress_cannot_be_read(
        self,
        world: World,
        schedules: list[Schedule],
        reported: list[UnreadableItem],
        attribute: str,
        value: Mapping[str, Any] | None,
    ) -> None:
        delete_timer(schedules[0])
        set_attribute("SWEEP", "STATE", attribute, value)

        repairs = run_sweep(world)

        assert repairs["missing timer"] == 1
        assert [item.kind for item in reported] == ["sweep"]

    @on_moto
    def test_lists_the_timers_again_where_its_page_token_is_refused(
        self, world: World, schedules: list[Schedule]
    ) -> None:
        del schedules
        replace_timer(UNKNOWN_SCHEDULE_ID, **TIMERS["input 5"])
        state = world.services.sweeps.read_sweep_state()
        assert state is not None
        for name, value in (("phase", "timers"), ("cursor", "a token of another day")):
            set_attribute("SWEEP", "STATE", name, {"S": value})

        def refuse(call: Call) -> None:
            if call.arguments.get("NextToken") == "a token of another day":
                raise client_error("ValidationException", call.operation)

        world.calls.before = refuse
        assert run_sweep(world)["orphaned timer"] == 1

    def test_an_unforeseen_failure_of_one_install_stops_no_other(
        self, world: World, schedules: list[Schedule], reported: list[UnreadableItem]
    ) -> None:
        install_id = world.register_install()
        delete_timer(schedules[0])

        def fail(call: Call) -> None:
            if call.operation == "Query" and f"INSTALL#{install_id}" in json.dumps(call.arguments):
                raise KeyError("unforeseen")

        world.calls.before = fail
        repairs = run_sweep(world)

        assert repairs["missing timer"] == 1
        assert reported == [UnreadableItem("install", install_id, "KeyError")]


class TestReconcile:
    @pytest.mark.parametrize("broken_row", SCHEDULES.values(), ids=SCHEDULES)
    def test_pending_changes_of_all_others_are_finished(
        self, world: World, schedules: list[Schedule], broken_row: BrokenRow
    ) -> None:
        mark_pending(world, *schedules)
        delete_timer(schedules[0])
        delete_timer(schedules[2])
        broken_row.damage_schedule(schedules[1])
        world.advance(seconds=61)

        report = reconcile(world.services)

        assert (report.synced, report.failed) == (3, 0)
        assert world.read_timers().keys() == {schedule.id for schedule in schedules}
        assert reconcile(world.services).synced == 0

    def test_a_mark_that_cannot_be_read_stops_nothing(
        self, world: World, schedules: list[Schedule], reported: list[UnreadableItem]
    ) -> None:
        mark_pending(world, *schedules)
        BrokenRow("pendingSince", {"S": "1"}, "").damage_schedule(schedules[1])
        world.advance(seconds=61)

        report = reconcile(world.services)

        assert (report.synced, report.failed, report.oldest_age.total_seconds()) == (3, 0, 61)
        assert [item.reason for item in reported] == ["pendingSince is malformed"]


class TestMetrics:
    @on_moto
    def test_are_emitted_when_reconciler_and_sweep_meet_damaged_items(
        self, world: World, schedules: list[Schedule], capsys: pytest.CaptureFixture[str]
    ) -> None:
        sweep(world.services, DAY)
        world.services = replace(world.services, report_unreadable=report_unreadable)
        LISTED["dropped zone"].damage_schedule(schedules[0])
        replace_timer(UNKNOWN_SCHEDULE_ID, **TIMERS["input 5"])
        delete_timer(schedules[1])
        world.advance(hours=25)

        with deploy_functions(world):
            result = load_function("reconcile").handler({}, Context())

        metrics = read_metrics(capsys)
        assert result["repaired"]["unreadable"] == 2
        assert metrics["UnreadableItems"] == 2
        assert (metrics["DriftRepaired"], metrics["PendingFailed"]) == (2, 0)

    def test_are_emitted_when_the_reconciler_fails(
        self, world: World, schedules: list[Schedule], capsys: pytest.CaptureFixture[str]
    ) -> None:
        sweep(world.services, DAY)
        delete_timer(schedules[0])
        world.advance(hours=25)

        def fail(call: Call) -> None:
            if call.arguments.get("IndexName") == "pending":
                raise client_error("AccessDeniedException", call.operation)

        world.calls.before = fail
        with deploy_functions(world), pytest.raises(Exception, match="AccessDenied"):
            load_function("reconcile").handler({}, Context())

        metrics = read_metrics(capsys)
        assert metrics["DriftRepaired"] == 1
        assert "OldestPendingSeconds" not in metrics

    def test_are_emitted_when_both_fail(
        self, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def fail(*_: object) -> None:
            raise ValueError("unforeseen")

        with deploy_functions(world):
            function = load_function("reconcile")
            monkeypatch.setattr(function, "reconcile", fail)
            monkeypatch.setattr(function, "sweep", fail)
            with pytest.raises(ValueError, match="unforeseen"):
                function.handler({}, Context())

        assert read_metrics(capsys) == {"UnreadableItems": 0}


class TestInstalls:
    @pytest.mark.parametrize("broken_row", SCHEDULES.values(), ids=SCHEDULES)
    def test_a_disabled_and_enabled_install_has_its_timers_again(
        self, world: World, install_id: InstallId, schedules: list[Schedule], broken_row: BrokenRow
    ) -> None:
        broken_row.damage_schedule(schedules[1])

        set_install_enabled(world.services, install_id, enabled=False, actor=ADMIN)
        assert world.read_timers() == {}
        set_install_enabled(world.services, install_id, enabled=True, actor=ADMIN)

        assert world.read_timers().keys() == list_readable(world, install_id)
        install = world.services.installs.read_install(install_id)
        assert install is not None
        assert install.pending_since is None

    @pytest.mark.parametrize("broken_row", SCHEDULES.values(), ids=SCHEDULES)
    def test_an_install_with_a_damaged_schedule_is_deleted(
        self, world: World, install_id: InstallId, schedules: list[Schedule], broken_row: BrokenRow
    ) -> None:
        broken_row.damage_schedule(schedules[1])

        delete_install(world.services, install_id, actor=ADMIN)

        assert world.scan_rows(install_id) == []
        assert world.read_timers() == {}

    @pytest.mark.parametrize("broken_row", INSTALLS.values(), ids=INSTALLS)
    def test_a_damaged_install_is_deleted(
        self, world: World, install_id: InstallId, schedules: list[Schedule], broken_row: BrokenRow
    ) -> None:
        del schedules
        broken_row.damage_install(install_id)

        delete_install(world.services, install_id, actor=ADMIN)

        assert world.scan_rows(install_id) == []
        assert world.read_timers() == {}

    @pytest.mark.parametrize("broken_row", INSTALLS.values(), ids=INSTALLS)
    def test_a_damaged_install_is_corrected_by_its_registration(
        self, world: World, install_id: InstallId, schedules: list[Schedule], broken_row: BrokenRow
    ) -> None:
        broken_row.damage_install(install_id)

        world.register_install(install_id)

        install = world.services.installs.read_install(install_id)
        assert install is not None
        assert install.unreadable is None
        assert [each.id for each in list_schedules(world.services, install_id).schedules] == [
            schedule.id for schedule in schedules
        ]
        assert world.read_timers().keys() == {schedule.id for schedule in schedules}

    def test_an_install_corrected_while_its_tenant_is_paused_stays_paused(
        self, world: World, install_id: InstallId, schedules: list[Schedule]
    ) -> None:
        del schedules
        set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)
        BrokenRow("paused", {"S": "yes"}, "").damage_install(install_id)

        world.register_install(install_id)

        assert world.read_timers() == {}
        install = world.services.installs.read_install(install_id)
        assert install is not None
        assert (install.paused, install.unreadable) == (True, None)

    def test_a_damaged_schedule_does_not_keep_its_install_from_a_version(
        self, world: World, install_id: InstallId, schedules: list[Schedule]
    ) -> None:
        LEFT_OUT["no path"].damage_schedule(schedules[1])

        assert world.put_install(install_id, versionId="version-2").changed


class TestTenants:
    @pytest.mark.parametrize("broken_row", SCHEDULES.values(), ids=SCHEDULES)
    def test_pause_and_resume_reach_all_other_schedules(
        self, world: World, schedules: list[Schedule], broken_row: BrokenRow
    ) -> None:
        others = [create_schedule(world.services, world.register_install(), create_input()) for _ in range(2)]
        broken_row.damage_schedule(schedules[1])

        paused = set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)
        assert world.read_timers() == {}
        resumed = set_tenant_paused(world.services, TENANT, paused=False, actor=ADMIN)

        assert (paused.complete, resumed.complete) == (True, True)
        readable = list_readable(world, schedules[0].install_id)
        assert readable >= {schedules[0].id, schedules[2].id}
        assert world.read_timers().keys() == readable | {schedule.id for schedule in others}

    @pytest.mark.parametrize("broken_row", INSTALLS.values(), ids=INSTALLS)
    def test_pause_and_resume_reach_all_other_installs(
        self, world: World, install_id: InstallId, schedules: list[Schedule], broken_row: BrokenRow
    ) -> None:
        del schedules
        other = create_schedule(world.services, world.register_install(), create_input())
        broken_row.damage_install(install_id)

        assert set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN).complete
        assert world.read_timers() == {}
        assert set_tenant_paused(world.services, TENANT, paused=False, actor=ADMIN).complete
        assert other.id in world.read_timers()

    def test_an_install_that_cannot_be_changed_is_left_to_the_reconciler(
        self, world: World, install_id: InstallId
    ) -> None:
        others = [create_schedule(world.services, world.register_install(), create_input()) for _ in range(2)]
        schedule = create_schedule(world.services, install_id, create_input())

        def refuse(call: Call) -> None:
            if call.operation == "UpdateItem" and call.arguments["Key"]["pk"] == {
                "S": f"INSTALL#{install_id}"
            }:
                raise client_error("ValidationException", call.operation)

        world.calls.before = refuse
        result = set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)
        world.calls.before = None

        assert (result.complete, result.failed_count) == (False, 1)
        assert world.read_timers().keys() == {schedule.id}
        assert not {each.id for each in others} & world.read_timers().keys()
        world.advance(seconds=61)
        for _ in range(2):
            reconcile(world.services)
            world.advance(seconds=61)
        assert world.read_timers() == {}

    @pytest.mark.parametrize("attribute", ["paused", "generation", "changedBy"])
    def test_a_damaged_tenant_can_be_paused_and_resumed(
        self, world: World, schedules: list[Schedule], attribute: str
    ) -> None:
        set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)
        set_attribute(f"TENANT#{TENANT}", "TENANT", attribute, {"L": []})

        assert set_tenant_paused(world.services, TENANT, paused=False, actor=ADMIN).complete

        assert world.read_timers().keys() == {schedule.id for schedule in schedules}
        assert world.services.tenants.read_tenant(TENANT).unreadable is None


def list_readable(world: World, install_id: InstallId) -> set[str]:
    """Return the schedules that can be read; a change of the install may have replaced what was damaged."""
    schedules = world.services.schedules.read_all_schedules(install_id)
    return {schedule.id for schedule in schedules if not schedule.unreadable}


def mark_pending(world: World, *schedules: Schedule) -> None:
    for schedule in schedules:
        world.services.schedules.replace_schedule(schedule, schedule.marked_pending(world.clock[0]))


def read_metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """Return the sums of the metrics that were emitted."""
    sums: dict[str, float] = {}
    for line in capsys.readouterr().out.splitlines():
        emitted = json.loads(line)
        for directive in emitted.get("_aws", {}).get("CloudWatchMetrics", []):
            for metric in directive["Metrics"]:
                sums[metric["Name"]] = sums.get(metric["Name"], 0) + sum(emitted[metric["Name"]])
    return sums
