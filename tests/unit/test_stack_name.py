"""A stack's name that AWS would refuse during a deployment is refused before it."""

import sys
from runpy import run_module

import pytest

from local.settings import PROJECT_ROOT
from scripts.stack_name import MAX_LENGTHS, find_fault, read_derived_names


def test_every_name_that_contains_the_stacks_has_a_known_limit() -> None:
    names = {name.logical_id: name for name in read_derived_names()}

    assert {
        "Api",
        "AuthorizerFunction",
        "EventBus",
        "Dashboard",
        "DeadLettersAlarm",
        "ListLogGroup",
    } <= names.keys()
    assert {name.max_length for name in names.values()} == set(MAX_LENGTHS.values())


def test_functions_have_no_name_that_they_do_not_need() -> None:
    """`sam local` finds the authorizer by its name only, and timers of earlier releases the executor."""
    functions = {name.logical_id for name in read_derived_names() if name.max_length == 64}

    assert functions == {"AuthorizerFunction", "ExecuteFunction"}


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        pytest.param("extension-scheduler", None, id="the default"),
        pytest.param("s" * 53, None, id="the longest"),
        pytest.param(
            "s" * 54,
            "it has 54 characters; at most 53 are possible, since AuthorizerFunction is named <stack name>-authorizer "
            "and such a name has at most 64",
            id="longer",
        ),
        pytest.param("9-lives", "it must be letters, digits and hyphens, with a letter first", id="digit"),
        pytest.param(
            "my_stack", "it must be letters, digits and hyphens, with a letter first", id="underscore"
        ),
        pytest.param("", "it must be letters, digits and hyphens, with a letter first", id="empty"),
    ],
)
def test_name_of_a_stack(name: str, fault: str | None) -> None:
    assert find_fault(name) == fault


def test_deploy_target_checks_the_name_before_it_builds_or_calls_aws() -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text()
    recipe = makefile.partition("\ndeploy: setup")[2].partition("\n\n")[0].splitlines()[1:]

    assert recipe[0].strip() == '@$(BIN)/python -m scripts.stack_name "$(STACK_NAME)"'
    assert "sam deploy" in recipe[2]


def test_refusal_is_an_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["stack_name", "s" * 60])
    monkeypatch.delitem(sys.modules, "scripts.stack_name")  # runpy warns of a module that was imported
    with pytest.raises(SystemExit) as stop:
        run_module("scripts.stack_name", run_name="__main__")

    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith(
        f'deploy: the stack name "{"s" * 60}" is refused: it has 60 characters'
    )
