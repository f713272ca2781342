"""Each event under events/ gets the response beside it from `make local SETUP=events`. `make author-test` runs it."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from scheduling.api.callback_token import issue_token

from local.events import INSTALL_ID
from local.settings import SETUPS
from tests.author.conftest import StartStack
from tests.author.support import Stack
from tests.support.oracles.event_cases import TIMELESS_CASES, load_event, load_expected_response
from tests.support.oracles.expected_responses import find_differences

STACK = "extension-scheduler-local"
LAST_ROUNDS = (
    ["admin_create/hourly", "admin_update/disable", "admin_delete/existing"],
    ["callback/create", "callback/update", "callback/delete", "tenant_pause/existing"],
)
"""The cases that need the state as it is at the start, each round with a stack of its own."""
CHANGES = (
    "execute/stale",
    "execute/due",
    "execute/message_due",
    "run/now",
    "install_put/register",
    "tenant_resume/existing",
    "install_disable/existing",
    "install_enable/existing",
    "create/hourly",
    "install_put/new",
    "update/disable",
    "delete/existing",
    "install_delete/existing",
)
"""The cases that change what others expect, in an order in which they do not."""


def list_first_round() -> list[str]:
    """Return the cases that read, then those that write."""
    later = {case for cases in (CHANGES, *LAST_ROUNDS) for case in cases}
    return [*(case for case in TIMELESS_CASES if case not in later), *CHANGES]


def issue_callback_token(stack: Stack) -> str:
    """Return a token as a run of the events' install gets it."""
    session = boto3.Session("local", "local", region_name="us-east-1")
    secrets = session.client("secretsmanager", endpoint_url=f"http://127.0.0.1:{stack.aws_port}")
    key = secrets.get_secret_value(SecretId=f"{STACK}-CallbackKey")["SecretString"]
    install = SimpleNamespace(id=INSTALL_ID, tenant_id="acme", granted_capabilities=["cap:scheduler.manage"])
    return issue_token(key, STACK, cast(Any, install), datetime.now(UTC), timedelta(minutes=5))


@pytest.mark.parametrize("cases", [list_first_round(), *LAST_ROUNDS], ids=["first", "admin", "callback"])
def test_events_get_their_responses(cases: list[str], start_stack: StartStack) -> None:
    assert set(cases) <= set(TIMELESS_CASES)
    with start_stack(SETUP=SETUPS[-1], LOCAL_CLOCK="running") as stack:
        token = issue_callback_token(stack)
        differences = {}
        for case in cases:
            function = f"{case.split('/')[0].title().replace('_', '')}Function"
            path = f"/_local/lambda/2015-03-31/functions/{function}/invocations"
            response = stack.send("POST", path, load_event(case, token))
            differences[case] = find_differences(load_expected_response(case), response)
        wrong = {case: found for case, found in differences.items() if found}
        assert not wrong, json.dumps(wrong, indent=2)
