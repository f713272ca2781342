"""The operator's command line on a running stack, by its endpoint alone."""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloudformation.deploy import STACK_NAME
from local.settings import PROJECT_ROOT
from tests.support.admin_process import COMMAND, TIMEOUT_SECONDS, AdminProcess
from tests.support.local_stack import ApiInstall, LocalStack, local_stack
from tests.support.scripted_runner import ScriptedRunner, extension_answer, scripted_runner

pytestmark = pytest.mark.local_only("it is the same command there")
NAME = "Ärger 日本語 🎉"


@pytest.fixture(scope="module")
def functions() -> Iterator[ScriptedRunner]:
    """Takes what the command line hands to Lambda."""
    with scripted_runner() as functions:
        functions.answer = lambda _asked: (202, b"")
        yield functions


@pytest.fixture
def admin(stack: LocalStack, functions: ScriptedRunner) -> AdminProcess:
    functions.asked.clear()
    return AdminProcess(stack.aws_url, {"AWS_ENDPOINT_URL_LAMBDA": functions.url})


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> str:
    return f"tenant-of-{request.node.name}"


def test_what_is_installed_is_looked_at(stack: LocalStack, admin: AdminProcess, tenant: str) -> None:
    install = stack.register(tenantId=tenant)
    schedule = install.created(name=NAME, timezone="Europe/Berlin", cron="0 9 * * *")
    (found,) = admin.run_json("installs", "--tenant", tenant)["installs"]
    assert (found["installId"], found["scheduleCount"]) == (install.id, 1)
    assert install.id in {
        each["installId"] for each in admin.run_json("installs", "--limit", "1000")["installs"]
    }
    (listed,) = admin.run_json("schedules", "--install", install.id)["schedules"]
    assert (listed["id"], listed["name"], listed["fires"]) == (schedule, NAME, True)
    assert {fire["local"][11:16] for fire in listed["nextFires"]} == {"09:00"}
    shown = admin("schedule", install.id, schedule)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"Name        {NAME}\n" in "\n".join(line.rstrip() + "\n" for line in shown.stdout.splitlines())
    assert "It is as the row says." in shown.stdout


def test_an_occurrence_is_explained_by_the_stack_s_own_clock(stack: LocalStack, admin: AdminProcess) -> None:
    install = stack.register()
    schedule = install.created(cron="0 * * * *")
    (fired,) = [each for each in stack.travel("PT1H") if each["scheduleId"] == schedule]
    told = admin.run_json("explain", install.id, schedule, fired["scheduledTime"])
    assert (told["verdict"], told["run"]["httpStatus"]) == ("succeeded", 200)
    later = stack.control.get("/_local/clock").json()["now"][:14] + "00:00Z"
    assert admin.run_json("explain", install.id, schedule, later)["verdict"] == "succeeded"
    stack.runner.answer = lambda _asked: extension_answer(503)
    (failed,) = [each for each in stack.travel("PT1H") if each["scheduleId"] == schedule]
    told = admin.run_json("explain", install.id, schedule, failed["scheduledTime"], exit_status=1)
    assert (told["verdict"], len(told["deadLetters"])) == ("failed", 1)
    stack.dead_letters()


def test_dead_letters_are_delivered_again(
    stack: LocalStack, admin: AdminProcess, functions: ScriptedRunner
) -> None:
    stack.dead_letters()
    install = stack.register()
    schedule = install.created(cron="0 * * * *")
    stack.runner.answer = lambda _asked: extension_answer(503)
    (failed,) = [each for each in stack.travel("PT1H") if each["scheduleId"] == schedule]
    (letter,) = admin.run_json("replay", "--dry-run")["deadLetters"]
    assert (letter["scheduleId"], letter["scheduledTime"]) == (schedule, failed["scheduledTime"])
    assert functions.asked == []
    assert admin("replay", stdin_text="n\n").returncode == 4
    assert admin.run_json("replay", "--yes")["delivered"] == 1
    (asked,) = functions.asked
    assert asked.body == {
        "installId": install.id,
        "scheduleId": schedule,
        "revision": 1,
        "scheduledTime": failed["scheduledTime"],
        "trigger": "schedule",
        "replay": True,
    }
    assert stack.dead_letters() == []


def test_a_tenant_and_an_install_are_stopped_and_resumed(
    stack: LocalStack, admin: AdminProcess, tenant: str
) -> None:
    installs = [stack.register(tenantId=tenant) for _ in range(2)]
    schedules = [install.created() for install in installs]
    paused = admin("pause", tenant, stdin_text="y\n")
    assert paused.returncode == 0
    assert paused.stdout.strip() == f"Tenant {tenant} is paused, 2 installs: nothing of it fires any more."
    assert paused.stderr == f"Pause tenant {tenant}, with 2 installs? [y/N]:"
    assert timers(installs, schedules) == [False, False]
    assert admin.run_json("resume", tenant)["complete"] is True
    assert timers(installs, schedules) == [True, True]
    assert admin.run_json("disable", installs[0].id, "--yes")["changedBy"].startswith("admin:arn:aws:sts::")
    assert timers(installs, schedules) == [False, True]
    assert admin.run_json("enable", installs[0].id)["enabled"] is True


def timers(installs: list[ApiInstall], schedules: list[str]) -> list[bool]:
    return [
        install.timer(schedule) is not None for install, schedule in zip(installs, schedules, strict=True)
    ]


def test_a_schedule_is_handed_over_to_be_run_now(
    stack: LocalStack, admin: AdminProcess, functions: ScriptedRunner
) -> None:
    install = stack.register()
    schedule = install.created()
    handed = admin.run_json("run", install.id, schedule, "--idempotency-key", "key")
    (asked,) = functions.asked
    assert (asked.body["scheduleId"], asked.body["trigger"]) == (schedule, "manual")
    assert asked.body["scheduledTime"] == handed["scheduledTime"]
    assert asked.headers["X-Amz-Invocation-Type"] == "Event"
    waited = admin("run", install.id, schedule, "--idempotency-key", "key", "--wait", "--timeout", "1")
    assert waited.returncode == 1
    assert waited.stdout.strip() == (
        f"The run {handed['scheduledTime']} has not begun yet; `explain` tells more."
    )


def test_drift_is_mended_now(tmp_path: Path) -> None:
    """On a stack of its own: a sweep looks at all that there is."""
    with local_stack(tmp_path) as stack:
        admin = AdminProcess(stack.aws_url, {})
        install = stack.register()
        schedule = install.created()
        stack.aws("scheduler").delete_schedule(GroupName=stack.group(), Name=schedule)
        assert admin("schedule", install.id, schedule).returncode == 1
        assert admin.run_json("reconcile")["synced"] == 0
        swept = admin.run_json("reconcile", "--sweep")
        assert (swept["failed"], swept["repaired"]) == (0, {"missing timer": 1})
        assert admin("schedule", install.id, schedule).returncode == 0


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["table", "json"])
def test_a_pipe_that_is_closed_early_is_no_failure(
    stack: LocalStack, admin: AdminProcess, options: list[str]
) -> None:
    """Such as that of `head`."""
    install = stack.register()
    for _ in range(20):
        install.created(cron="*/5 * * * *")
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    words = ["schedules", "--install", install.id, "--fires", "100", *options]
    with subprocess.Popen(
        admin.build_command_line(*words),
        cwd=PROJECT_ROOT,
        env=admin.build_environment(),
        stdout=theirs,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        assert len(os.read(ours, 10)) == 10
        os.close(ours)
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(TIMEOUT_SECONDS) in (
            0,
            1,
        )  # not every kernel tells who was writing at that moment


def test_a_terminal_gets_colours_and_lines_of_its_width(stack: LocalStack, admin: AdminProcess) -> None:
    install = stack.register()
    schedule = install.created(name=NAME)
    status, printed = admin.run_on_terminal("schedules", "--install", install.id, columns=60)
    assert status == 0
    assert [line for line in printed.splitlines() if NAME in line and "\x1b[2mSchedule" in line]
    assert schedule in printed
    assert "\x1b[32myes" in printed
    assert "\x1b" not in admin("schedules", "--install", install.id).stdout


def test_the_script_works_from_any_folder(admin: AdminProcess) -> None:
    words = ["installs", "--stack-name", STACK_NAME, "--limit", "1", "--json"]
    assert script(words, admin.build_environment()).startswith('{"installs":[{')


def test_a_shell_completes_the_script_s_commands() -> None:
    asked = {"COMP_WORDS": "scheduling-admin re", "COMP_CWORD": "1"}
    completed = script([], {**os.environ, "_SCHEDULING_ADMIN_COMPLETE": "complete_bash", **asked})
    assert completed.split() == ["resume", "replay", "reconcile"]


def script(words: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        [PROJECT_ROOT / "scripts" / "scheduling-admin", *words],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    return done.stdout


def test_nobody_at_the_endpoint_is_told_without_a_traceback(admin: AdminProcess) -> None:
    done = subprocess.run(
        [*COMMAND, "installs", "--endpoint-url", "http://127.0.0.1:1"],
        cwd=PROJECT_ROOT,
        env=admin.build_environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == (
        'AWS does not answer: Could not connect to the endpoint URL: "http://127.0.0.1:1/". '
        "Is the network up, and --endpoint-url or --region right?\n"
    )
