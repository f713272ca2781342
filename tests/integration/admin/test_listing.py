"""The commands `installs` and `schedules`."""

from typing import Any

import pytest
from scheduling.domain import exact_json
from scheduling.domain.ids import InstallId
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.installs.uninstall import delete_install
from scheduling.operations.schedules.create import create_schedule

from tests.support.stacks.admin_cli import AdminCli
from tests.support.stacks.world import ADMIN, TENANT, World, create_input, registration_body

WHICH = "Give --tenant or --install; or for all tenants, --failing, --not-firing or --paused."
ONE, TWO = InstallId("install-1"), InstallId("install-2")
ANOTHER_VERSION = {
    "versionId": "version-2",
    "manifest": {
        **registration_body()["manifest"],
        "api": {"endpoints": [{"method": "GET", "path": "/api/both", "handler": "both"}]},
    },
}


def test_the_installs_of_all_tenants_are_listed(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    create_schedule(world.services, ONE, create_input())
    world.register_install(TWO, tenantId="Ärger".encode().hex())
    set_install_enabled(world.services, TWO, enabled=False, actor=ADMIN)
    set_tenant_paused(world.services, TENANT, paused=True, actor=ADMIN)
    result = admin("installs")
    assert (result.exit_status, result.errors) == (0, [])
    assert sorted(result.lines) == sorted(
        [
            "Install, tenant   Extension      Registry, version   Fires                     Schedules   "
            "Last run, next fire",
            "─" * 110,
            "install-1         sample 1.0.0   registry-1          no                        1           -",
            "tenant-1                         version-1           the tenant is paused",
            "",
            "install-2         sample 1.0.0   registry-1          no                        0           -",
            "c38472676572                     version-1           the install is disabled",
        ]
    )


def test_an_install_is_reported_as_json(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    assert admin("installs", "--tenant", TENANT, "--json").document == {
        "installs": [
            {
                "installId": "install-1",
                "tenantId": "tenant-1",
                "registryId": "registry-1",
                "versionId": "version-1",
                "extensionName": "sample",
                "extensionVersion": "1.0.0",
                "contentHash": "sha256:" + "0" * 64,
                "grantedCapabilities": [
                    "cap:context.read",
                    "cap:log.emit",
                    "cap:scheduler.manage",
                    "cap:user.read",
                ],
                "enabled": True,
                "paused": False,
                "deleting": False,
                "scheduleCount": 0,
                "pendingSince": None,
                "changedBy": ADMIN,
                "fires": False,
                "reasons": ["it has no schedules"],
                "firingCount": 0,
                "failingCount": 0,
                "lastRunAt": None,
                "consecutiveFailures": 0,
                "nextFireAt": None,
            }
        ],
        "nextCursor": None,
    }


@pytest.mark.parametrize("filter_options", [["--tenant", TENANT], []], ids=["of a tenant", "of all tenants"])
def test_installs_are_listed_page_by_page(world: World, admin: AdminCli, filter_options: list[str]) -> None:
    expected = {f"install-{number}" for number in range(7)}
    for install in expected:
        world.register_install(InstallId(install))
    install_ids: list[str] = []
    pages, cursor = 0, None
    while pages == 0 or cursor:
        page = admin(
            "installs", *filter_options, "--limit", "3", "--json", *(["--cursor", cursor] if cursor else [])
        ).document
        install_ids += [each["installId"] for each in page["installs"]]
        pages, cursor = pages + 1, page["nextCursor"]
    assert sorted(install_ids) == sorted(expected)
    assert pages == 3


def test_a_page_names_the_cursor_of_the_next(world: World, admin: AdminCli) -> None:
    for install in (ONE, TWO):
        world.register_install(install)
    cursor = admin("installs", "--tenant", TENANT, "--limit", "1", "--json").document["nextCursor"]
    assert admin("installs", "--tenant", TENANT, "--limit", "1").lines[-2:] == [
        "",
        f"There are more: --cursor {cursor}",
    ]
    assert admin("installs", "--tenant", TENANT, "--cursor", cursor).lines[2].startswith("install-2")


@pytest.mark.parametrize(
    ("words", "text", "document"),
    [
        (["installs"], "There are no installs.", {"installs": [], "nextCursor": None}),
        (
            ["installs", "--tenant", "nobody"],
            "There are no installs of tenant nobody.",
            {"installs": [], "nextCursor": None},
        ),
        (
            ["schedules", "--tenant", "nobody"],
            "There are no schedules of nobody.",
            {"schedules": [], "nextCursor": None},
        ),
    ],
)
def test_an_empty_list_is_reported(
    admin: AdminCli, words: list[str], text: str, document: dict[str, Any]
) -> None:
    result = admin(*words)
    assert (result.exit_status, result.lines) == (0, [text])
    assert admin(*words, "--json").document == document


def test_the_schedules_of_an_install_are_listed_with_their_blockers(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    name = "Ärger 日本語 🎉 [red]x[/red]"
    schedules = (
        create_schedule(world.services, ONE, create_input(name=name, timezone="Europe/Berlin")),
        create_schedule(world.services, ONE, create_input(cron="0 0 29 2 *", enabled=False)),
    )
    result = admin("schedules", "--install", ONE, "--fires", "2")
    assert (result.exit_status, result.errors) == (0, [])
    zoned, leap = (each.id[-8:] for each in schedules)
    assert result.lines == [
        "Install install-1 of tenant tenant-1, sample 1.0.0",
        "Schedule                       Rule            In words                               "
        "Fires                      Last run, next fire    Next, local",
        "─" * 160,
        "Ärger 日本語 🎉 [red]x[/red]   0 * * * *       Every hour, Europe/Berlin              "
        "yes                        next                   Mon 2026-11-23 11:00 CET",
        f"{zoned}                       Europe/Berlin                                          "
        "                           2026-11-23T10:00:00Z   Mon 2026-11-23 12:00 CET",
        f"POST /api/sync{' ' * 99}2026-11-23T11:00:00Z",
        "",
        f"{leap}                       0 0 29 2 *      At 00:00, on day 29 of the month,      "
        "no                         -                      -",
        "POST /api/sync                 UTC             only in February, UTC                  "
        "the schedule is disabled",
    ]


def test_a_schedule_is_reported_as_json(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    schedule = create_schedule(
        world.services, ONE, create_input(name="night", cron="30 2 * * *", timezone="Europe/Berlin")
    )
    row = {**admin("schedules", "--install", ONE, "--fires", "1", "--json").document["schedules"][0]}
    assert row == {
        "id": schedule.id,
        "installId": "install-1",
        "extensionName": "sample",
        "extensionVersion": "1.0.0",
        "name": "night",
        "endpointMethod": "POST",
        "endpointPath": "/api/sync",
        "cron": "30 2 * * *",
        "timezone": "Europe/Berlin",
        "enabled": True,
        "disabledReason": None,
        "description": "At 02:30, Europe/Berlin",
        "suspended": False,
        "fires": True,
        "blockers": [],
        "failing": False,
        "waiting": False,
        "unhealthySince": None,
        "nextFires": [{"utc": "2026-11-24T01:30:00Z", "local": "2026-11-24T02:30:00+01:00"}],
        "lastRunAt": None,
        "lastRunStatus": None,
        "lastError": None,
        "lastSuccessAt": None,
        "consecutiveFailures": 0,
        "createdAt": "2026-11-23T09:00:00.000Z",
        "nextFireAt": "2026-11-24T01:30:00Z",
        "revision": 1,
        "timerRevision": 1,
        "timerSince": "2026-11-23T09:00:00.000Z",
        "pendingSince": None,
        "changedBy": "host_api",
        "payload": None,
    }


def test_a_schedule_is_reported_with_its_exact_payload(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    payload = '{"n": 1.0, "big": 12345678901234567890123}'
    create_schedule(world.services, ONE, create_input(payload=exact_json.loads(payload)))
    text = admin("schedules", "--install", ONE, "--json").cli_result.stdout
    assert '"payload":{"n":1.0,"big":12345678901234567890123}' in text


def test_150_schedules_of_a_tenant_are_paged_without_duplicates(world: World, admin: AdminCli) -> None:
    expected = []
    for install in (ONE, TWO, InstallId("install-3")):
        world.register_install(install)
        expected += [create_schedule(world.services, install, create_input()).id for _ in range(50)]
    schedule_ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        cursor_options = ["--cursor", cursor] if cursor else []
        page = admin(
            "schedules", "--tenant", TENANT, "--limit", "40", "--fires", "0", "--json", *cursor_options
        ).document
        schedule_ids += [each["id"] for each in page["schedules"]]
        assert len(page["schedules"]) == (40 if len(schedule_ids) < 150 else 30)
        cursor = page["nextCursor"]
    assert schedule_ids == expected
    assert (
        len(admin("schedules", "--tenant", TENANT, "--limit", "150", "--json").document["schedules"]) == 150
    )


def test_the_schedules_of_an_install_are_paged(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    expected = [create_schedule(world.services, ONE, create_input()).id for _ in range(5)]
    first = admin("schedules", "--install", ONE, "--limit", "3", "--json").document
    second = admin("schedules", "--install", ONE, "--json", "--cursor", first["nextCursor"]).document
    assert [each["id"] for each in (*first["schedules"], *second["schedules"])] == expected
    assert second["nextCursor"] is None


def test_a_schedule_with_a_removed_endpoint_says_so_before_propagation(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    create_schedule(world.services, ONE, create_input())
    install = world.services.schedules.read_snapshot(ONE).install
    assert install is not None
    changed_install = install.with_changes(
        ADMIN, removed_endpoints=frozenset({"POST /api/sync"}), pending_since=world.clock[0]
    )
    world.services.installs.replace_install(install, changed_install)
    (row,) = admin("schedules", "--install", ONE, "--json").document["schedules"]
    reason = "Version version-1 has no endpoint POST /api/sync"
    assert (row["fires"], row["disabledReason"]) == (False, reason)
    assert row["blockers"] == [f"the platform has disabled the schedule: {reason}"]


@pytest.mark.parametrize(
    ("words", "exit_status", "text"),
    [
        (["schedules"], 2, WHICH),
        (["schedules", "--tenant", "a", "--install", "b", "--failing"], 2, WHICH),
        (
            ["schedules", "--failing", "--cursor", "a"],
            2,
            "A list of all tenants has no pages: raise --limit.",
        ),
        (["schedules", "--install", "nope"], 3, "Install not found."),
        (
            ["installs", "--cursor", "bm9uc2Vuc2U="],
            2,
            "--cursor bm9uc2Vuc2U= is not of this list; use the cursor that its previous page printed.",
        ),
    ],
)
def test_what_cannot_be_listed_is_rejected(
    admin: AdminCli, words: list[str], exit_status: int, text: str
) -> None:
    result = admin(*words, "--json")
    assert (result.exit_status, result.errors, result.lines) == (exit_status, [text], [])


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["schedules", "--install", "a b"], "is not an install id"),
        (["schedules", "--tenant", "a b"], "is not a tenant id"),
        (["replay", "--schedule", "nope"], "is not a schedule id"),
        (["installs", "--limit", "0"], "'--limit'"),
        (["installs", "--limit", "many"], "'--limit'"),
        (["nonsense"], "No such command"),
    ],
)
def test_an_invalid_command_line_exits_with_2(admin: AdminCli, words: list[str], text: str) -> None:
    result = admin(*words)
    assert (result.exit_status, result.lines) == (2, [])
    assert text in "\n".join(result.errors)


def test_a_schedule_can_be_named(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    schedule = create_schedule(world.services, ONE, create_input(name="café ☕"))

    assert admin("schedule", ONE, "café ☕", "--json").document["schedule"]["id"] == schedule.id
    unknown = admin("schedule", ONE, "Café ☕")
    assert (unknown.exit_status, unknown.errors) == (
        3,
        ["Install install-1 has no schedule with the id or name 'Café ☕'; `schedules` lists them."],
    )


def test_a_deleted_install_is_not_listed(world: World, admin: AdminCli) -> None:
    world.register_install(ONE)
    delete_install(world.services, ONE, actor=ADMIN)
    assert admin("installs", "--json").document["installs"] == []
