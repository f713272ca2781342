from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn

import pytest
from scheduling.api.authorizer import Authorizer
from scheduling.domain.callback_token import issue_token

from tests.unit.builders import INSTALL_ID, NOW, install

TOKEN, KEY, STACK = "a-long-callback-token", "k" * 64, "stack-1"
RUN = f"Bearer {issue_token(KEY, STACK, install(), NOW, timedelta(seconds=30))}"

both = pytest.mark.parametrize("local", [False, True], ids=["deployed", "local"])


def authorizer(
    *,
    tokens: Sequence[str] = (TOKEN,),
    keys: Sequence[str] = (KEY,),
    local: bool = False,
    now: datetime = NOW,
) -> Authorizer:
    return Authorizer(
        runner_tokens=lambda: tokens, callback_keys=lambda: keys, issuer=STACK, clock=lambda: now, local=local
    )


def event(headers: Mapping[str, str], install_id: str = INSTALL_ID) -> dict[str, Any]:
    return {"headers": headers, "pathParameters": {"installId": install_id}}


def shown(token: str) -> dict[str, Any]:
    return event({"x-runner-auth": token})


@both
def test_the_runners_token_opens_every_install(local: bool) -> None:
    assert authorizer(local=local).is_authorized(shown(TOKEN))
    assert authorizer(local=local).is_authorized(event({"x-runner-auth": TOKEN}, "install-2"))


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="no headers"),
        pytest.param({"headers": None}, id="null"),
        pytest.param({"headers": {}}, id="none"),
        pytest.param(shown(""), id="empty"),
        pytest.param(shown("a-long-callback-toke"), id="a character short"),
        pytest.param(shown("a-long-callback-token "), id="a space more"),
        pytest.param(shown("A-LONG-CALLBACK-TOKEN"), id="another case"),
        pytest.param(shown(f"{TOKEN},{TOKEN}"), id="twice"),
        pytest.param(shown(f"Bearer {TOKEN}"), id="a scheme before it"),
        pytest.param(shown("é"), id="not ASCII"),
        pytest.param(shown("local-runner-key"), id="the well-known one"),
        pytest.param(shown(RUN.removeprefix("Bearer ")), id="a run's token"),
        pytest.param({"identitySource": [TOKEN]}, id="an identity source"),
        pytest.param(event({"authorization": TOKEN}), id="no scheme"),
        pytest.param(event({"authorization": f"Bearer {TOKEN}"}), id="as a run's token"),
        pytest.param(event({"authorization": f"Bearer {KEY}"}), id="the key"),
        pytest.param(event({"authorization": RUN.replace("Bearer", "Basic")}), id="another scheme"),
        pytest.param(event({"authorization": RUN.replace("Bearer ", "Bearer")}), id="no space"),
        pytest.param(event({"authorization": f"{RUN},{RUN}"}), id="a run's token twice"),
    ],
)
@both
def test_anything_else_does_not(given: dict[str, Any], local: bool) -> None:
    assert not authorizer(local=local).is_authorized(given)


@both
@pytest.mark.parametrize("given", [{}, shown("")], ids=["none", "empty"])
def test_an_empty_token_opens_nothing(given: dict[str, Any], local: bool) -> None:
    assert not authorizer(tokens=[""], local=local).is_authorized(given)


def test_the_well_known_token_opens_the_local_stack_alone() -> None:
    well_known = ["local-runner-key"]

    assert authorizer(tokens=well_known, local=True).is_authorized(shown("local-runner-key"))
    assert not authorizer(tokens=well_known, local=False).is_authorized(shown("local-runner-key"))


def test_a_token_that_is_not_ascii_is_compared_as_it_is() -> None:
    assert authorizer(tokens=["schlüssel"]).is_authorized(shown("schlüssel"))


def test_the_token_before_the_last_rotation_is_accepted_too() -> None:
    rotated = authorizer(tokens=["new", "old"])

    assert rotated.is_authorized(shown("old"))
    assert rotated.is_authorized(shown("new"))
    assert not rotated.is_authorized(shown("older"))


def test_no_token_at_all_lets_nobody_in() -> None:
    assert not authorizer(tokens=[], keys=[], local=True).is_authorized(shown(""))
    assert not authorizer(tokens=[], keys=[], local=True).is_authorized(event({"authorization": RUN}))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"authorization": RUN}, id="as API Gateway names it"),
        pytest.param({"Authorization": RUN}, id="as sam local names it"),
        pytest.param({"AUTHORIZATION": RUN.replace("Bearer", "bearer")}, id="the scheme in another case"),
        pytest.param({"authorization": RUN.replace(" ", "   ") + " "}, id="more spaces"),
        pytest.param({"authorization": RUN, "x-runner-auth": TOKEN}, id="with the runners' token"),
        pytest.param({"authorization": RUN, "x-runner-auth": "wrong"}, id="with a wrong runners' token"),
        pytest.param({"X-Runner-Auth": TOKEN}, id="the runners' token as sam local names it"),
        pytest.param({"authorization": "Basic eA==", "x-runner-auth": TOKEN}, id="with another scheme"),
    ],
)
def test_either_token_opens_the_install(headers: dict[str, str]) -> None:
    assert authorizer().is_authorized(event(headers))


@pytest.mark.parametrize(
    "bearer",
    [
        pytest.param("Bearer", id="nothing"),
        pytest.param("bearer ", id="a space"),
        pytest.param("Bearer x", id="garbage"),
        pytest.param(f"Bearer {TOKEN}", id="the runners' token"),
        pytest.param(RUN[:-1], id="a character short"),
    ],
)
def test_a_bad_bearer_token_is_refused_even_with_the_runners_token(bearer: str) -> None:
    assert not authorizer().is_authorized(event({"authorization": bearer, "x-runner-auth": TOKEN}))


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({"installId": "install-2"}, id="another's"),
        pytest.param({"installId": "INSTALL-1"}, id="in another case"),
        pytest.param({"installId": "install-1/"}, id="with more behind it"),
        pytest.param({"installId": ""}, id="empty"),
        pytest.param({"scheduleId": INSTALL_ID}, id="another parameter"),
        pytest.param({}, id="no parameters"),
        pytest.param(None, id="null"),
    ],
)
def test_a_runs_token_opens_its_own_installs_paths_alone(parameters: dict[str, str] | None) -> None:
    given = {"headers": {"authorization": RUN}, "pathParameters": parameters}

    assert not authorizer().is_authorized(given)


def test_a_runs_token_is_judged_by_the_clock_of_the_moment() -> None:
    moment = [NOW]
    running = Authorizer(
        runner_tokens=tuple, callback_keys=lambda: [KEY], issuer=STACK, clock=lambda: moment[0], local=False
    )
    assert running.is_authorized(event({"authorization": RUN}))

    moment[0] += timedelta(hours=1)
    assert not running.is_authorized(event({"authorization": RUN}))


def test_only_the_secret_that_is_asked_for_is_read() -> None:
    def unread() -> NoReturn:
        raise AssertionError

    with_token = Authorizer(
        runner_tokens=lambda: [TOKEN], callback_keys=unread, issuer=STACK, clock=unread, local=False
    )
    with_key = Authorizer(
        runner_tokens=unread, callback_keys=lambda: [KEY], issuer=STACK, clock=lambda: NOW, local=False
    )

    assert with_token.is_authorized(shown(TOKEN))
    assert with_key.is_authorized(event({"authorization": RUN, "x-runner-auth": TOKEN}))
