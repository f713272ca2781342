from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from scheduling.domain.cron.timezones import _timezone_names, check_timezone
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
    "text",
    [
        "",
        " ",
        "utc",
        "europe/berlin",
        "EUROPE/BERLIN",
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
    ],
)
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(InvalidTimezone) as refused:
        check_timezone(text)
    assert str(refused.value) == "Invalid timezone"


def test_every_accepted_zone_loads() -> None:
    for name in _timezone_names():
        assert datetime(2026, 11, 23, tzinfo=ZoneInfo(name)).utcoffset() is not None


def test_no_accepted_name_is_longer_than_50_characters() -> None:
    assert max(map(len, _timezone_names())) == len("America/Argentina/ComodRivadavia") == 32
