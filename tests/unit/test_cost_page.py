"""The figures of docs/operations.md on what an idle stack costs are those of the template."""

import re
from typing import Any

import pytest

from local.settings import PROJECT_ROOT
from scripts.iam_table import expand_with_logical_ids

OPERATIONS = (PROJECT_ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
IDLE = re.search(r"An idle stack costs about \$(\d+) a month: (.*?)\n\n", OPERATIONS, re.DOTALL)
GB_SECOND, HOURS = 0.0000015046, 730


def count_resources(kind: str) -> dict[str, Any]:
    template = expand_with_logical_ids()
    return {name: each.properties for name, each in template.resources.items() if each.type == kind}


def read_figure(what: str) -> tuple[int, float]:
    """Return the number of these and their price."""
    assert IDLE
    match = re.search(rf"(\d+) {what}\s+\$([\d.]+)", IDLE[2])
    assert match, what
    return int(match[1]), float(match[2])


def count_snapshots() -> int:
    """A published version of each function with an alias has a snapshot."""
    return len(count_resources("AWS::Lambda::Alias"))


def count_alarm_metrics() -> int:
    alarms = count_resources("AWS::CloudWatch::Alarm").values()
    return sum(
        len([each for each in alarm.get("Metrics", [{"MetricStat": {}}]) if "MetricStat" in each])
        for alarm in alarms
    )


def test_snapshots_are_those_of_the_template() -> None:
    assert IDLE
    match = re.search(r"snapshots of (\d+) functions \$([\d.]+)", IDLE[2])
    assert match
    assert int(match[1]) == count_snapshots() == len(count_resources("AWS::Lambda::Version"))
    assert float(match[2]) == pytest.approx(int(match[1]) * 0.5 * GB_SECOND * HOURS * 3600, abs=0.01)


@pytest.mark.parametrize(
    ("what", "count", "price"),
    [
        ("dashboard", len(count_resources("AWS::CloudWatch::Dashboard")), 3.00),
        ("secrets", len(count_resources("AWS::SecretsManager::Secret")), 0.40),
    ],
)
def test_other_resources_are_those_of_the_template(what: str, count: int, price: float) -> None:
    number, total = read_figure(what)
    assert number == count
    assert total == pytest.approx(count * price)


def test_alarms_are_those_of_the_template_and_charged_by_metric() -> None:
    assert IDLE
    match = re.search(r"(\d+) alarms on (\d+) metrics\s+\$([\d.]+)", IDLE[2])
    assert match
    assert int(match[1]) == len(count_resources("AWS::CloudWatch::Alarm"))
    assert int(match[2]) == count_alarm_metrics()
    assert float(match[3]) == pytest.approx(count_alarm_metrics() * 0.10)


def test_sum_is_that_of_its_parts_and_the_readmes() -> None:
    assert IDLE
    parts = IDLE[2].partition("A key of your own")[0]
    parts = parts.replace("each start from one another $0.00007", "").replace("$0.0000015046 per", "")
    total = sum(map(float, re.findall(r"\$(\d+\.\d\d)", parts)))
    assert round(total) == int(IDLE[1])
    assert f"an idle stack costs ${IDLE[1]} a" in (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    functions = (PROJECT_ROOT / "docs" / "decisions" / "013-versions-and-snapshots.md").read_text(
        encoding="utf-8"
    )
    assert (
        f"About ${count_snapshots() * 0.5 * GB_SECOND * HOURS * 3600:.0f} a month for the snapshots"
        in functions
    )


def test_every_alarm_is_explained() -> None:
    for alarm in count_resources("AWS::CloudWatch::Alarm").values():
        name = alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
        assert f"| `{name}` |" in OPERATIONS


@pytest.mark.parametrize("name", expand_with_logical_ids().parameters)
def test_every_parameter_is_explained(name: str) -> None:
    assert f"`{name}`" in OPERATIONS.partition("### How large a limit may be")[0]
