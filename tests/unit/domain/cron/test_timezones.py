from datetime import datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from scheduling.domain.cron.timezones import MAX_TIMEZONE_LENGTH, _timezone_names, check_timezone
from scheduling.domain.errors import InvalidTimezone


@pytest.mark.parametrize(
    "name",
    [
        "UTC",
        "Etc/UTC",
        "Etc/GMT+12",
        "Europe/Berlin",
        "America/Argentina/ComodRivadavia",
        "Asia/Calcutta",
        "Asia/Kolkata",
        "GB",
        "EST5EDT",
    ],
)
def test_iana_names_and_their_links_are_accepted(name: str) -> None:
    assert check_timezone(name) == name
    assert check_timezone(f"  {name}\n") == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("utc", "UTC"),
        ("europe/berlin", "Europe/Berlin"),
        ("EUROPE/BERLIN", "Europe/Berlin"),
        (" aMERICA/argentina/comodrivadavia ", "America/Argentina/ComodRivadavia"),
        ("us/eastern", "US/Eastern"),
        ("ETC/gmt+12", "Etc/GMT+12"),
        ("est5edt", "EST5EDT"),
    ],
)
def test_zone_in_any_case_becomes_canonical_and_aliases_stay(text: str, name: str) -> None:
    assert check_timezone(text) == name


@pytest.mark.parametrize("text", [None, "", " ", "\t\n"], ids=["null", "empty", "space", "blank"])
def test_no_zone_is_utc(text: str | None) -> None:
    assert check_timezone(text) == "UTC"


@pytest.mark.parametrize(
    "text",
    [
        "Europe/Atlantis",
        "Europe",
        "Europe/",
        "Europe/Berlin/",
        "/Europe/Berlin",
        "Europe//Berlin",
        "../Europe/Berlin",
        "Europe/../Europe/Berlin",
        "posix/Europe/Berlin",
        "right/UTC",
        "posixrules",
        "localtime",
        "Factory",
        "zone.tab",
        "+02:00",
        "GMT+2",
        "Europe/Berlin\0",
        "Europe /Berlin",
        "x" * 51,
        "Asia/\u212aolkata",
        "\u017fingapore",
        "fACTORY",
        "EST",
        "MST",
        "HST",
        "ROC",
        "roc",
        " Est ",
    ],
)
def test_unknown_zone_is_refused(text: str) -> None:
    with pytest.raises(InvalidTimezone) as refused:
        check_timezone(text)
    assert str(refused.value) == "Invalid timezone"


def test_every_accepted_zone_loads() -> None:
    for name in _timezone_names().values():
        assert datetime(2026, 11, 23, tzinfo=ZoneInfo(name)).utcoffset() is not None


def test_no_two_zones_differ_in_case_only() -> None:
    names = (files("tzdata") / "zones").read_text("utf-8").split()

    assert len(_timezone_names()) == len(set(names) - {"Factory", "EST", "MST", "HST", "ROC"})


def test_no_accepted_name_is_longer_than_50_characters() -> None:
    assert max(map(len, _timezone_names())) <= MAX_TIMEZONE_LENGTH
    assert max(map(len, _timezone_names())) == len("America/Argentina/ComodRivadavia") == 32
