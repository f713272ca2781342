"""The commands `pause`, `resume`, `disable` and `enable`."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from scheduling import bootstrap
from scheduling.domain.ids import InstallId
from scheduling.domain.schedule import Schedule
from scheduling.operations.installs import tenants
from scheduling.operations.installs.tenants import set_tenant_paused

from tests.support.aws.calls import Call, client_error
from tests.support.stacks.admin_cli import CALLER, AdminCli, before_each_call, failing_calls
from tests.support.stacks.world import ADMIN, TENANT, World

ONE = InstallId("install-1")


def register_installs(world: World, number: int) -> Sequence[InstallId]:
    return [world.register_install(InstallId(f"install-{index:03}")) for index in range(number)]


def read_paused(world: World, install_ids: Sequence[InstallId]) -> list[bool]:
    installs = [world.services.schedules.read_snapshot(each).install for each in install_ids]
    return [each.paused for each in installs if each]


def test_a_tenant_is_paused_and_resumed(world: World, admin: AdminCli, schedule: Schedule) -> None:
    result = admin("pause", TENANT, "--yes")
    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines == ["Tenant tenant-1 (1 install) is paused: its schedules no longer fire."]
    assert schedule.id not in world.read_timers()
    assert admin("pause", TENANT, "--yes").lines == ["Tenant tenant-1 was already paused."]
    resumed = admin("resume", TENANT)
    assert resumed.lines == [
        "Tenant tenant-1 (1 install) is resumed: its schedules fire again, but for disabled ones."
    ]
    assert schedule.id in world.read_timers()
    assert admin("resume", TENANT).lines == ["Tenant tenant-1 was already not paused."]


def test_a_paused_tenant_is_reported_as_json(world: World, admin: AdminCli) -> None:
    register_installs(world, 3)
    expected = {"tenantId": TENANT, "paused": True, "changed": True, "installs": 3, "complete": True}
    assert admin("pause", TENANT, "--yes", "--json").document == expected
    assert admin("pause", TENANT, "--yes", "--json").document == {**expected, "changed": False}


def test_a_change_records_the_caller(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    admin("pause", TENANT, "--yes")
    assert world.services.tenants.read_tenant(TENANT).changed_by == CALLER
    admin("disable", ONE, "--yes")
    install = world.services.schedules.read_snapshot(ONE).install
    assert install is not None
    assert install.changed_by == CALLER


def test_a_pause_continues_until_every_install_is_updated(
    world: World, admin: AdminCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call of the operation has time for a page of two installs only."""
    install_ids = register_installs(world, 7)
    ticks = count(0, tenants.TIME_BUDGET * 0.6)
    slow = replace(world.services, monotonic=lambda: next(ticks))
    monkeypatch.setattr(bootstrap, "build_services", lambda *_: slow)
    monkeypatch.setattr(tenants, "PAGE_SIZE", 2)
    result = admin("pause", TENANT, "--yes", "--json")
    assert (result.exit_status, result.document["complete"], result.document["installs"]) == (0, True, 7)
    assert read_paused(world, install_ids) == [True] * 7


def test_a_throttled_pause_says_how_to_continue(world: World, admin: AdminCli) -> None:
    install_ids = register_installs(world, 3)
    update_numbers = iter(range(100))

    def throttle(call: Call) -> None:
        """Fail from the second install on."""
        if call.operation == "UpdateItem" and next(update_numbers):
            raise client_error("ThrottlingException", "UpdateItem")

    with before_each_call(world, throttle):
        result = admin("pause", TENANT, "--yes", "--json")
    assert (result.exit_status, result.lines) == (5, [])
    assert result.errors[-1:] == [
        "The table is not available, please try again. UpdateItem failed with ThrottlingException: "
        "ThrottlingException. Tenant tenant-1 is only partly updated; run the same command again to continue."
    ]
    assert read_paused(world, install_ids) == [True, False, False]
    assert admin("pause", TENANT, "--yes").exit_status == 0
    assert read_paused(world, install_ids) == [True, True, True]


def test_a_pause_yields_to_a_concurrent_resume(
    world: World, admin: AdminCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_installs(world, 3)
    ticks = count(0, tenants.TIME_BUDGET * 0.6)
    slow = replace(world.services, monotonic=lambda: next(ticks))
    monkeypatch.setattr(bootstrap, "build_services", lambda *_: slow)
    monkeypatch.setattr(tenants, "PAGE_SIZE", 1)
    propagate = tenants.propagate_tenant

    def after_a_resume(services: Any, tenant: Any) -> Any:
        set_tenant_paused(world.services, TENANT, paused=False, actor=ADMIN)
        return propagate(services, tenant)

    monkeypatch.setattr("scheduling_admin.commands.tenants.propagate_tenant", after_a_resume)
    result = admin("pause", TENANT, "--yes")
    assert result.exit_status == 1
    assert result.errors == [
        "The tenant was paused or resumed again in the meantime. "
        "Tenant tenant-1 is only partly updated; run the same command again to continue."
    ]
    assert not world.services.tenants.read_tenant(TENANT).paused


@pytest.mark.parametrize(
    ("words", "question"),
    [
        (["pause", TENANT], "Pause tenant tenant-1, with 1 install? [y/N]: "),
        (
            ["pause", "nobody"],
            "Tenant nobody has no installs. Pause it anyway, before it has any? [y/N]: ",
        ),
        (
            ["disable", "install-1"],
            "Disable install install-1 of tenant tenant-1, with its 1 schedule? [y/N]: ",
        ),
    ],
)
def test_what_stops_schedules_asks_for_confirmation(
    world: World, admin: AdminCli, schedule: Schedule, words: list[str], question: str
) -> None:
    for stdin_text in ("n\n", "\n", ""):
        result = admin(*words, stdin_text=stdin_text)
        assert result.exit_status == 4
        assert result.cli_result.stderr.startswith(question.rstrip())
        assert result.errors[-1].endswith("Nothing was changed.")
    assert schedule.id in world.read_timers()
    json_result = admin(*words, "--json")
    assert (json_result.exit_status, json_result.errors) == (
        2,
        ["--json does not prompt: add --yes to confirm."],
    )
    assert json_result.lines == []
    assert schedule.id in world.read_timers()
    assert admin(*words, stdin_text="y\n").exit_status == 0
    assert (schedule.id in world.read_timers()) is ("nobody" in words)


def test_an_install_is_disabled_and_enabled(world: World, admin: AdminCli, schedule: Schedule) -> None:
    result = admin("disable", ONE, "--yes")
    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines == ["Install install-1 is disabled: its schedules no longer fire."]
    assert schedule.id not in world.read_timers()
    assert admin("disable", ONE).lines == ["Install install-1 was already disabled."]
    assert admin("enable", ONE).lines == ["Install install-1 is enabled: its enabled schedules fire again."]
    assert schedule.id in world.read_timers()
    assert admin("enable", ONE).lines == ["Install install-1 was already enabled."]


def test_an_enabled_install_of_a_paused_tenant_does_not_fire(
    world: World, admin: AdminCli, schedule: Schedule
) -> None:
    admin("disable", ONE, "--yes")
    admin("pause", TENANT, "--yes")
    result = admin("enable", ONE, "--json")
    assert (result.document["enabled"], result.document["paused"], result.document["changed"]) == (
        True,
        True,
        True,
    )
    assert schedule.id not in world.read_timers()
    admin("disable", ONE, "--yes")
    assert admin("enable", ONE).lines == [
        "Install install-1 is enabled, but its schedules do not fire yet: the tenant is paused."
    ]


def test_timers_that_are_not_updated_are_reported(world: World, admin: AdminCli, schedule: Schedule) -> None:
    with failing_calls(world, "DeleteSchedule", "ThrottlingException"):
        result = admin("disable", ONE, "--yes")
    assert result.exit_status == 1
    assert result.lines == [
        "Install install-1 is disabled: its schedules no longer fire.",
        "Some timers are not updated yet: the reconciler updates them, or run the same command again.",
    ]
    assert [line.partition(schedule.id)[0] for line in result.errors] == [
        "schedule ",
        "schedules of install install-1 are left to the reconciler: 1 timers of the install are not changed yet; "
        "they follow shortly",
    ]
    second_result = admin("disable", ONE, "--json", "--yes")
    assert (
        second_result.exit_status,
        second_result.document["changed"],
        second_result.document["complete"],
    ) == (0, False, True)
    assert schedule.id not in world.read_timers()


@pytest.mark.parametrize("command", ["disable", "enable"])
def test_an_absent_install_exits_with_3(admin: AdminCli, command: str) -> None:
    result = admin(command, "nope")
    assert (result.exit_status, result.errors, result.lines) == (3, ["Install not found."], [])
