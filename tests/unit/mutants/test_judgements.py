"""A survivor is found among the judged ones by what it changes, wherever the lines have moved."""

import pytest

from local.settings import PROJECT_ROOT
from tests.mutants.judgements import Judgement, find_judgement, read_judgements
from tests.unit.source.modules import LAYER

DIFF = f"--- {LAYER}/domain/a.py\n+++ {LAYER}/domain/a.py\n@@ -7 +7 @@\n-    x = 1\n+    x = 2"
JUDGEMENT = Judgement("domain/a.py", "x = 1", "x = 2", "equivalent", "nobody reads x")


@pytest.mark.parametrize(
    ("diff", "found"),
    [
        pytest.param(DIFF, True, id="the same"),
        pytest.param(DIFF.replace("@@ -7 +7 @@", "@@ -9 +9 @@"), True, id="on another line"),
        pytest.param(DIFF.replace("    x", "  x"), True, id="indented otherwise"),
        pytest.param(DIFF.replace("x = 2", "x = 0"), False, id="another change"),
        pytest.param(DIFF.replace("domain", "store"), False, id="in another module"),
    ],
)
def test_judgement_is_found_by_the_changed_lines(diff: str, found: bool) -> None:
    assert find_judgement(diff, [JUDGEMENT]) == (JUDGEMENT if found else None)


def test_every_judged_survivor_changes_a_line_that_exists() -> None:
    for each in read_judgements():
        source = (PROJECT_ROOT / LAYER / each.module).read_text(encoding="utf-8")
        lines = [line.strip() for line in source.splitlines()]
        assert set(each.removed.splitlines()) <= set(lines), each
        assert each.reason
