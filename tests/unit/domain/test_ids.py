from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from scheduling.domain.ids import ScheduleIdGenerator, endpoint_id, parse_install_id, parse_schedule_id

from tests.unit.builders import NOW

GENERATOR = ScheduleIdGenerator()


def test_a_new_id_has_version_4_form() -> None:
    for _ in range(200):
        new_id = GENERATOR.new_id(NOW)

        assert UUID(new_id).version == 4
        assert UUID(new_id).variant == "specified in RFC 4122"
        assert parse_schedule_id(new_id) == new_id


def test_new_ids_sort_by_their_time() -> None:
    times = [NOW + timedelta(milliseconds=step) for step in (0, 1, 2, 999, 1000, 60_000, 10**10)]
    ids = [GENERATOR.new_id(moment) for moment in times]

    assert ids == sorted(ids)


def test_ids_sort_by_time_from_1970_to_2200() -> None:
    ids = [GENERATOR.new_id(datetime(year, 1, 1, tzinfo=UTC)) for year in range(1970, 2201)]

    assert ids == sorted(ids)


def test_ids_of_one_moment_are_ordered() -> None:
    ids = [GENERATOR.new_id(NOW) for _ in range(500)]

    assert len(set(ids)) == 500
    assert ids == sorted(ids)


def test_ids_beyond_the_counter_are_still_unique() -> None:
    assert len({GENERATOR.new_id(NOW) for _ in range(5000)}) == 5000


@pytest.mark.parametrize(
    "text",
    [f"12345678-9abc-{version}def-8123-456789abcdef" for version in range(1, 6)]
    + [f"12345678-9abc-4def-{variant}123-456789abcdef" for variant in "89ab"],
)
def test_versions_1_to_5_are_accepted_in_either_case(text: str) -> None:
    assert parse_schedule_id(text) == text
    assert parse_schedule_id(text.upper()) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("12345678-9abc-0def-8123-456789abcdef", id="version 0"),
        pytest.param("12345678-9abc-6def-8123-456789abcdef", id="version 6"),
        pytest.param("12345678-9abc-7def-8123-456789abcdef", id="version 7"),
        pytest.param("12345678-9abc-8def-8123-456789abcdef", id="version 8"),
        pytest.param("12345678-9abc-4def-7123-456789abcdef", id="variant 7"),
        pytest.param("12345678-9abc-4def-c123-456789abcdef", id="variant c"),
        pytest.param("00000000-0000-0000-0000-000000000000", id="nil"),
        pytest.param("ffffffff-ffff-ffff-ffff-ffffffffffff", id="max"),
        pytest.param("123456789abc4def8123456789abcdef", id="no hyphens"),
        pytest.param("{12345678-9abc-4def-8123-456789abcdef}", id="braces"),
        pytest.param("urn:uuid:12345678-9abc-4def-8123-456789abcdef", id="urn"),
        pytest.param("12345678-9abc-4def-8123-456789abcdef\n", id="line end"),
        pytest.param(" 12345678-9abc-4def-8123-456789abcdef", id="leading space"),
        pytest.param("12345678-9abc-4def-8123-456789abcdeg", id="no hex digit"),
        pytest.param("12345678-9abc-4def-8123-456789abcde", id="a digit short"),
        pytest.param("1234567\u0668-9abc-4def-8123-456789abcdef", id="another script's digit"),
    ],
)
def test_invalid_schedule_id_is_refused(text: str) -> None:
    assert parse_schedule_id(text) is None


@pytest.mark.parametrize(
    "text",
    ["a", "7", "install-1", "12345678-9abc-7def-8123-456789abcdef", "A.b_c-d", "a" * 64, "a-", "INSTALL-1"],
    ids=["letter", "digit", "hyphen", "uuid", "every kind", "64", "hyphen last", "upper case"],
)
def test_install_id_is_kept_verbatim(text: str) -> None:
    assert parse_install_id(text) == text


@pytest.mark.parametrize(
    ("text", "install_id"),
    [
        pytest.param(
            "12345678-9ABC-7DEF-8123-456789ABCDEF", "12345678-9abc-7def-8123-456789abcdef", id="upper case"
        ),
        pytest.param(
            "12345678-9aBc-7Def-8123-456789abCdef", "12345678-9abc-7def-8123-456789abcdef", id="mixed case"
        ),
        pytest.param(
            "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "ffffffff-ffff-ffff-ffff-ffffffffffff", id="any version"
        ),
        pytest.param("12345678-9ABC-7DEF-8123-456789ABCDE", "12345678-9ABC-7DEF-8123-456789ABCDE", id="35"),
        pytest.param(
            "A12345678-9ABC-7DEF-8123-456789ABCDEF", "A12345678-9ABC-7DEF-8123-456789ABCDEF", id="37"
        ),
    ],
)
def test_install_id_that_is_a_uuid_is_the_same_in_any_case(text: str, install_id: str) -> None:
    assert parse_install_id(text) == install_id


@pytest.mark.parametrize(
    "text",
    ["", "a" * 65, "-a", ".a", "_a", "a b", "a/b", "a#b", "a\n", "é", "a\u0661"],
    ids=[
        "empty",
        "65",
        "hyphen first",
        "dot first",
        "line first",
        "space",
        "slash",
        "hash",
        "line end",
        "accent",
        "another script's digit",
    ],
)
def test_invalid_install_id_is_refused(text: str) -> None:
    assert parse_install_id(text) is None


def test_an_endpoint_id_is_a_stable_uuid() -> None:
    assert endpoint_id("registry-1", "GET", "/a") == endpoint_id("registry-1", "GET", "/a")
    assert parse_schedule_id(endpoint_id("registry-1", "GET", "/a")) is not None


def test_an_endpoint_id_differs_by_each_of_its_parts() -> None:
    ids = {
        endpoint_id(registry, method, path)
        for registry in ("r1", "r2")
        for method in ("GET", "POST")
        for path in ("/a", "/b")
    }

    assert len(ids) == 8


def test_endpoint_id_is_stable_across_releases() -> None:
    assert endpoint_id("registry-1", "GET", "/a") == "3d726feb-6bb5-5f22-8d68-ed45ac8d3268"
