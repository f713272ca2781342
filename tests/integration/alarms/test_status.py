"""The command `status`."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import RunStatus, format_time
from scheduling.domain.schedule import Schedule
from scheduling.domain.sweeps import SweepState
from scheduling.operations.installs.register import set_install_enabled
from scheduling.operations.installs.tenants import set_tenant_paused
from scheduling.operations.schedules.create import create_schedule

from tests.support.faults.broken_rows import set_attribute
from tests.support.stacks.admin_cli import ANY_SCHEDULE_ID, STACK_NAME, AdminCli, execute_at, failing_calls
from tests.support.stacks.world import ADMIN, TENANT, UNKNOWN_SCHEDULE_ID, World, aws_client, create_input


def put_metric(world: World, name: str, value: float, **dimensions: str) -> None:
    """Put one value, a minute ago."""
    names = {"service": STACK_NAME, **dimensions}
    aws_client("cloudwatch").put_metric_data(
        Namespace="ExtensionScheduler",
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": each} for key, each in names.items()],
                "Timestamp": world.clock[0] - timedelta(minutes=1),
                "Value": value,
            }
        ],
    )


@pytest.fixture
def schedule(world: World) -> Schedule:
    """An hourly schedule of install-1."""
    install_id = world.register_install(InstallId("install-1"))
    return create_schedule(world.services, install_id, create_input(name="hourly"))


@pytest.fixture
def swept(world: World) -> World:
    """A stack whose reconciler runs, and whose last sweep found nothing."""
    put_metric(world, "OldestPendingSeconds", 0)
    state = SweepState(
        next_sweep_at=world.clock[0] + timedelta(hours=1), started_at=world.clock[0] - timedelta(hours=23)
    )
    world.services.sweeps.save_sweep_state(None, state)
    return world


def test_a_stack_without_problems_is_shown_on_one_screen(swept: World, admin: AdminCli) -> None:
    put_metric(swept, "RunnerResponses", 7, code="200")
    put_metric(swept, "FinishedOccurrences", 7)
    put_metric(swept, "Lateness", 1.5)

    result = admin("status", env={"COLUMNS": "80"})

    assert (result.exit_status, result.errors) == (0, [])
    assert result.lines == [
        "extension-scheduler in eu-central-1, 2026-11-23T09:00:00Z",
        "Runner, occurrences and waiting are those of the last 60 minutes.",
        "",
        "Runner             200: 7",
        "Occurrences        7 ended, 0 of them failed for good; at most 1.5 s late",
        "Waiting            none",
        "Queue              0 ready, 0 running, 0 delayed",
        "Dead letters       none",
        "Pending changes    none",
        "Failing            none",
        "Last sweep         started 2026-11-22T10:00:00Z (23 h ago); found nothing",
        "Paused tenants     none",
        "Disabled installs  none",
        "Not granted        none",
        "Unpublished        none",
        "",
        "Nothing is wrong.",
        "Timers that others have changed or deleted are found by the sweep alone.",
    ]


def test_what_is_wrong_is_said_with_what_helps(swept: World, admin: AdminCli) -> None:
    put_metric(swept, "RunnerResponses", 2, code="200")
    put_metric(swept, "RunnerResponses", 3, code="401")
    fire = {"installId": "install-1", "revision": 1, "scheduledTime": "2026-11-23T08:00:00Z"}
    for reason in ("The runner answered 401", "The runner answered 401", "an\n  error"):
        admin.send_dead_letter({**fire, "scheduleId": UNKNOWN_SCHEDULE_ID}, ERROR_MESSAGE=reason)
    admin.send_dead_letter("nothing", admin.timer_dead_letter_queue_url)
    aws_client("sqs").send_message(QueueUrl=admin.unpublished_queue_url, MessageBody="{}")

    result = admin("status", env={"COLUMNS": "80"})

    assert (result.exit_status, result.errors) == (1, [])
    first = result.lines.index(next(line for line in result.lines if line.startswith("Dead letters")))
    counted = [re.sub(r"first .* ago", "first", line) for line in result.lines[first : first + 5]]
    assert counted == [
        "Dead letters       4",
        "                   2, the first: The runner answered 401",
        "                   1, the first: It names no occurrence: installId is",
        "                   missing",
        "                   1, the first: an error",
    ]
    assert result.lines[result.lines.index("Wrong:") :] == [
        "Wrong:",
        "- The runner refused 3 attempts (401: 3).",
        "  Check its URL, the service token and its version; then `replay`.",
        "- There are 4 dead letters.",
        "  Repair the cause, then `replay`; `replay --dry-run` lists them.",
        "- 1 batch of changes is not published.",
        "  Repair the cause, then `republish`, within 18 hours.",
    ]


def test_a_long_problem_is_indented(swept: World, admin: AdminCli, schedule: Schedule) -> None:
    swept.services.schedules.replace_schedule(schedule, schedule.marked_pending(swept.clock[0]))
    swept.advance(minutes=30)
    put_metric(swept, "OldestPendingSeconds", 0)
    lines = admin("status", env={"COLUMNS": "80"}).lines
    assert lines[lines.index("Wrong:") + 1 :] == [
        "- A change has been pending for 30 min: schedule",
        f"  {ANY_SCHEDULE_ID} of install install-1.",
        "  `reconcile` applies it, or shows what prevents it.",
    ]


def test_json_has_all_of_it(swept: World, admin: AdminCli) -> None:
    put_metric(swept, "RunnerResponses", 1, code="503")
    put_metric(swept, "Waiting", 1, cause="no_capacity")
    put_metric(swept, "Lateness", 90)

    result = admin("status", "--json")

    assert result.exit_status == 1
    document = result.document
    assert document.pop("problems") == [
        {
            "code": "runner-down",
            "text": "The runner is down or has no capacity: 1 attempt (503: 1).",
            "advice": "Start the runner. Occurrences wait, nothing is lost.",
        }
    ]
    assert document == {
        "stack": STACK_NAME,
        "region": "eu-central-1",
        "checkedAt": "2026-11-23T09:00:00Z",
        "ok": False,
        "metrics": {
            "runnerResponses": {"503": 1},
            "finished": 0,
            "failed": 0,
            "waiting": {"no_capacity": 1},
            "maxLatenessSeconds": 90,
            "oldestMessageSeconds": None,
            "reconciledAt": "2026-11-23T08:55:00Z",
        },
        "deadLetters": {"count": 0, "complete": True, "reasons": []},
        "pending": {"count": 0, "complete": True, "oldest": None, "oldestSince": None},
        "queue": {"ready": 0, "running": 0, "delayed": 0},
        "sweep": {
            "startedAt": "2026-11-22T10:00:00Z",
            "running": False,
            "nextAt": "2026-11-23T10:00:00Z",
            "finds": {},
            "schedules": {"complete": True, "items": []},
        },
        "failing": {"complete": True, "items": []},
        "pausedTenants": {"complete": True, "items": []},
        "disabledInstalls": {"complete": True, "items": []},
        "notGrantedInstalls": {"complete": True, "items": []},
        "unpublished": 0,
    }


def test_without_metrics_the_rest_is_shown(swept: World, admin: AdminCli) -> None:
    with failing_calls(swept, "GetMetricData"):
        result = admin("status", "--json")

    (problem,) = result.document["problems"]
    assert (result.exit_status, result.document["metrics"], problem["code"]) == (1, None, "metrics-unread")
    assert "AWS denies GetMetricData" in problem["text"]
    assert result.document["queue"] == {"ready": 0, "running": 0, "delayed": 0}


@pytest.mark.usefixtures("swept")
def test_a_stack_costs_the_same_requests_however_large_it_is(admin: AdminCli) -> None:
    admin("status")

    operations = [call.operation for call in admin.calls if call.service != "cloudformation"]
    assert sorted(operations) == [
        "BatchGetItem",
        "GetMetricData",
        *["GetQueueAttributes"] * 4,
        # For each part of the indexes of pending rows and of what is unhealthy, of which the tests have two;
        # for paused tenants, for disabled installs, for those without the capability, and for the two parts of what the
        # last sweep has found.
        *["Query"] * 9,
    ]


def test_what_fails_and_what_somebody_has_stopped_is_listed(
    swept: World, admin: AdminCli, schedule: Schedule
) -> None:
    execute_at(swept, schedule, 10, status=RunStatus.ERROR, http_status=404, error="no such thing")
    other = swept.register_install(InstallId("install-2"), tenantId="tenant-2")
    set_install_enabled(swept.services, other, enabled=False, actor=ADMIN)
    set_tenant_paused(swept.services, "tenant-3", paused=True, actor=ADMIN)

    document = admin("status", "--json").document
    lines = admin("status", env={"COLUMNS": "80"}).lines

    assert document["failing"]["items"] == [
        {
            "scheduleId": schedule.id,
            "name": "hourly",
            "installId": "install-1",
            "tenantId": TENANT,
            "since": "2026-11-23T10:00:00Z",
            "waiting": False,
            "consecutiveFailures": 1,
            "error": "no such thing",
        }
    ]
    since = "2026-11-23T10:00:00Z"
    assert document["pausedTenants"] == {"complete": True, "items": [{"id": "tenant-3", "since": since}]}
    assert document["disabledInstalls"] == {"complete": True, "items": [{"id": other, "since": since}]}
    assert "schedules-fail" in {each["code"] for each in document["problems"]}
    assert "Failing            hourly of install-1: 1 in a row, for 0 ms" in lines
    assert "Paused tenants     tenant-3, for 0 ms" in lines
    assert "Disabled installs  install-2, for 0 ms" in lines
    assert max(map(len, lines)) <= 80


def test_what_is_started_again_is_no_longer_listed(swept: World, admin: AdminCli) -> None:
    for enabled in (False, True):
        swept.register_install(InstallId("install-1"), enabled=enabled)
    swept.register_install(InstallId("install-2"), enabled=False)
    set_install_enabled(swept.services, InstallId("install-2"), enabled=True, actor=ADMIN)
    for paused in (True, False):
        set_tenant_paused(swept.services, TENANT, paused=paused, actor=ADMIN)

    document = admin("status", "--json").document

    assert document["pausedTenants"]["items"] == document["disabledInstalls"]["items"] == []


UNGRANTED: Mapping[str, object] = {"grantedCapabilities": []}


@pytest.mark.usefixtures("schedule")
def test_an_install_that_has_lost_the_capability_is_listed(swept: World, admin: AdminCli) -> None:
    swept.register_install(InstallId("install-1"), **UNGRANTED)

    result = admin("status", env={"COLUMNS": "80"})
    document = admin("status", "--json").document

    assert "Not granted        install-1: cap:scheduler.manage, for 0 ms" in result.lines
    assert document["notGrantedInstalls"] == {
        "complete": True,
        "items": [{"id": "install-1", "since": "2026-11-23T09:00:00Z"}],
    }
    assert (result.exit_status, document["problems"]) == (0, [])


@pytest.mark.parametrize(
    ("steps", "disabled", "ungranted"),
    [
        pytest.param([{}], [], [], id="granted"),
        pytest.param([UNGRANTED], [], [0], id="revoked"),
        pytest.param([UNGRANTED, UNGRANTED], [], [0], id="registered again"),
        pytest.param([UNGRANTED, {}], [], [], id="granted again"),
        pytest.param([UNGRANTED, {}, UNGRANTED], [], [2], id="revoked again"),
        pytest.param([{**UNGRANTED, "enabled": False}], [0], [], id="disabled as well"),
        pytest.param([UNGRANTED, False], [1], [], id="then disabled"),
        pytest.param([UNGRANTED, False, True], [], [0], id="then disabled and enabled"),
        pytest.param([False, UNGRANTED], [], [1], id="disabled, then enabled without it"),
        pytest.param([False, {**UNGRANTED, "enabled": False}, True], [], [1], id="revoked while disabled"),
        pytest.param([UNGRANTED, False, {}], [], [], id="all undone at once"),
    ],
)
@pytest.mark.usefixtures("schedule")
def test_an_install_is_listed_once_and_since_when_it_is_so(
    swept: World,
    admin: AdminCli,
    steps: Sequence[Mapping[str, object] | bool],
    disabled: Sequence[int],
    ungranted: Sequence[int],
) -> None:
    """Each step is an hour after the one before; a list has the numbers of the steps since which it has the install."""
    start, install_id = swept.clock[0], InstallId("install-1")
    for hours, step in enumerate(steps):
        swept.clock[0] = start + timedelta(hours=hours)
        if isinstance(step, bool):
            set_install_enabled(swept.services, install_id, enabled=step, actor=ADMIN)
        else:
            swept.register_install(install_id, **step)

    document = admin("status", "--json").document

    for name, hours_since in (("disabledInstalls", disabled), ("notGrantedInstalls", ungranted)):
        times = [format_time(start + timedelta(hours=each)) for each in hours_since]
        assert [item["since"] for item in document[name]["items"]] == times


def test_an_install_that_has_no_schedules_is_not_listed_without_the_capability(
    swept: World, admin: AdminCli
) -> None:
    swept.register_install(InstallId("install-2"), **UNGRANTED)
    swept.register_install(InstallId("install-3"))
    swept.register_install(InstallId("install-3"), **UNGRANTED)

    assert admin("status", "--json").document["notGrantedInstalls"]["items"] == []


def test_a_paused_tenant_whose_install_is_disabled_is_listed_as_both(
    swept: World, admin: AdminCli, schedule: Schedule
) -> None:
    set_tenant_paused(swept.services, TENANT, paused=True, actor=ADMIN)
    set_install_enabled(swept.services, schedule.install_id, enabled=False, actor=ADMIN)

    document = admin("status", "--json").document
    (shown,) = admin("schedules", "--install", schedule.install_id, "--json").document["schedules"]

    assert [each["id"] for each in document["pausedTenants"]["items"]] == [TENANT]
    assert [each["id"] for each in document["disabledInstalls"]["items"]] == ["install-1"]
    assert shown["blockers"] == ["the install is disabled", "the tenant is paused"]


def test_a_time_that_cannot_be_read_is_unknown(swept: World, admin: AdminCli) -> None:
    set_tenant_paused(swept.services, "tenant-3", paused=True, actor=ADMIN)
    set_attribute("TENANT#tenant-3", "TENANT", "unhealthySince", {"S": "yesterday"})

    result = admin("status", env={"COLUMNS": "80"})

    assert (result.exit_status, result.errors) == (0, [])
    assert "Paused tenants     tenant-3, for an unknown time" in result.lines


def test_what_the_last_sweep_has_found_is_named(swept: World, admin: AdminCli) -> None:
    schedules = [
        create_schedule(
            swept.services, swept.register_install(InstallId(f"install-{number}")), create_input()
        )
        for number in range(7)
    ]
    for each in schedules:
        swept.services.timers.delete_timer(each.id)
    swept.advance(minutes=5)

    admin("reconcile", "--sweep")
    swept.advance(minutes=3)

    result = admin("status", env={"COLUMNS": "80"})
    assert (result.exit_status, result.errors) == (0, [])
    first = next(number for number, line in enumerate(result.lines) if line.startswith("Last sweep"))
    rows = [line[19:] for line in result.lines[first : first + 8]]
    assert rows[0] == "started 2026-11-23T09:05:00Z (3 min ago); found missing"
    assert rows[1] == "timer: 7"
    assert rows[2].startswith(f"{ANY_SCHEDULE_ID} of install-")
    assert [line.endswith(": no timer") for line in rows[2:7]] == [True] * 5
    assert rows[7] == "2 more"
    listed = admin("status", "--json").document["sweep"]["schedules"]
    assert listed["complete"] is True
    items = sorted(listed["items"], key=lambda item: item["installId"])
    assert [item["installId"] for item in items] == [f"install-{number}" for number in range(7)]
    assert items[0] == {
        "scheduleId": schedules[0].id,
        "name": None,
        "installId": "install-0",
        "tenantId": TENANT,
        "time": "2026-11-23T09:05:00.000Z",
        "differences": [{"name": "timer", "actual": False, "expected": True}],
    }
