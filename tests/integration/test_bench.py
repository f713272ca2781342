"""What `make bench` counts rather than times holds in every run of the tests."""

import _imp
import json
from pathlib import Path

import pytest

from bench.artifact import byte_code_faults
from bench.canned import CannedAws
from bench.gates import CALLS, UNITS, Gate
from bench.measure import paired
from bench.stage import stage
from bench.units import LEAST, Asked, asked_by_operation


@pytest.fixture(scope="module")
def asked() -> dict[str, Asked]:
    return dict(asked_by_operation())


@pytest.mark.parametrize("operation", CALLS)
def test_an_operation_asks_aws_no_more_often_than_it_may(asked: dict[str, Asked], operation: str) -> None:
    assert len(asked[operation].calls) <= CALLS[operation], asked[operation].calls


@pytest.mark.parametrize("operation", LEAST)
def test_an_operation_costs_no_more_than_a_tenth_above_the_least(
    asked: dict[str, Asked], operation: str
) -> None:
    read, written = LEAST[operation]

    assert read <= asked[operation].read <= read * UNITS
    assert written <= asked[operation].written <= written * UNITS


@pytest.mark.parametrize(("figure", "holds"), [(0.99, True), (1.0, True), (1.01, False)])
def test_a_gate_holds_up_to_its_bound(figure: float, holds: bool) -> None:
    assert Gate("any", figure, 1.0).holds is holds


def test_a_ratio_is_of_figures_of_the_same_round() -> None:
    these, those = [{"cpu": 2.0}, {"cpu": 30.0}, {"cpu": 9.0}], [{"cpu": 1.0}, {"cpu": 10.0}, {"cpu": 9.0}]

    assert paired(these, those, "cpu") == 2.0


def test_aws_answers_by_what_stands() -> None:
    staged = stage(3)
    aws = CannedAws([dict(item) for item in staged.items])
    install = next(item for item in staged.items if item["type"]["S"] == "install")
    values = {":0": install["pk"], ":1": {"S": "SCHEDULE#"}, ":2": {"S": "SCHEDULE~"}}

    assert (
        aws.answer("DynamoDB_20120810.Query", "/", _json(ExpressionAttributeValues=values)).count(b'"sk"')
        == 3
    )
    assert (
        aws.answer("DynamoDB_20120810.Query", "/", _json(ExpressionAttributeValues=values, Limit=2)).count(
            b'"sk"'
        )
        == 2
    )


def _json(**given: object) -> bytes:
    return json.dumps(given).encode()


@pytest.mark.parametrize(
    ("byte_code", "fault"),
    [
        pytest.param(None, True, id="missing"),
        pytest.param("checked by time", True, id="checked by time"),
        pytest.param("of another source", True, id="of another source"),
        pytest.param("of this source", False, id="of this source"),
    ],
)
def test_byte_code_that_python_would_not_take_is_found(
    tmp_path: Path, byte_code: str | None, fault: bool
) -> None:
    module = tmp_path / "app.py"
    module.write_text("x = 1\n")
    magic = b"\xf3\x0d\r\n"
    head = {
        "checked by time": magic + bytes(12),
        "of another source": magic + b"\x01\x00\x00\x00" + bytes(8),
        "of this source": magic
        + b"\x01\x00\x00\x00"
        + _imp.source_hash(int.from_bytes(magic, "little"), module.read_bytes()),
    }
    if byte_code:
        (tmp_path / "__pycache__").mkdir()
        (tmp_path / "__pycache__" / "app.cpython-313.pyc").write_bytes(head[byte_code])

    assert byte_code_faults(tmp_path) == ([module] if fault else [])
