"""Stacks beside each other, on an emulator of one's own, and with a part that has died. `make author-test` runs it."""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from local.processes import ChildProcess
from local.sample import INSTALL_ID
from local.settings import free_ports
from tests.author.conftest import StartStack
from tests.author.support import WAIT_SECONDS, Stack
from tests.support.stacks.scripted_runner import start_scripted_runner
from tests.support.stacks.world import registration_body

OTHER_INSTALL_ID = "3b0a7a52-7a4c-4f0e-8d55-0d2f6a1c7e11"


def create_schedule(stack: Stack, install_id: str) -> str:
    stack.send("PUT", f"/admin/v1/installs/{install_id}", registration_body())
    body = {"endpoint": "POST /api/sync", "cron": "0 * * * *"}
    return str(stack.send("POST", f"/v1/installs/{install_id}/schedules", body)["id"])


def wait_for_run(stack: Stack, path: str) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_SECONDS
    while not (runs := stack.send("GET", f"{path}/runs")["runs"]) or runs[0]["status"] == "running":
        assert time.monotonic() < deadline, runs
        time.sleep(0.1)
    return dict(runs[0])


def test_two_stacks_at_once(start_stack: StartStack) -> None:
    """They start at the same moment, from the same checkout, and share neither state nor logs."""
    with ExitStack() as exit_stack, ThreadPoolExecutor(2) as pool:
        stacks = list(pool.map(lambda _: exit_stack.enter_context(start_stack(SETUP="1")), range(2)))
        assert create_schedule(stacks[0], OTHER_INSTALL_ID)
        for stack in stacks:
            stack.read_output("The sample has its schedules")
        names = [
            [each["name"] for each in stack.send("GET", f"/v1/installs/{INSTALL_ID}/schedules")["schedules"]]
            for stack in stacks
        ]
        assert names == [["heartbeat", "daily-status"]] * 2
        assert stacks[0].send("GET", f"/admin/v1/installs/{OTHER_INSTALL_ID}")["enabled"]
        assert stacks[1].send("GET", f"/admin/v1/installs/{OTHER_INSTALL_ID}")["code"] == "NOT_FOUND"
        fired = list(pool.map(lambda stack: stack.send("POST", "/_local/clock", {"advance": "PT5M"}), stacks))
        assert [{each["status"] for each in moved["fired"]} for moved in fired] == [{"success"}] * 2
        logs = [Path(stack.send("GET", "/_local/health")["runnerLog"]) for stack in stacks]
        assert all(log.is_file() for log in logs)
        assert logs[0] != logs[1]


def test_run_now_on_an_emulator_of_ones_own(start_stack: StartStack, tmp_path: Path) -> None:
    """Plain moto, started by the user; what the stack has created there outlives it."""
    (port,) = free_ports(1)
    environ = {**os.environ, "MOTO_PORT": str(port)}
    moto = ChildProcess("moto.server", environ=environ, log=tmp_path / "moto.log")
    install_id = OTHER_INSTALL_ID
    try:
        moto.wait_until_ready(f"http://127.0.0.1:{port}/moto-api/data.json")
        with start_scripted_runner(strict=True) as runner:
            variables = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "RUNNER_BASE_URL": runner.url}
            with start_stack(**variables) as stack:
                schedule_id = create_schedule(stack, install_id)
                stack.send("POST", f"/admin/v1/installs/{install_id}/schedules/{schedule_id}/run")
                run = wait_for_run(stack, f"/v1/installs/{install_id}/schedules/{schedule_id}")
                assert (run["status"], run["trigger"]) == ("success", "manual")
            with start_stack(**variables) as stack:
                (fire,) = stack.send("POST", "/_local/clock", {"advance": "PT1H"})["fired"]
                assert (fire["scheduleId"], fire["status"]) == (schedule_id, "success")
    finally:
        moto.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_health_names_what_has_died(start_stack: StartStack) -> None:
    with start_stack() as stack:
        (runner,) = (
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if read_or_empty(path).endswith("-m\0runner\0")
            and f"SCHEDULER_BASE_URL=http://127.0.0.1:{stack.port}\0"
            in read_or_empty(path.parent / "environ")
        )
        os.kill(runner, signal.SIGKILL)
        deadline = time.monotonic() + WAIT_SECONDS
        while (health := stack.send("GET", "/_local/health"))["status"] == "ok":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert (health["status"], health["failing"]) == ("failing", ["runner"])
        assert health["parts"]["runner"]["error"].startswith("the runner ")


def read_or_empty(path: Path) -> str:
    """Return the text of a file of a process, which may have ended."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
