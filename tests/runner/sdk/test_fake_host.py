"""The SDK's fake host decides as the real API does: the same cases against both."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from extension_sdk.errors import SchedulerError
from extension_sdk.scheduler import Scheduler
from extension_sdk.schedules import Endpoint, Schedule
from extension_sdk.testing import FakeHost
from extension_sdk_rules.install import Limits

from tests.support.components.api_scheduler import ApiScheduler
from tests.support.components.schedule_cases import CASES, MAX_SCHEDULES, Call
from tests.support.stacks.local_stack import RUNNER_TOKEN, LocalStack, start_local_stack
from tests.support.stacks.world import registration_body


@pytest.fixture(scope="module")
def limited_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    limits = {"WRITES_PER_MINUTE": "10", "MAX_SCHEDULES_PER_INSTALL": str(MAX_SCHEDULES)}
    with start_local_stack(tmp_path_factory.mktemp("stack"), **limits) as stack:
        yield stack


def run_calls(scheduler: Scheduler, calls: list[Call]) -> list[Any]:
    """Return what each call returns or raises and, last, all schedules; ids become numbers, times are left out."""
    outcomes: list[Any] = []
    ids: list[str] = []
    for call in calls:
        arguments = [ids[0] if argument == "first" else argument for argument in call.arguments]
        try:
            outcome = getattr(scheduler, call.function)(*arguments, **call.keywords)
        except SchedulerError as error:
            outcomes.append(error.code)
            continue
        if call.function in ("create", "update", "delete"):
            assert (outcome.error, dict(outcome.field_errors)) == (call.error, dict(call.field_errors))
        if call.function == "create" and outcome.success:
            ids.append(outcome.schedule_id)
        outcomes.append(outcome)
    assert [outcome for outcome in outcomes if isinstance(outcome, str)] == [
        call.raises for call in calls if call.raises
    ]
    return [_normalize(outcome, ids) for outcome in (*outcomes, *scheduler.list())]


def _normalize(outcome: Any, ids: list[str]) -> Any:
    if isinstance(outcome, Schedule):
        text = json.dumps(outcome.payload)  # distinguishes 1, 1.0 and true
        return replace(outcome, id=str(ids.index(outcome.id)), created_at=None, payload=text)
    if isinstance(outcome, list):
        return [replace(each, id="") if isinstance(each, Endpoint) else each for each in outcome]
    return replace(outcome, schedule_id=None) if hasattr(outcome, "schedule_id") else outcome


@pytest.mark.parametrize("calls", [pytest.param(calls, id=name) for name, calls in CASES.items()])
def test_fake_host_decides_as_the_api(calls: list[Call], limited_stack: LocalStack) -> None:
    install = limited_stack.register_install()
    real = ApiScheduler(str(limited_stack.api.base_url).rstrip("/"), RUNNER_TOKEN, install.id)
    fake = FakeHost(registration_body()["manifest"], clock=limited_stack.read_clock)
    fake.scheduler.limits = Limits(max_schedules_per_install=MAX_SCHEDULES)
    assert run_calls(fake.scheduler, calls) == run_calls(real, calls)


def test_fake_host_denies_as_the_api(limited_stack: LocalStack) -> None:
    install = limited_stack.register_install(grantedCapabilities=[])
    real = ApiScheduler(str(limited_stack.api.base_url).rstrip("/"), RUNNER_TOKEN, install.id)
    manifest = {**registration_body()["manifest"], "capabilities": []}
    calls = [Call("list", raises="denied"), Call("get_endpoints", raises="denied")]
    for scheduler in (FakeHost(manifest).scheduler, real):
        for call in calls:
            with pytest.raises(SchedulerError) as caught:
                getattr(scheduler, call.function)()
            assert caught.value.code == call.raises
        assert not scheduler.create("POST /api/sync", "0 * * * *").success
