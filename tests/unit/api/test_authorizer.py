from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn

import pytest
from scheduling.api.authorizer import Authorizer
from scheduling.api.callback_token import issue_token
from scheduling.domain.ids import InstallId

from tests.unit.builders import INSTALL_ID, NOW, install

TOKEN, KEY, STACK = "a-long-callback-token", "k" * 64, "stack-1"
RUN_BEARER = f"Bearer {issue_token(KEY, STACK, install(), NOW, timedelta(seconds=30))}"

deployed_and_local = pytest.mark.parametrize("local", [False, True], ids=["deployed", "local"])


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


def is_authorized(authorizer_: Authorizer, event_: dict[str, Any]) -> bool:
    response = authorizer_.authorize(event_)
    assert response.keys() - {"context"} == {"isAuthorized"}
    return response["isAuthorized"] is True


def event(headers: Mapping[str, str], install_id: str = INSTALL_ID) -> dict[str, Any]:
    return {"headers": headers, "pathParameters": {"installId": install_id}}


def runner_token_event(token: str) -> dict[str, Any]:
    return event({"x-runner-auth": token})


@deployed_and_local
def test_runner_token_is_valid_for_every_install(local: bool) -> None:
    assert is_authorized(authorizer(local=local), runner_token_event(TOKEN))
    assert is_authorized(authorizer(local=local), event({"x-runner-auth": TOKEN}, "install-2"))


@pytest.mark.parametrize(
    "event_",
    [
        pytest.param({}, id="no headers"),
        pytest.param({"headers": None}, id="null"),
        pytest.param({"headers": {}}, id="none"),
        pytest.param(runner_token_event(""), id="empty"),
        pytest.param(runner_token_event("a-long-callback-toke"), id="one character missing"),
        pytest.param(runner_token_event("a-long-callback-token "), id="trailing space"),
        pytest.param(runner_token_event("A-LONG-CALLBACK-TOKEN"), id="another case"),
        pytest.param(runner_token_event(f"{TOKEN},{TOKEN}"), id="duplicated"),
        pytest.param(runner_token_event(f"Bearer {TOKEN}"), id="a scheme before it"),
        pytest.param(runner_token_event("é"), id="not ASCII"),
        pytest.param(runner_token_event("local-runner-key"), id="the well-known token"),
        pytest.param(runner_token_event(RUN_BEARER.removeprefix("Bearer ")), id="a run's token"),
        pytest.param({"identitySource": [TOKEN]}, id="an identity source"),
        pytest.param(event({"authorization": TOKEN}), id="no scheme"),
        pytest.param(event({"authorization": f"Bearer {TOKEN}"}), id="as a run's token"),
        pytest.param(event({"authorization": f"Bearer {KEY}"}), id="the key"),
        pytest.param(event({"authorization": RUN_BEARER.replace("Bearer", "Basic")}), id="another scheme"),
        pytest.param(event({"authorization": RUN_BEARER.replace("Bearer ", "Bearer")}), id="no space"),
        pytest.param(event({"authorization": f"{RUN_BEARER},{RUN_BEARER}"}), id="a run's token duplicated"),
    ],
)
@deployed_and_local
def test_other_token_is_refused(event_: dict[str, Any], local: bool) -> None:
    assert not is_authorized(authorizer(local=local), event_)


@deployed_and_local
@pytest.mark.parametrize("event_", [{}, runner_token_event("")], ids=["none", "empty"])
def test_empty_token_is_refused(event_: dict[str, Any], local: bool) -> None:
    assert not is_authorized(authorizer(tokens=[""], local=local), event_)


@pytest.mark.parametrize("token", ["local-runner-key", "changeme", "change-me", "secret"])
def test_well_known_token_is_valid_only_on_the_local_stack(token: str) -> None:
    assert is_authorized(authorizer(tokens=[token], local=True), runner_token_event(token))
    assert not is_authorized(authorizer(tokens=[token], local=False), runner_token_event(token))


@pytest.mark.parametrize("token", ["Changeme", "secret2", "the-secret"])
def test_token_that_only_resembles_a_well_known_one_is_valid(token: str) -> None:
    assert is_authorized(authorizer(tokens=[token]), runner_token_event(token))


def test_non_ascii_token_is_compared_verbatim() -> None:
    assert is_authorized(authorizer(tokens=["schlüssel"]), runner_token_event("schlüssel"))


@pytest.mark.parametrize("stored", [f"{TOKEN}\n", f" {TOKEN}\r\n"], ids=["line end", "spaces and CRLF"])
def test_white_space_around_a_stored_token_does_not_count(stored: str) -> None:
    assert is_authorized(authorizer(tokens=[stored]), runner_token_event(TOKEN))
    assert not is_authorized(authorizer(tokens=[" \n"]), runner_token_event(""))
    assert not is_authorized(authorizer(tokens=["changeme\n"]), runner_token_event("changeme"))


def test_previous_token_is_accepted() -> None:
    rotated = authorizer(tokens=["new", "old"])

    assert is_authorized(rotated, runner_token_event("old"))
    assert is_authorized(rotated, runner_token_event("new"))
    assert not is_authorized(rotated, runner_token_event("older"))


def test_no_request_is_authorized_without_tokens() -> None:
    assert not is_authorized(authorizer(tokens=[], keys=[], local=True), runner_token_event(""))
    assert not is_authorized(authorizer(tokens=[], keys=[], local=True), event({"authorization": RUN_BEARER}))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"authorization": RUN_BEARER}, id="as API Gateway names it"),
        pytest.param({"Authorization": RUN_BEARER}, id="as sam local names it"),
        pytest.param(
            {"AUTHORIZATION": RUN_BEARER.replace("Bearer", "bearer")}, id="the scheme in another case"
        ),
        pytest.param({"authorization": RUN_BEARER.replace(" ", "   ") + " "}, id="more spaces"),
        pytest.param({"authorization": RUN_BEARER, "x-runner-auth": TOKEN}, id="with the runners' token"),
        pytest.param(
            {"authorization": RUN_BEARER, "x-runner-auth": "wrong"}, id="with a wrong runners' token"
        ),
        pytest.param({"X-Runner-Auth": TOKEN}, id="the runners' token as sam local names it"),
        pytest.param({"authorization": "Basic eA==", "x-runner-auth": TOKEN}, id="with another scheme"),
    ],
)
def test_either_token_is_valid_for_the_install(headers: dict[str, str]) -> None:
    assert is_authorized(authorizer(), event(headers))


@pytest.mark.parametrize(
    "bearer",
    [
        pytest.param("Bearer", id="nothing"),
        pytest.param("bearer ", id="a space"),
        pytest.param("Bearer x", id="garbage"),
        pytest.param(f"Bearer {TOKEN}", id="the runners' token"),
        pytest.param(RUN_BEARER[:-1], id="one character missing"),
    ],
)
def test_a_bad_bearer_token_is_refused_even_with_the_runners_token(bearer: str) -> None:
    assert not is_authorized(authorizer(), event({"authorization": bearer, "x-runner-auth": TOKEN}))


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({"installId": "install-2"}, id="another install"),
        pytest.param({"installId": "INSTALL-1"}, id="in another case"),
        pytest.param({"installId": "install-1/"}, id="with a suffix"),
        pytest.param({"installId": ""}, id="empty"),
        pytest.param({"scheduleId": INSTALL_ID}, id="another parameter"),
        pytest.param({}, id="no parameters"),
        pytest.param(None, id="null"),
    ],
)
def test_run_token_is_valid_only_for_paths_of_its_install(parameters: dict[str, str] | None) -> None:
    event_ = {"headers": {"authorization": RUN_BEARER}, "pathParameters": parameters}

    assert not is_authorized(authorizer(), event_)


def test_run_token_is_valid_for_its_install_in_any_case_of_a_uuid() -> None:
    uuid = InstallId("12345678-9abc-4def-8123-456789abcdef")
    token = issue_token(KEY, STACK, install(id=uuid), NOW, timedelta(seconds=30))
    headers = {"authorization": f"Bearer {token}"}

    assert is_authorized(authorizer(), event(headers, uuid.upper()))


def test_response_has_the_tenant_of_a_run_token_only() -> None:
    assert authorizer().authorize(event({"authorization": RUN_BEARER})) == {
        "isAuthorized": True,
        "context": {"tenantId": "tenant-1"},
    }
    assert authorizer().authorize(runner_token_event(TOKEN)) == {"isAuthorized": True}
    assert authorizer().authorize(event({"authorization": "Bearer x"})) == {"isAuthorized": False}


def test_run_token_is_checked_against_the_current_time() -> None:
    moment = [NOW]
    authorizer_ = Authorizer(
        runner_tokens=tuple, callback_keys=lambda: [KEY], issuer=STACK, clock=lambda: moment[0], local=False
    )
    assert is_authorized(authorizer_, event({"authorization": RUN_BEARER}))

    moment[0] += timedelta(hours=1)
    assert not is_authorized(authorizer_, event({"authorization": RUN_BEARER}))


def test_only_the_needed_secret_is_read() -> None:
    def unread() -> NoReturn:
        raise AssertionError

    with_token = Authorizer(
        runner_tokens=lambda: [TOKEN], callback_keys=unread, issuer=STACK, clock=unread, local=False
    )
    with_key = Authorizer(
        runner_tokens=unread, callback_keys=lambda: [KEY], issuer=STACK, clock=lambda: NOW, local=False
    )

    assert is_authorized(with_token, runner_token_event(TOKEN))
    assert is_authorized(with_key, event({"authorization": RUN_BEARER, "x-runner-auth": TOKEN}))
