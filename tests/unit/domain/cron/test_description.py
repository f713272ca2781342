import pytest
from scheduling.domain.cron.description import describe_rule
from scheduling.domain.cron.rule import parse_rule


@pytest.mark.parametrize(
    ("text", "timezone", "description"),
    [
        ("0 9 * * 1-5", "Europe/Berlin", "At 09:00, Monday to Friday, Europe/Berlin"),
        ("00 9 * * MON-FRI", "UTC", "At 09:00, Monday to Friday, UTC"),
        ("*/5 * * * *", "UTC", "Every 5 minutes, UTC"),
        ("0/5 * * * *", "UTC", "Every 5 minutes, UTC"),
        ("*/25 * * * *", "UTC", "At 0, 25, and 50 minutes past the hour, UTC"),
        ("0,0 9 * * *", "UTC", "At 09:00, UTC"),
        ("0-0 9 * * *", "UTC", "At 09:00, UTC"),
        ("0 9,17 * * *", "UTC", "At 09:00 and 17:00, UTC"),
        ("30 8-10 * * *", "UTC", "At 30 minutes past the hour, between 08:00 and 10:59, UTC"),
        ("0 */2 * * *", "UTC", "Every 2 hours, UTC"),
        ("0 9 * * 7", "UTC", "At 09:00, only on Sunday, UTC"),
        ("0 9 * * 0", "UTC", "At 09:00, only on Sunday, UTC"),
        ("0 9 * * SAT,SUN", "UTC", "At 09:00, only on Sunday and Saturday, UTC"),
        ("0 0 29 2 *", "UTC", "At 00:00, on day 29 of the month, only in February, UTC"),
        ("15 10 1,15 JAN-MAR *", "UTC", "At 10:15, on day 1 and 15 of the month, January to March, UTC"),
        ("0 9 1 */3 *", "UTC", "At 09:00, on day 1 of the month, every 3 months, UTC"),
        (
            "at(2026-12-01T09:00)",
            "Europe/Berlin",
            "Once, at 09:00 on Tuesday, 1 December 2026, Europe/Berlin",
        ),
        ("at(2026-12-01T09:00:30)", "UTC", "Once, at 09:00:30 on Tuesday, 1 December 2026, UTC"),
    ],
)
def test_a_rule_is_described_in_plain_english(text: str, timezone: str, description: str) -> None:
    assert describe_rule(parse_rule(text), timezone) == description
