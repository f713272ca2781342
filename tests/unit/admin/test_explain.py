"""Each situation of an occurrence, with the exact sentences of its explanation."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from scheduling_admin.explain.engine import explain_occurrence
from scheduling_admin.explain.evidence import Evidence, Verdict
from scheduling_admin.output.times import parse_occurrence_time
from tests.unit.admin.builders import TIMER, build_evidence
from tests.unit.admin.explained_by_changes import CHANGES_SITUATIONS
from tests.unit.admin.explained_by_finds import FINDS_SITUATIONS
from tests.unit.admin.explained_by_history import HISTORY_SITUATIONS
from tests.unit.admin.explained_by_rule import RULE_SITUATIONS
from tests.unit.admin.explained_by_state import STATE_SITUATIONS
from tests.unit.builders import NOW

SITUATIONS = {
    **HISTORY_SITUATIONS,
    **RULE_SITUATIONS,
    **STATE_SITUATIONS,
    **CHANGES_SITUATIONS,
    **FINDS_SITUATIONS,
}


@pytest.mark.parametrize(
    ("evidence", "verdict", "summary", "reasons", "advice"), SITUATIONS.values(), ids=SITUATIONS.keys()
)
def test_each_situation_is_explained(
    evidence: Evidence, verdict: Verdict, summary: str, reasons: list[str], advice: list[str]
) -> None:
    explanation = explain_occurrence(evidence)
    assert (explanation.verdict, explanation.summary) == (verdict, summary)
    assert (list(explanation.reasons), list(explanation.advice)) == (reasons, advice)


def test_every_verdict_has_a_situation() -> None:
    assert {situation[1] for situation in SITUATIONS.values()} == set(Verdict)


@pytest.mark.parametrize(
    ("moment", "verdict"),
    [
        (NOW - timedelta(days=30), Verdict.NOT_RUN),
        (NOW - timedelta(days=30, minutes=1), Verdict.UNKNOWN),
    ],
)
def test_history_retention_ends_at_the_configured_days(moment: datetime, verdict: Verdict) -> None:
    evidence = build_evidence(
        created_at=NOW - timedelta(days=90), timer_since=NOW - timedelta(days=90), cron="* * * * *"
    )
    occurrence = parse_occurrence_time(moment.isoformat(), "UTC")
    timer = replace(TIMER, expression="cron(* * * * ? *)")
    assert (
        explain_occurrence(replace(evidence, occurrence=occurrence, now=NOW, timer=timer)).verdict is verdict
    )
