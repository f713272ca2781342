"""The operator's command line on a running stack, to which it has only the endpoint."""

import fcntl
import json
import os
import subprocess
from pathlib import Path

import pytest

from local.cloudformation.deploy import STACK_NAME
from local.settings import PROJECT_ROOT
from tests.support.stacks.admin_process import COMMAND, TIMEOUT_SECONDS, AdminProcess
from tests.support.stacks.local_stack import ApiInstall, LocalStack, start_local_stack, wait_for
from tests.support.stacks.scripted_runner import extension_response

pytestmark = pytest.mark.local_only("the command is the same there")
SCHEDULE_NAME = "Ärger 日本語 🎉"


@pytest.fixture
def admin(stack: LocalStack) -> AdminProcess:
    return AdminProcess(stack.aws_url, {})


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> str:
    return f"tenant-of-{request.node.name}"


def test_admin_lists_installs_and_schedules(stack: LocalStack, admin: AdminProcess, tenant: str) -> None:
    install = stack.register_install(tenantId=tenant)
    schedule = install.create_schedule(name=SCHEDULE_NAME, timezone="Europe/Berlin", cron="0 9 * * *")
    (listed_install,) = admin.run_json("installs", "--tenant", tenant)["installs"]
    assert (listed_install["installId"], listed_install["scheduleCount"]) == (install.id, 1)
    assert install.id in {
        each["installId"] for each in admin.run_json("installs", "--limit", "1000")["installs"]
    }
    (listed_schedule,) = admin.run_json("schedules", "--install", install.id)["schedules"]
    assert (listed_schedule["id"], listed_schedule["name"], listed_schedule["fires"]) == (
        schedule,
        SCHEDULE_NAME,
        True,
    )
    assert {fire["local"][11:16] for fire in listed_schedule["nextFires"]} == {"09:00"}
    output = admin("schedule", install.id, schedule)
    assert (output.returncode, output.stderr) == (0, "")
    assert f"Name        {SCHEDULE_NAME}\n" in "\n".join(
        line.rstrip() + "\n" for line in output.stdout.splitlines()
    )
    assert "The timer is in sync." in output.stdout


def test_explain_uses_the_stack_clock(stack: LocalStack, admin: AdminProcess) -> None:
    install = stack.register_install()
    schedule = install.create_schedule(cron="0 * * * *")
    (fired,) = [each for each in stack.advance_clock("PT1H") if each["scheduleId"] == schedule]
    explanation = admin.run_json("explain", install.id, schedule, fired["scheduledTime"])
    assert (explanation["verdict"], explanation["run"]["httpStatus"]) == ("succeeded", 200)
    later = stack.control.get("/_local/clock").json()["now"][:14] + "00:00Z"
    assert admin.run_json("explain", install.id, schedule, later)["verdict"] == "succeeded"
    stack.runner.respond = lambda _request: extension_response(503)
    (failed,) = [each for each in stack.advance_clock("PT1H") if each["scheduleId"] == schedule]
    explanation = admin.run_json("explain", install.id, schedule, failed["scheduledTime"], exit_status=1)
    assert (explanation["verdict"], len(explanation["deadLetters"])) == ("failed", 1)
    stack.receive_dead_letters()


def test_status_shows_what_the_runner_has_responded(stack: LocalStack, admin: AdminProcess) -> None:
    install = stack.register_install()
    install.create_schedule(cron="0 * * * *")
    stack.advance_clock("PT1H")

    def read_responses() -> int:
        """Return how many responses with status 200 the command shows, whatever is wrong with the shared stack."""
        metrics = json.loads(admin("status", "--json").stdout)["metrics"]
        return int(metrics["runnerResponses"].get("200", 0))

    assert wait_for(read_responses, bool)


def test_dead_letters_are_replayed(stack: LocalStack, admin: AdminProcess) -> None:
    stack.receive_dead_letters()
    install = stack.register_install()
    schedule = install.create_schedule()
    stack.runner.respond = lambda _request: extension_response(503)
    (failed,) = [each for each in stack.advance_clock("PT1H") if each["scheduleId"] == schedule]
    (dead_letter,) = admin.run_json("replay", "--dry-run", "--schedule", schedule)["deadLetters"]
    assert (dead_letter["scheduleId"], dead_letter["scheduledTime"]) == (schedule, failed["scheduledTime"])
    assert dead_letter["reason"].startswith("The extension answered 503")
    assert admin("replay", stdin_text="n\n").returncode == 4
    stack.runner.respond = lambda _request: extension_response()
    assert admin.run_json("replay", "--yes", "--reason", "answered 503")["delivered"] == 1
    runs = wait_for(lambda: install.list_runs(schedule), lambda runs: runs[0]["status"] == "success")
    assert [run["attempt"] for run in runs] == [4]
    assert stack.receive_dead_letters() == []


def test_a_tenant_and_an_install_are_stopped_and_resumed(
    stack: LocalStack, admin: AdminProcess, tenant: str
) -> None:
    installs = [stack.register_install(tenantId=tenant) for _ in range(2)]
    schedules = [install.create_schedule() for install in installs]
    paused = admin("pause", tenant, stdin_text="y\n")
    assert paused.returncode == 0
    assert paused.stdout.strip() == f"Tenant {tenant} (2 installs) is paused: its schedules no longer fire."
    assert paused.stderr == f"Pause tenant {tenant}, with 2 installs? [y/N]:"
    assert count_timers(installs, schedules) == [False, False]
    assert admin.run_json("resume", tenant)["complete"] is True
    assert count_timers(installs, schedules) == [True, True]
    assert admin.run_json("disable", installs[0].id, "--yes")["changedBy"].startswith("admin:arn:aws:sts::")
    assert count_timers(installs, schedules) == [False, True]
    assert admin.run_json("enable", installs[0].id)["enabled"] is True


def count_timers(installs: list[ApiInstall], schedules: list[str]) -> list[bool]:
    return [
        install.read_timer(schedule) is not None
        for install, schedule in zip(installs, schedules, strict=True)
    ]


def test_run_triggers_a_manual_run(stack: LocalStack, admin: AdminProcess) -> None:
    install = stack.register_install()
    schedule = install.create_schedule()
    document = admin.run_json("run", install.id, schedule, "--wait")
    assert (document["run"]["status"], document["run"]["trigger"]) == ("success", "manual")
    (request,) = stack.runner.requests_for_schedule(schedule)
    assert request.body["context"]["scheduled_for"] == document["scheduledTime"]


def test_reconcile_repairs_drift(tmp_path: Path) -> None:
    """Use a separate stack, because a sweep checks every schedule and timer."""
    with start_local_stack(tmp_path) as stack:
        admin = AdminProcess(stack.aws_url, {})
        install = stack.register_install()
        schedule = install.create_schedule()
        stack.aws_client("scheduler").delete_schedule(GroupName=stack.group_name(), Name=schedule)
        assert admin("schedule", install.id, schedule).returncode == 1
        assert admin.run_json("reconcile")["synced"] == 0
        swept = admin.run_json("reconcile", "--sweep")
        assert (swept["failed"], swept["repaired"]) == (0, {"missing timer": 1})
        assert admin("schedule", install.id, schedule).returncode == 0


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["table", "json"])
def test_pipe_closed_early_is_not_a_failure(
    stack: LocalStack, admin: AdminProcess, options: list[str]
) -> None:
    """Close the pipe as `head` does."""
    install = stack.register_install()
    for _ in range(20):
        install.create_schedule(cron="*/5 * * * *")
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
    words = ["schedules", "--install", install.id, "--fires", "100", *options]
    with subprocess.Popen(
        admin.build_command_line(*words),
        cwd=PROJECT_ROOT,
        env=admin.build_environment(),
        stdout=write_end,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(write_end)
        assert len(os.read(read_end, 10)) == 10
        os.close(read_end)
        assert process.stderr is not None
        assert process.stderr.read() == b""
        # Not every kernel reports the closed pipe to a process that is writing at that moment.
        assert process.wait(TIMEOUT_SECONDS) in (0, 1)


def test_a_terminal_gets_colours_and_lines_of_its_width(stack: LocalStack, admin: AdminProcess) -> None:
    install = stack.register_install()
    schedule = install.create_schedule(name=SCHEDULE_NAME)
    status, printed = admin.run_on_terminal("schedules", "--install", install.id, columns=56)
    assert status == 0
    assert [line for line in printed.splitlines() if SCHEDULE_NAME in line and "\x1b[2mSchedule" in line]
    assert schedule[-8:] in printed
    assert "\x1b[32myes" in printed
    assert "\x1b" not in admin("schedules", "--install", install.id).stdout


def test_the_script_works_from_any_folder(admin: AdminProcess) -> None:
    words = ["installs", "--stack-name", STACK_NAME, "--limit", "1", "--json"]
    assert run_script(words, admin.build_environment()).startswith('{"installs":[{')


def test_shell_completes_script_commands() -> None:
    completion = {"COMP_WORDS": "scheduling-admin re", "COMP_CWORD": "1"}
    completed = run_script([], {**os.environ, "_SCHEDULING_ADMIN_COMPLETE": "complete_bash", **completion})
    assert completed.split() == ["resume", "replay", "reconcile", "republish"]


def run_script(words: list[str], environment: dict[str, str]) -> str:
    completed = subprocess.run(
        [PROJECT_ROOT / "scripts" / "scheduling-admin", *words],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    return completed.stdout


def test_unreachable_endpoint_is_reported_without_traceback(admin: AdminProcess) -> None:
    completed = subprocess.run(
        [*COMMAND, "installs", "--endpoint-url", "http://127.0.0.1:1"],
        cwd=PROJECT_ROOT,
        env=admin.build_environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert (completed.returncode, completed.stdout) == (5, "")
    assert completed.stderr == (
        'AWS does not respond: Could not connect to the endpoint URL: "http://127.0.0.1:1/". '
        "Check the network, --endpoint-url and --region.\n"
    )
