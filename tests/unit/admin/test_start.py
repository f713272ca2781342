"""The entry point of the operator's command line, the packages that it requires, and options before the command."""

import re
import tomllib
from importlib.util import find_spec

import pytest

from local.settings import PROJECT_ROOT
from scheduling_admin import __main__ as start
from scheduling_admin.stack.options import move_behind_command


def test_a_missing_package_is_a_usage_error_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "find_spec", lambda name: None if name == "typer" else find_spec(name))

    with pytest.raises(SystemExit) as exit_info:
        start.main()

    assert exit_info.value.code == 2
    assert capsys.readouterr().err == (
        "scheduling-admin requires typer: run `pip install -e '.[admin]'` in a checkout of this project.\n"
    )


def test_the_required_packages_are_those_of_the_extra() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]
    extra = [
        re.split("[^a-z0-9-]", requirement)[0] for requirement in project["optional-dependencies"]["admin"]
    ]

    assert list(start.REQUIRED) == extra


@pytest.mark.parametrize(
    ("words", "moved"),
    [
        ("schedules --json", "schedules --json"),
        ("--json schedules --tenant t", "schedules --json --tenant t"),
        ("--stack-name s --json installs", "installs --stack-name s --json"),
        ("--region=eu-west-1 explain i s t", "explain --region=eu-west-1 i s t"),
        ("--profile p status --profile q", "status --profile p --profile q"),
        ("--endpoint-url http://127.0.0.1:4566 changes i", "changes --endpoint-url http://127.0.0.1:4566 i"),
        ("--json --help", "--help --json"),
        ("--unknown installs", "--unknown installs"),
        ("--json", ""),
        ("--profile", ""),
        ("", ""),
    ],
)
def test_common_options_are_moved_behind_the_command(words: str, moved: str) -> None:
    assert move_behind_command(words.split()) == moved.split()
