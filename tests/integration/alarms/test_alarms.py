"""Every alarm of the template fires when its fault is played, and docs/operations.md says what to do then."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduling_admin.app import app
from scheduling_admin.health.metrics import SERIES_COUNT
from tests.integration.alarms.rehearsals import REHEARSALS, SUCCESS, fire
from tests.support.faults.cases import Case, new_case
from tests.support.oracles.alarms import STACK, list_alarms, parse_datapoints
from tests.support.stacks.functions import Context, deploy_functions, load_function
from tests.support.stacks.world import new_world

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
COLUMNS = "| fault | alarm | when | command | repair |"
OWN_ALARMS = [name for name, alarm in list_alarms().items() if alarm.is_own]


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", STACK)
    with new_world(aws="memory") as world, deploy_functions(world):
        yield new_case(world)


def test_every_alarm_has_a_rehearsal() -> None:
    assert sorted(REHEARSALS) == sorted(list_alarms())


@pytest.mark.parametrize("name", REHEARSALS)
def test_the_fault_raises_the_alarm(case: Case, capsys: pytest.CaptureFixture[str], name: str) -> None:
    alarm = list_alarms()[name]

    resource = REHEARSALS[name](case)

    if alarm.is_own:
        assert alarm.is_raised_by(parse_datapoints(capsys.readouterr().out))
    else:
        assert alarm.resources == [resource]


def test_a_stack_without_faults_raises_no_alarm(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    fire(case, SUCCESS, times=2)
    load_function("reconcile").handler({}, Context())

    datapoints = parse_datapoints(capsys.readouterr().out)

    assert {each.name for each in datapoints} >= {"Fires", "Attempts", "Lateness", "OldestPendingSeconds"}
    assert [name for name in OWN_ALARMS if list_alarms()[name].is_raised_by(datapoints)] == []


def test_the_cost_page_counts_what_is_charged(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    fire(case, SUCCESS)

    metrics = {
        (each.name, *sorted(each.dimensions.items())) for each in parse_datapoints(capsys.readouterr().out)
    }

    assert f"Fires that succeed have {len(metrics)} metrics" in PAGE
    assert f"${len(metrics) * 0.3:.2f} a month" in PAGE
    assert f"`status` reads {SERIES_COUNT} metrics at $0.01 per thousand" in PAGE


def read_fault_table() -> list[list[str]]:
    """Return the cells of the table of faults."""
    lines = PAGE.partition(COLUMNS)[2].strip().splitlines()[1:]
    rows = [line for line in lines[: lines.index("")] if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def test_every_alarm_leads_from_its_fault_to_a_repair() -> None:
    rows = read_fault_table()
    assert sorted(row[1].strip("`") for row in rows) == sorted(each.suffix for each in list_alarms().values())
    assert {len(row) for row in rows} == {5}
    assert all(all(row) for row in rows)


def test_commands_of_the_table_exist() -> None:
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    named = {match[1] for row in read_fault_table() for match in re.finditer(r"`([a-z]+)[ `]", row[3])}
    assert named
    assert named <= commands
