import pytest
from scheduling.domain.cron.grammar import MAX_CRON_LENGTH, parse_cron
from scheduling.domain.errors import InvalidCron

EVERY_MINUTE = tuple(range(60))
FIELD = {"minute": 0, "hour": 1, "day-of-month": 2, "month": 3, "day-of-week": 4}


def cron_with_field(name: str, text: str) -> str:
    fields = ["0", "0", "*", "*", "*"]
    fields[FIELD[name]] = text
    return " ".join(fields)


def refusal_text(text: str) -> str:
    with pytest.raises(InvalidCron) as refused:
        parse_cron(text)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("*", EVERY_MINUTE),
        ("*/1", EVERY_MINUTE),
        ("*/20", (0, 20, 40)),
        ("*/59", (0, 59)),
        ("0", (0,)),
        ("59", (59,)),
        ("05", (5,)),
        ("10-13", (10, 11, 12, 13)),
        ("50/4", (50, 54, 58)),
        ("59/59", (59,)),
        ("10-20/5", (10, 15, 20)),
        ("10-19/5", (10, 15)),
        ("30,5,5,28-31", (5, 28, 29, 30, 31)),
    ],
)
def test_a_minute_field_is_a_list_of_values_ranges_and_steps(text: str, minutes: tuple[int, ...]) -> None:
    assert parse_cron(cron_with_field("minute", text)).minutes == minutes


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("jan", (1,)),
        ("DEC", (12,)),
        ("Mar-May", (3, 4, 5)),
        ("JAN-12/4", (1, 5, 9)),
        ("oct/1", (10, 11, 12)),
        ("*/12", (1,)),
    ],
)
def test_months_have_names(text: str, months: tuple[int, ...]) -> None:
    assert parse_cron(cron_with_field("month", text)).months == months


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("0", (0,)),
        ("7", (0,)),
        ("sun", (0,)),
        ("0,7", (0,)),
        ("7-7", (0,)),
        ("0-7", (0, 1, 2, 3, 4, 5, 6)),
        ("5-7", (0, 5, 6)),
        ("FRI-SUN", (0, 5, 6)),
        ("MON-SUN", (0, 1, 2, 3, 4, 5, 6)),
        ("SUN-SUN", (0,)),
        ("7-SUN", (0,)),
        ("0-SUN", (0,)),
        ("MON-MON", (1,)),
        ("SUN-7", (0, 1, 2, 3, 4, 5, 6)),
        ("MON-7", (0, 1, 2, 3, 4, 5, 6)),
        ("SUN-TUE", (0, 1, 2)),
        ("mon-FRI", (1, 2, 3, 4, 5)),
        ("SAT,SUN", (0, 6)),
        ("*/2", (0, 2, 4, 6)),
        ("*/7", (0,)),
        ("1/2", (1, 3, 5)),
        ("1-7/2", (0, 1, 3, 5)),
        ("SUN/3", (0, 3, 6)),
        ("0/3", (0, 3, 6)),
        ("7/3", (0, 3, 6)),
        ("7/1", (0, 1, 2, 3, 4, 5, 6)),
        ("7/7", (0,)),
        ("sat/1", (6,)),
    ],
)
def test_days_of_week_count_from_sunday(text: str, days: tuple[int, ...]) -> None:
    assert parse_cron(cron_with_field("day-of-week", text)).days_of_week == days


@pytest.mark.parametrize(
    ("text", "trimmed"),
    [
        ("  0   9 *  * MON ", "0   9 *  * MON"),
        ("\t0 9 * * mon\r\n", "0 9 * * mon"),
        ("0\t9 \t * * mon", "0\t9 \t * * mon"),
    ],
)
def test_text_is_trimmed_and_kept_as_written(text: str, trimmed: str) -> None:
    assert parse_cron(text).text == trimmed


@pytest.mark.parametrize(
    "text",
    ["1\t2\t*\t4\tMON", "1 \t2\t *  4 MON", "\t1 2 * 4\tMON\t"],
    ids=["tabs", "runs of spaces and tabs", "tabs around"],
)
def test_fields_are_separated_by_spaces_and_tabs(text: str) -> None:
    rule = parse_cron(text)

    assert (rule.minutes, rule.hours, rule.months, rule.days_of_week) == ((1,), (2,), (4,), (1,))


def test_the_longest_expression_has_128_characters() -> None:
    longest = ",".join(["0"] * 60) + " 10 * * *"
    assert len(longest) == MAX_CRON_LENGTH == 128
    assert parse_cron(f" {longest} ").minutes == (0,)
    assert refusal_text(longest.replace("10", "010")) == "Cron expression too long"


@pytest.mark.parametrize(
    "text",
    ["", " ", "*", "* * * *", "* * * * * *", "@daily", "@every 5m", "*\t* * *", "*\n*\n*\n*\n*"],
)
def test_field_count_is_five(text: str) -> None:
    assert refusal_text(text) == "Invalid cron expression (expected 5 fields: m h dom mon dow)"


@pytest.mark.parametrize(
    "text",
    [
        "0 0 ? * *",
        "0 0 * * MON#1",
        "+5 0 * * *",
        "0 0 * * K",
        "0 0 *\n * *",
        "0\u00a0 0 * * *",
        "\u00a00 0 * * *",
        "0 0 * * *\u00a0",
        "0 0 * * *\u3000",
        "0 0 * * *\u2028",
        "0 0 * * *\x1f",
        "0 0 * * *\x0b",
        "\u0665 0 * * *",
        "\uff15 0 * * *",
        "\u00b2 0 * * *",
        "0 0 * * \u017fUN",
        "0 0 * * FR\u0131",
        "61 0 * * $",
    ],
    ids=ascii,
)
def test_other_characters_are_refused_first(text: str) -> None:
    assert refusal_text(text) == "Invalid cron expression (unsupported characters)"


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("minute", "61", "61 is not between 0 and 59"),
        ("minute", "MON", "MON is not between 0 and 59"),
        ("hour", "24", "24 is not between 0 and 23"),
        ("hour", "H", "H is not between 0 and 23"),
        ("day-of-month", "0", "0 is not between 1 and 31"),
        ("day-of-month", "32", "32 is not between 1 and 31"),
        ("day-of-month", "L", "L is not between 1 and 31"),
        ("day-of-month", "15W", "15W is not between 1 and 31"),
        ("month", "0", "0 is not between 1 and 12"),
        ("day-of-week", "8", "8 is not between 0 and 7"),
        ("hour", "22-2", "22-2 is a wrapped range"),
        ("month", "NOV-FEB", "NOV-FEB is a wrapped range"),
        ("day-of-week", "5-0", "5-0 is a wrapped range"),
        ("day-of-week", "SAT-MON", "SAT-MON is a wrapped range"),
        ("day-of-week", "7-1", "7-1 is a wrapped range"),
        ("minute", "*/0", "the step of */0 is not between 1 and 59"),
        ("minute", "*/60", "the step of */60 is not between 1 and 59"),
        ("minute", "*/100", "the step of */100 is not between 1 and 59"),
        ("hour", "1-9/24", "the step of 1-9/24 is not between 1 and 23"),
        ("day-of-month", "*/32", "the step of */32 is not between 1 and 31"),
        ("month", "*/13", "the step of */13 is not between 1 and 12"),
        ("day-of-week", "*/8", "the step of */8 is not between 1 and 7"),
        ("minute", "1,,2", "1,,2 is malformed"),
        ("minute", ",", ", is malformed"),
        ("minute", "5/", "5/ is malformed"),
        ("minute", "/5", "/5 is malformed"),
        ("minute", "*/-5", "*/-5 is malformed"),
        ("minute", "1/2/3", "1/2/3 is malformed"),
        ("minute", "1-2-3", "1-2-3 is malformed"),
        ("minute", "*-5", "*-5 is malformed"),
        ("minute", "**", "** is malformed"),
        ("day-of-week", "*/MON", "*/MON is malformed"),
    ],
)
def test_a_refusal_names_the_field_the_part_and_the_reason(field: str, text: str, reason: str) -> None:
    assert refusal_text(cron_with_field(field, text)) == f"Invalid cron expression ({field}: {reason})"


@pytest.mark.parametrize("days", ["1 * MON", "1-31 * 0-6", "*/1 * MON", "1 * */1", "*,* * MON", "31 2 7"])
def test_only_one_day_field_may_be_set(days: str) -> None:
    assert refusal_text(f"0 0 {days}") == "Cron cannot set both day-of-month and day-of-week"


@pytest.mark.parametrize("days", ["* * *", "1 * *", "*/1 * *", "* * MON", "* * */1"])
def test_at_most_one_day_field_can_be_set(days: str) -> None:
    assert parse_cron(f"0 0 {days}").hours == (0,)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("x" * 129, "Cron expression too long"),
        ("$ * * *", "Invalid cron expression (expected 5 fields: m h dom mon dow)"),
        ("99 0 1 * $", "Invalid cron expression (unsupported characters)"),
        ("0 99 1 * 1", "Invalid cron expression (hour: 99 is not between 0 and 23)"),
        ("0 0 1 * 8", "Invalid cron expression (day-of-week: 8 is not between 0 and 7)"),
        ("0 0 1 * 1", "Cron cannot set both day-of-month and day-of-week"),
    ],
)
def test_first_broken_rule_is_reported(text: str, first: str) -> None:
    assert refusal_text(text) == first


def test_text_is_parsed_once() -> None:
    assert parse_cron("1 2 3 4 *") is parse_cron("1 2 3 4 *")
