"""The guide shows what `extension-sdk new` makes; `make author-test` runs its commands."""

import re
from pathlib import Path

import pytest
from extension_sdk_cli.scaffold import create_extension

from samples.build import ROOT

GUIDE = (ROOT / "docs" / "guide-extension.md").read_text()


@pytest.mark.parametrize(("language", "name"), [("python", "app.py"), ("json", "manifest.json")])
def test_guide_shows_the_new_extension(language: str, name: str, tmp_path: Path) -> None:
    folder = create_extension("ticket-counter", tmp_path)
    (block,) = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert block == (folder / name).read_text()


def test_page_on_languages_shows_the_tested_javascript() -> None:
    page = (ROOT / "docs" / "guide-languages.md").read_text()
    source = (ROOT / "tests" / "compat" / "js" / "quickjs.js").read_text()
    assert f"```javascript\n{source}```" in page
