"""The figures of `make bench` that are counts, not times, and how it computes them."""

import _imp
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from scheduling.operations.schedules.create import create_schedule
from scheduling.operations.schedules.update import update_schedule

from bench.artifact import find_byte_code_faults
from bench.canned import CannedAws
from bench.gates import LARGE_MAX_CALLS, MAX_CALLS, MAX_UNITS_RATIO, Gate
from bench.measure import median_ratio
from bench.stage import PAYLOAD, create_stage
from bench.units import LARGE_MIN_UNITS, LARGE_PAYLOAD, MIN_UNITS, Usage, measure_fire, measure_usage
from tests.support.stacks.fires import execute_fire, next_hourly_fire
from tests.support.stacks.world import TABLE, create_input, new_world, update_input

SIZES: dict[str, tuple[object, dict[str, int], Mapping[str, tuple[int, int]]]] = {
    "small": (PAYLOAD, MAX_CALLS, MIN_UNITS),
    "100 KB": (LARGE_PAYLOAD, LARGE_MAX_CALLS, LARGE_MIN_UNITS),
}
"""A payload, and the limits with it."""


@pytest.fixture(scope="module", params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def usage(size: str) -> Usage:
    return measure_usage(SIZES[size][0])


@pytest.mark.parametrize("operation", MAX_CALLS)
def test_operation_makes_no_more_aws_calls_than_allowed(usage: Usage, size: str, operation: str) -> None:
    assert len(usage[operation].calls) <= SIZES[size][1][operation], usage[operation].calls


@pytest.mark.parametrize("operation", MIN_UNITS)
def test_operation_uses_at_most_a_tenth_more_than_min_units(usage: Usage, size: str, operation: str) -> None:
    read, written = SIZES[size][2][operation]

    assert read <= usage[operation].read_units <= read * MAX_UNITS_RATIO
    assert written <= usage[operation].write_units <= written * MAX_UNITS_RATIO


@pytest.mark.parametrize("bytes_of_payload", [0, 80, 256, 257, 1_000, 4_000, 99_000])
def test_fire_writes_the_same_units_whatever_the_payload(bytes_of_payload: int) -> None:
    payload = ["x" * (bytes_of_payload - 4)] if bytes_of_payload else None

    assert measure_fire(payload).write_units == MIN_UNITS["fire"][1]


def test_stream_has_a_payload_only_when_it_changes() -> None:
    with new_world(aws="memory") as world:
        assert world.memory
        install_id = world.register_install()
        changes = world.memory.tables[TABLE].changes
        schedule = create_schedule(world.services, install_id, create_input(payload=LARGE_PAYLOAD))
        assert len(str(changes)) > 99_000
        changes.clear()

        execute_fire(world.services, world.runner, next_hourly_fire(world, schedule))
        update_schedule(world.services, install_id, schedule.id, update_input(cron="5 * * * *"))

        assert len(changes) > 4
        assert len(str(changes)) < 20_000


@pytest.mark.parametrize(("figure", "holds"), [(0.99, True), (1.0, True), (1.01, False)])
def test_gate_passes_up_to_its_limit(figure: float, holds: bool) -> None:
    assert Gate("any", figure, 1.0).passes is holds


def test_ratio_compares_results_of_the_same_round() -> None:
    numerators, denominators = (
        [{"cpu": 2.0}, {"cpu": 30.0}, {"cpu": 9.0}],
        [{"cpu": 1.0}, {"cpu": 10.0}, {"cpu": 9.0}],
    )

    assert median_ratio(numerators, denominators, "cpu") == 2.0


def test_canned_aws_responds_from_its_items() -> None:
    staged = create_stage(3)
    aws = CannedAws([dict(item) for item in staged.items])
    install = next(item for item in staged.items if item["type"]["S"] == "install")
    values = {":0": install["pk"], ":1": {"S": "SCHEDULE#"}, ":2": {"S": "SCHEDULE~"}}

    assert (
        aws.respond("DynamoDB_20120810.Query", "/", _dump_json(ExpressionAttributeValues=values)).count(
            b'"sk"'
        )
        == 3
    )
    assert (
        aws.respond(
            "DynamoDB_20120810.Query", "/", _dump_json(ExpressionAttributeValues=values, Limit=2)
        ).count(b'"sk"')
        == 2
    )


def _dump_json(**arguments: object) -> bytes:
    return json.dumps(arguments).encode()


@pytest.mark.parametrize(
    ("byte_code", "fault"),
    [
        pytest.param(None, True, id="missing"),
        pytest.param("checked by time", True, id="checked by time"),
        pytest.param("of another source", True, id="of another source"),
        pytest.param("of this source", False, id="of this source"),
    ],
)
def test_stale_byte_code_is_detected(tmp_path: Path, byte_code: str | None, fault: bool) -> None:
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

    assert find_byte_code_faults(tmp_path) == ([module] if fault else [])
