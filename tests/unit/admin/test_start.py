"""The entry point of the operator's command line, and the packages that it requires."""

import re
import tomllib
from importlib.util import find_spec

import pytest

from local.settings import PROJECT_ROOT
from scheduling_admin import __main__ as start


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
