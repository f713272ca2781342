"""WASM components in the reference runner, which call the API and are called by fires."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from local.sample import INSTALL_ID
from local.settings import free_ports
from samples.build import EXTENSIONS, ROOT
from tests.support.components import client
from tests.support.components.runner import (
    TEST_EXTENSIONS,
    create_runner_settings,
    prepare_components,
    start_runner,
)
from tests.support.stacks.local_stack import RUNNER_TOKEN, ApiInstall, LocalStack, start_local_stack

pytestmark = pytest.mark.local_only("they start their own stacks")


@contextmanager
def start_stack_with_runner(
    data: Path, components: Path, **changes: object
) -> Iterator[tuple[LocalStack, str]]:
    """Start a stack whose runner executes the components, and yield it with the runner's address."""
    prepare_components()
    (port,) = free_ports(1)
    with (
        start_local_stack(data, RUNNER_BASE_URL=f"http://127.0.0.1:{port}") as stack,
        start_runner(
            replace(create_runner_settings(str(stack.api.base_url), components), port=port), **changes
        ) as url,
    ):
        yield stack, url


def test_component_calls_back_with_the_token_of_its_run(tmp_path: Path) -> None:
    """The runner's own token is accepted nowhere."""
    with start_stack_with_runner(tmp_path, EXTENSIONS) as (stack, _):
        sample = ApiInstall(stack, INSTALL_ID)
        schedule_id = sample.create_schedule(endpoint="GET /api/schedules", name="list itself")

        fired = stack.advance_clock("PT1H")

        (run,) = sample.list_runs(schedule_id)
        assert (run["status"], run["httpStatus"], run["error"]) == ("success", 200, None)
        assert [each["status"] for each in fired] == ["success"]


def test_component_is_called_once_by_its_one_time_schedule(tmp_path: Path) -> None:
    with start_stack_with_runner(tmp_path, TEST_EXTENSIONS, auth_token=RUNNER_TOKEN) as (stack, url):
        probe = client.ComponentClient(url, TEST_EXTENSIONS / "probe" / "component.wasm")
        manifest = json.loads((ROOT / "tests/support/components/probe/manifest.json").read_text())
        stack.register_install(client.INSTALL_ID, contentHash=probe.content_hash, manifest=manifest)
        now = stack.read_clock()
        moment, past = (f"at({now + timedelta(minutes=minutes):%Y-%m-%dT%H:%M})" for minutes in (10, -10))

        refused = probe.call_json("/sdk/create", ["POST /echo", past], {})["answer"]
        created = probe.call_json("/sdk/create", ["POST /echo", moment], {"name": "once"})["answer"]
        scheduled = probe.call_json("/sdk/get", [created["schedule_id"]], {})["answer"]
        fired = stack.advance_clock("P1D")
        (completed,) = probe.call_json("/sdk/list", [], {})["answer"]
        probe.http.clear()

    assert refused["error"] == "One-time schedule must be in the future"
    assert (scheduled["cron"], scheduled["enabled"]) == (moment, True)
    assert [each["status"] for each in fired] == ["success"]
    assert (completed["name"], completed["enabled"], completed["last_run_status"]) == (
        "once",
        False,
        "success",
    )
