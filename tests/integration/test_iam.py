"""The policies of template.yaml allow the calls that the functions make, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from scheduling.store.keys import config_key

from scripts.iam_table import IAM_PAGE, Grant, expand_with_logical_ids, read_grants, render_page
from tests.support.aws.calls import Call
from tests.support.faults.cases import new_case, next_fire_event
from tests.support.faults.disturbed_calls import record_disturbed_calls
from tests.support.policies.iam_grants import ACCOUNT, REGION, grant_allows, key_allowed, required_grants
from tests.support.policies.iam_stories import STORIES
from tests.support.stacks.functions import Context, deploy_functions, http_event, load_function
from tests.support.stacks.world import (
    BUS,
    DEAD_LETTER_QUEUE_URL,
    GROUP,
    TABLE,
    TIMER_SETTINGS,
    World,
    aws_client,
    new_world,
)

PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
}
SERVICE_TOKEN = "arn:aws:secretsmanager:region:123456789012:secret:RunnerServiceToken"
RUNNER_CA = "arn:aws:secretsmanager:region:123456789012:secret:RunnerCa"
GRANTS_USED_BY_LAMBDA = {
    *(("execute", f"sqs:{name}") for name in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")),
    ("audit", "sqs:SendMessage"),
    *(
        ("audit", f"dynamodb:{name}")
        for name in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    ),
}
"""What Lambda does with a function's role: read what invokes it, and deliver the audit's dead letters."""


def _queue_arn(url: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}"


@cache
def parse_allowed_grants() -> dict[str, frozenset[Grant]]:
    names = {
        "Table": {"Ref": TABLE, "Arn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"},
        "EventBus": {"Arn": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{BUS}"},
        "ScheduleGroup": {"Ref": GROUP},
        "TimerRole": {"Arn": TIMER_SETTINGS.timer_role_arn},
        "OccurrenceQueue": {"Arn": _queue_arn(TIMER_SETTINGS.occurrence_queue_url)},
        "DeadLetterQueue": {"Arn": _queue_arn(DEAD_LETTER_QUEUE_URL)},
        "ReconcileFunction": {"Arn": Context.invoked_function_arn},
    }
    return read_grants(expand_with_logical_ids(PSEUDO, names))


SECRETS = {
    "RUNNER_TOKEN_SECRET_ID": "RunnerToken",
    "CALLBACK_KEY_SECRET_ID": "CallbackKey",
    "RUNNER_SERVICE_TOKEN_SECRET_ID": SERVICE_TOKEN,
    "RUNNER_CA_SECRET_ID": RUNNER_CA,
}


@contextmanager
def deploy_with_secrets() -> Iterator[World]:
    """A world whose secrets have the names in the policies of `parse_allowed_grants`."""
    # By HTTPS, since only then the runner's authorities are read; there is no runner.
    runner = {"RUNNER_BASE_URL": "https://127.0.0.1:9"}
    with new_world() as world, deploy_functions(world, **SECRETS, **runner):
        for name in SECRETS.values():
            aws_client("secretsmanager").create_secret(Name=name, SecretString=f"{name:x<64}")
        yield world


def record_authorizer_calls() -> list[Call]:
    with deploy_with_secrets() as world:
        module = load_function("authorizer")
        world.calls.recorded.clear()
        for headers in ({"x-runner-auth": "wrong"}, {"authorization": "Bearer wrong"}):
            event = http_event(headers=headers, installId="install-1")
            assert module.handler(event, Context()) == {"isAuthorized": False}
        return list(world.calls.recorded)


def record_calls_with_secrets() -> list[Call]:
    with deploy_with_secrets() as world:
        module = load_function("execute")
        event = next_fire_event(new_case(world))
        world.calls.recorded.clear()
        module.handler(event, Context())  # there is no runner
        return list(world.calls.recorded)


CALL_RECORDERS = {"authorizer": record_authorizer_calls, "execute": record_calls_with_secrets}


@cache
def record_calls(function: str) -> list[Call]:
    calls = CALL_RECORDERS.get(function, list)()
    disturbed: set[object] = set()
    for story in STORIES.values():
        if story.function == function:
            calls += record_disturbed_calls(story, disturbed)
    return calls


@cache
def required_by_function(function: str) -> frozenset[Grant]:
    return frozenset().union(*map(required_grants, record_calls(function)))


@pytest.mark.parametrize("function", parse_allowed_grants())
def test_every_call_of_a_function_is_allowed(function: str) -> None:
    refused_calls = [
        need
        for need in required_by_function(function)
        if not any(grant_allows(grant, need) for grant in parse_allowed_grants()[function])
    ]

    assert refused_calls == []


@pytest.mark.parametrize("function", parse_allowed_grants())
def test_every_allowed_action_of_a_function_is_used(function: str) -> None:
    unused = [
        grant
        for grant in parse_allowed_grants()[function]
        if (function, grant.action) not in GRANTS_USED_BY_LAMBDA
        and not any(grant_allows(grant, need) for need in required_by_function(function))
    ]

    assert unused == []


@pytest.mark.parametrize("function", parse_allowed_grants())
def test_every_partition_of_a_function_is_used(function: str) -> None:
    used_keys = [(need.action, key) for need in required_by_function(function) for key in need.leading_keys]
    unused = {
        (grant.leading_keys, pattern)
        for grant in parse_allowed_grants()[function]
        for pattern in grant.leading_keys
        if not any(
            action == other.action and fnmatchcase(key, pattern)
            for other in parse_allowed_grants()[function]
            if other.leading_keys == grant.leading_keys
            for action, key in used_keys
        )
    }

    assert unused == set()


CONFIG_READERS = {"execute", "install_put"}


@pytest.mark.parametrize("function", parse_allowed_grants())
def test_few_functions_read_configurations_and_envelopes(function: str) -> None:
    partition = config_key("install-1")["hash_key"]
    grants = [grant for grant in parse_allowed_grants()[function] if "table/" in grant.resource]
    readable = [
        grant.action
        for grant in grants
        if grant.action in ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan")
        and (not grant.leading_keys or key_allowed(grant, partition))
        and "/index/" not in grant.resource
    ]

    assert bool(readable) is (function in CONFIG_READERS)


def test_no_index_contains_configurations() -> None:
    with new_world(aws="memory") as world:
        world.register_install()
        assert world.memory
        (row,) = [item for item in world.memory.tables[TABLE].items.values() if item["sk"] == {"S": "CONFIG"}]

    assert not {"pendingShard", "installShard"} & row.keys()


@pytest.mark.parametrize("function", parse_allowed_grants())
def test_writes_return_no_row(function: str) -> None:
    """The policies allow those that delete a configuration no other value."""
    assert {call.arguments.get("ReturnValues", "NONE") for call in record_calls(function)} <= {"NONE"}


def test_iam_page_matches_the_template() -> None:
    text = IAM_PAGE.read_text(encoding="utf-8")

    assert render_page(expand_with_logical_ids(), text) == text, "make docs"


@pytest.mark.parametrize("function", parse_allowed_grants())
def test_importing_a_function_makes_no_calls(function: str) -> None:
    with new_world(aws="memory") as world, deploy_functions(world, **SECRETS):
        load_function(function)

        assert world.calls.recorded == []


TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/t"


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "expected"),
    [
        (
            "dynamodb",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "t", "Item": {"pk": {"S": "b"}}}},
                    {"ConditionCheck": {"TableName": "t", "Key": {"pk": {"S": "a"}}}},
                ]
            },
            {
                (TABLE_ARN, "dynamodb:PutItem", ("a", "b")),
                (TABLE_ARN, "dynamodb:ConditionCheckItem", ("a", "b")),
            },
        ),
        (
            "dynamodb",
            "BatchGetItem",
            {"RequestItems": {"t": {"Keys": [{"pk": {"S": "b"}}, {"pk": {"S": "a"}}, {"pk": {"S": "a"}}]}}},
            {(TABLE_ARN, "dynamodb:BatchGetItem", ("a", "b"))},
        ),
        (
            "dynamodb",
            "UpdateItem",
            {"TableName": "t", "Key": {"pk": {"S": "a"}}},
            {(TABLE_ARN, "dynamodb:UpdateItem", ("a",))},
        ),
        (
            "dynamodb",
            "Query",
            {
                "TableName": "t",
                "KeyConditionExpression": "(#0 = :0 AND #1 BETWEEN :1 AND :2)",
                "ExpressionAttributeNames": {"#0": "pk", "#1": "sk"},
                "ExpressionAttributeValues": {":0": {"S": "a"}, ":1": {"S": "b"}, ":2": {"S": "c"}},
            },
            {(TABLE_ARN, "dynamodb:Query", ("a",))},
        ),
        (
            "dynamodb",
            "Query",
            {"TableName": "t", "IndexName": "i"},
            {(f"{TABLE_ARN}/index/i", "dynamodb:Query")},
        ),
        (
            "events",
            "PutEvents",
            {"Entries": [{"EventBusName": "b"}, {"EventBusName": "b"}]},
            {(f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/b", "events:PutEvents")},
        ),
        (
            "scheduler",
            "UpdateSchedule",
            {"GroupName": "g", "Name": "n", "Target": {"RoleArn": "role"}},
            {
                (f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/g/n", "scheduler:UpdateSchedule"),
                ("role", "iam:PassRole"),
            },
        ),
    ],
)
def test_required_grants_of_a_call(
    service: str, operation: str, arguments: dict[str, Any], expected: set[tuple[Any, ...]]
) -> None:
    assert required_grants(Call(service, operation, arguments)) == {Grant(*grant) for grant in expected}


@pytest.mark.parametrize(
    ("resource", "action", "expected"),
    [
        ("arn:g/*", "s:Get", True),
        ("arn:g/n", "s:Get", True),
        ("arn:h/*", "s:Get", False),
        ("arn:g/*", "s:Put", False),
        ("arn:g", "s:Get", False),
    ],
)
def test_a_grant_allows_its_action_on_its_resources(resource: str, action: str, expected: bool) -> None:
    assert grant_allows(Grant(resource, action), Grant("arn:g/n", "s:Get")) is expected


@pytest.mark.parametrize(
    ("patterns", "keys", "expected"),
    [
        pytest.param((), ("CONFIG#1",), True, id="all partitions"),
        pytest.param(("INSTALL#*",), ("INSTALL#1", "INSTALL#2"), True, id="these partitions"),
        pytest.param(("INSTALL#*",), ("INSTALL#1", "CONFIG#1"), False, id="another one too"),
        pytest.param(("INSTALL#*", "CONFIG#*"), ("INSTALL#1", "CONFIG#1"), True, id="both"),
    ],
)
def test_a_grant_allows_its_partitions(
    patterns: tuple[str, ...], keys: tuple[str, ...], expected: bool
) -> None:
    assert grant_allows(Grant("t", "s:Get", patterns), Grant("t", "s:Get", keys)) is expected
