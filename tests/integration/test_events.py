"""Every event under events/, given to the function that it is for, as `sam local invoke` would."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from scheduling import bootstrap
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.schedule import Definition, Schedule
from scheduling.operations.execute import RunFailed

from tests.support.world import GROUP, SETTINGS, START, TABLE, World

ROOT = Path(__file__).parents[2]
INSTALL, SCHEDULE = "5a3d1e0c-9c1b-4f0e-8d55-0d2f6a1c7e11", "01a20745-4897-4f81-a91e-a0d09962b8d6"
ANSWERS: dict[str, Any] = {
    "install_put/register": 200,
    "install_get/known": 200,
    "install_delete/known": 204,
    "callback/list": 200,
    "callback/create": 201,
    "callback/get_endpoints": 200,
    "callback/unknown_operation": 400,
    "list/first_page": 200,
    "create/hourly": 201,
    "create/too_frequent": 400,
    "get/known": 200,
    "update/disable": 200,
    "delete/known": 204,
    "endpoints/known": 200,
    "runs/newest": 200,
    "authorizer/right_token": {"isAuthorized": True},
    "authorizer/wrong_token": {"isAuthorized": False},
    "execute/stale": "stale",
    "execute/due": RunFailed,
    "reconcile/every_minute": {"settled": 0, "failed": 0, "mended": {}},
}


class Context:
    """As much of Lambda's context as the functions ask for."""

    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:function"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        """As with a function that has just begun."""
        return 29_000


@pytest.fixture
def deployed(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The environment that the template gives, one install, and one schedule of it."""
    secret = boto3.client("secretsmanager").create_secret(Name="token", SecretString="local-runner-key")
    variables = {
        "TABLE_NAME": TABLE,
        "STAGE": "local",
        "SCHEDULE_GROUP_NAME": GROUP,
        "TIMER_TARGET_ARN": SETTINGS.timer_target_arn,
        "TIMER_ROLE_ARN": SETTINGS.timer_role_arn,
        "TIMER_DLQ_ARN": SETTINGS.timer_dlq_arn,
        "RUNNER_TOKEN_SECRET_ID": secret["ARN"],
        "RUNNER_BASE_URL": "http://127.0.0.1:9",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    cached = (bootstrap.services, bootstrap.runner, bootstrap.token_settings, bootstrap.callback_token)
    for part in cached:
        part.cache_clear()
    call("install_put", event("install_put/register"))
    insert_schedule(world)
    yield world
    for part in cached:
        part.cache_clear()


def insert_schedule(world: World) -> None:
    definition = Definition(
        endpoint_method="POST",
        endpoint_path="/api/sync",
        cron="0 9 * * *",
        timezone="UTC",
        enabled=True,
        name="daily",
        payload=None,
    )
    schedule = Schedule(
        id=ScheduleId(SCHEDULE), install_id=InstallId(INSTALL), definition=definition, created_at=START
    )
    world.services.schedules.replace(None, schedule)


def event(case: str) -> dict[str, Any]:
    return dict(json.loads((ROOT / "events" / f"{case}.json").read_text()))


def call(operation: str, given: dict[str, Any]) -> Any:
    path = ROOT / "functions" / operation / "app.py"
    spec = importlib.util.spec_from_file_location(f"function_{operation}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler(given, Context())


def test_every_event_has_an_answer_and_every_function_an_event() -> None:
    cases = {f"{path.parent.name}/{path.stem}" for path in (ROOT / "events").glob("*/*.json")}

    assert cases == set(ANSWERS)
    assert {case.split("/")[0] for case in cases} == {
        path.parent.name for path in ROOT.glob("functions/*/app.py")
    }


@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.usefixtures("deployed")
def test_an_event_is_answered(case: str) -> None:
    operation, expected = case.split("/")[0], ANSWERS[case]
    if expected is RunFailed:
        with pytest.raises(RunFailed):
            call(operation, event(case))
        return

    answer = call(operation, event(case))

    if isinstance(expected, int):
        assert answer["statusCode"] == expected
    elif isinstance(expected, str):
        assert answer["status"] == expected
    else:
        assert answer == expected
