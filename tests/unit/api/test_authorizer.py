import pytest
from scheduling.api.authorizer import authorized

TOKEN = "a-long-callback-token"


@pytest.mark.parametrize("local", [False, True], ids=["deployed", "local"])
def test_the_token_opens(local: bool) -> None:
    assert authorized({"identitySource": [TOKEN]}, [TOKEN], local=local)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({}, id="no identity source"),
        pytest.param({"identitySource": None}, id="null"),
        pytest.param({"identitySource": []}, id="none"),
        pytest.param({"identitySource": [""]}, id="empty"),
        pytest.param({"identitySource": ["a-long-callback-toke"]}, id="a character short"),
        pytest.param({"identitySource": ["a-long-callback-token "]}, id="a space more"),
        pytest.param({"identitySource": ["A-LONG-CALLBACK-TOKEN"]}, id="another case"),
        pytest.param({"identitySource": [f"Bearer {TOKEN}"]}, id="a scheme before it"),
        pytest.param({"identitySource": ["é"]}, id="not ASCII"),
        pytest.param({"identitySource": ["local-runner-key"]}, id="the well-known one"),
        pytest.param({"headers": {"x-runner-auth": TOKEN}}, id="not where API Gateway puts it"),
    ],
)
@pytest.mark.parametrize("local", [False, True], ids=["deployed", "local"])
def test_anything_else_does_not(event: dict[str, object], local: bool) -> None:
    assert not authorized(event, [TOKEN], local=local)


@pytest.mark.parametrize("local", [False, True], ids=["deployed", "local"])
@pytest.mark.parametrize("shown", [[], [""]], ids=["none", "empty"])
def test_an_empty_token_opens_nothing(shown: list[str], local: bool) -> None:
    assert not authorized({"identitySource": shown}, [""], local=local)


def test_the_well_known_token_opens_the_local_stack_alone() -> None:
    event = {"identitySource": ["local-runner-key"]}

    assert authorized(event, ["local-runner-key"], local=True)
    assert not authorized(event, ["local-runner-key"], local=False)


def test_a_token_that_is_not_ascii_is_compared_as_it_is() -> None:
    assert authorized({"identitySource": ["schlüssel"]}, ["schlüssel"], local=False)


def test_the_token_before_the_last_rotation_is_accepted_too() -> None:
    assert authorized({"identitySource": ["old"]}, ["new", "old"], local=False)
    assert authorized({"identitySource": ["new"]}, ["new", "old"], local=False)
    assert not authorized({"identitySource": ["older"]}, ["new", "old"], local=False)


def test_no_token_at_all_lets_nobody_in() -> None:
    assert not authorized({"identitySource": [""]}, [], local=True)
