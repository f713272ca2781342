"""An install that hammers the API: what it gets, what it costs, and what the others notice."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from scheduling import bootstrap
from scheduling.api.authorizer import Authorizer
from scheduling.domain.ids import InstallId

from tests.support.stacks.functions import Context, deploy_functions, http_event, load_function
from tests.support.stacks.world import World

CALLS_PER_MINUTE = 60
TOKEN = "t" * 32
REFUSED_CREATE = {"operation": "create", "endpoint": "/api/sync", "cron": "* * * * *"}


@dataclass(frozen=True)
class Attack:
    """A kind of call that an extension can make as often as it likes, and its status while there is budget."""

    operation: str
    body: object
    status: int
    path: Mapping[str, str]


ATTACKS = {
    "refused creates": Attack("callback", REFUSED_CREATE, 400, {}),
    "unknown operations": Attack("callback", {"operation": "destroy"}, 400, {}),
    "lists": Attack("callback", {"operation": "list"}, 200, {}),
    "pages": Attack("list", None, 200, {}),
    "unknown schedules": Attack("get", None, 404, {"scheduleId": "01a20745-4897-4f81-a91e-a0d09962b8d6"}),
    "previews": Attack("preview", {"endpoint": "/api/sync", "cron": "x"}, 200, {}),
    "malformed bodies": Attack("create", [], 400, {}),
}


class Process:
    """A process of every function, behind an authorizer, as API Gateway calls them."""

    def __init__(self, authorizer: Authorizer) -> None:
        bootstrap.call_budget.cache_clear()
        self._authorizer = authorizer
        self._handlers: dict[str, Any] = {}

    def call(
        self, operation: str, install_id: InstallId, body: object, token: str = TOKEN, **path: str
    ) -> int:
        """Return the status of the response."""
        event = http_event(body, headers={"x-runner-auth": token})
        event["pathParameters"] = {"installId": install_id, **path}
        if not self._authorizer.authorize(event)["isAuthorized"]:
            return 403
        if operation not in self._handlers:
            self._handlers[operation] = load_function(operation).handler
        return int(self._handlers[operation](event, Context())["statusCode"])


@pytest.fixture
def start_process(world: World) -> Iterator[Callable[[], Process]]:
    authorizer = Authorizer(
        runner_tokens=lambda: [TOKEN],
        callback_keys=list,
        issuer="stack",
        clock=lambda: world.clock[0],
        local=False,
    )
    with deploy_functions(world, CALLS_PER_MINUTE=str(CALLS_PER_MINUTE)):
        yield lambda: Process(authorizer)


@pytest.fixture
def installs(world: World) -> Sequence[InstallId]:
    return [world.register_install() for _ in range(2)]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_hammering_install_is_refused_without_a_request_and_its_neighbour_is_not(
    world: World, start_process: Callable[[], Process], installs: Sequence[InstallId], attack: Attack
) -> None:
    process = start_process()
    attacker, neighbour = installs
    statuses = Counter(
        process.call(attack.operation, attacker, attack.body, **attack.path) for _ in range(CALLS_PER_MINUTE)
    )
    world.calls.recorded.clear()
    statuses.update(
        process.call(attack.operation, attacker, attack.body, **attack.path) for _ in range(CALLS_PER_MINUTE)
    )

    assert statuses.keys() == {attack.status, 429}
    assert statuses[attack.status] >= CALLS_PER_MINUTE
    assert (
        len(world.calls.recorded) <= statuses[attack.status] - CALLS_PER_MINUTE
    )  # came back while the test ran
    assert process.call("callback", neighbour, {"operation": "list"}) == 200
    assert process.call("create", neighbour, {"endpoint": "/api/sync", "cron": "0 9 * * *"}) == 201


def test_each_process_has_budgets_of_its_own(
    start_process: Callable[[], Process], installs: Sequence[InstallId]
) -> None:
    """So the limit of an install is the processes' together, as decision 039 says."""
    answered = 0
    for _ in range(3):
        process = start_process()
        statuses = [process.call("list", installs[0], None) for _ in range(CALLS_PER_MINUTE + 20)]
        assert 429 in statuses
        answered += statuses.count(200)

    assert answered >= 3 * CALLS_PER_MINUTE


def test_calls_with_bad_tokens_take_nothing_from_the_install_that_they_name(
    world: World, start_process: Callable[[], Process], installs: Sequence[InstallId]
) -> None:
    process = start_process()
    world.calls.recorded.clear()
    refused = {process.call("list", installs[0], None, token="guess") for _ in range(3 * CALLS_PER_MINUTE)}

    assert (refused, list(world.calls.recorded)) == ({403}, [])
    assert {process.call("list", installs[0], None) for _ in range(CALLS_PER_MINUTE)} == {200}


def test_the_platforms_routes_have_no_budget(
    start_process: Callable[[], Process], installs: Sequence[InstallId]
) -> None:
    process = start_process()
    statuses = {process.call("install_get", installs[0], None) for _ in range(2 * CALLS_PER_MINUTE)}

    assert statuses == {200}


def test_a_well_behaved_extension_gets_no_answer_less(
    start_process: Callable[[], Process], installs: Sequence[InstallId]
) -> None:
    """Ten writes a minute, each after a list and with a get, as the SDK's `sync` does."""
    process = start_process()
    create = {"operation": "create", "endpoint": "/api/sync", "cron": "0 9 * * *"}
    statuses = [
        process.call("callback", installs[0], body)
        for _ in range(10)
        for body in ({"operation": "list"}, create, {"operation": "getEndpoints"})
    ]

    assert statuses == [200, 201, 200] * 10


def test_a_deployed_runner_understands_the_refusal(
    start_process: Callable[[], Process], installs: Sequence[InstallId]
) -> None:
    """It turns 429 into `quota-exceeded`, as for a full window of writes."""
    start_process()
    handler = load_function("callback").handler
    event = http_event({"operation": "list"}, installId=installs[0])
    responses = [handler(event, Context()) for _ in range(CALLS_PER_MINUTE + 5)]
    refusal = next(each for each in responses if each["statusCode"] == 429)

    assert refusal["headers"]["retry-after"] == "1"
    assert json.loads(refusal["body"]) == {
        "success": False,
        "error": "Too many requests, please try again later",
        "code": "RATE_LIMITED",
    }
