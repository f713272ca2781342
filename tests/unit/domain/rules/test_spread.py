"""The rule of `spreadMinutes`: by itself, and with the smallest gap of the schedule's rule."""

from dataclasses import replace

import pytest
from scheduling.domain.errors import RulesViolated
from scheduling.domain.exact_json import Number
from scheduling.domain.install import Limits

from tests.unit.builders import definition
from tests.unit.domain.rules.inputs import RULES, create_input, field_errors, valid_input

NUMBER_ERROR = "spreadMinutes must be null or a whole number from 0 to 60"


def gap_error(gap: int) -> str:
    return f"spreadMinutes must be less than {gap}, the smallest gap between two fires in minutes"


@pytest.mark.parametrize(
    ("cron", "value", "stored"),
    [
        pytest.param("0 9 * * *", Number("60"), 60, id="daily"),
        pytest.param("*/5 * * * *", Number("4"), 4, id="every five minutes"),
        pytest.param("*/5 * * * *", Number("0"), 0, id="0"),
        pytest.param("*/5 * * * *", None, None, id="the stack's, whatever it is"),
        pytest.param("at(2026-12-24T09:00)", Number("60"), 60, id="one-time"),
        pytest.param("0 9 29 2 *", Number("60"), 60, id="leap days"),
    ],
)
def test_a_spread_is_less_than_the_smallest_gap(cron: str, value: object, stored: int | None) -> None:
    rules = replace(RULES, limits=Limits(default_spread_minutes=60))
    built = rules.build_definition(valid_input(cron=cron, timezone="UTC", spreadMinutes=value))
    assert built.spread_minutes == stored


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        pytest.param({"spreadMinutes": Number("61")}, {"spreadMinutes": NUMBER_ERROR}, id="61"),
        pytest.param({"spreadMinutes": Number("-1")}, {"spreadMinutes": NUMBER_ERROR}, id="negative"),
        pytest.param({"spreadMinutes": Number("1.0")}, {"spreadMinutes": NUMBER_ERROR}, id="a fraction"),
        pytest.param({"spreadMinutes": "5"}, {"spreadMinutes": NUMBER_ERROR}, id="a text"),
        pytest.param({"spreadMinutes": True}, {"spreadMinutes": NUMBER_ERROR}, id="true"),
        pytest.param(
            {"spreadMinutes": Number("5"), "cron": "*/5 * * * *"},
            {"spreadMinutes": gap_error(5)},
            id="5 of 5",
        ),
        pytest.param(
            {"spreadMinutes": Number("60"), "cron": "0 * * * *"},
            {"spreadMinutes": gap_error(60)},
            id="60 of 60",
        ),
        pytest.param(
            {"spreadMinutes": Number("4"), "cron": "*/7 * * * *"},
            {"cron": "Cron too frequent (minimum interval is 5 minutes)"},
            id="with a broken rule",
        ),
    ],
)
def test_each_broken_spread_is_refused(fields: dict[str, object], errors: dict[str, str]) -> None:
    assert field_errors(valid_input(**fields)) == errors


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        pytest.param(
            {"spreadMinutes": Number("30")}, {"spreadMinutes": gap_error(30)}, id="the spread alone"
        ),
        pytest.param({"cron": "*/10 * * * *"}, {"spreadMinutes": gap_error(10)}, id="the rule alone"),
        pytest.param({"cron": "*/10 * * * *", "spreadMinutes": Number("9")}, {}, id="both"),
        pytest.param({"cron": "*/10 * * * *", "spreadMinutes": None}, {}, id="the rule, and the stack's"),
        pytest.param({"spreadMinutes": Number("0")}, {}, id="none"),
        pytest.param({"cron": "at(2026-12-24T09:00)"}, {}, id="a one-time rule"),
        pytest.param({"name": "n"}, {}, id="neither"),
    ],
)
def test_an_update_is_checked_by_the_resulting_rule_and_spread(
    fields: dict[str, object], errors: dict[str, str]
) -> None:
    current = definition(endpoint_path="/post", cron="*/30 * * * *", spread_minutes=20)
    input_ = create_input(**fields)
    if not errors:
        RULES.update_definition(current, input_)
        return
    with pytest.raises(RulesViolated) as refused:
        RULES.update_definition(current, input_)
    assert refused.value.field_errors == errors
