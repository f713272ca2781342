"""The next fire of a schedule, which its row has unless it has passed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from rules import parse_cron


def find_next_fire(cron, timezone, moment):
    """Return the time after `moment` as text, for a rule whose local times all exist."""
    minutes, hours, days, months, weekdays = parse_cron(cron)
    zone = ZoneInfo(timezone)
    first = moment.astimezone(zone).date()
    for number in range(8 * 366):
        date = first + timedelta(days=number)
        if date.day in days and date.month in months and date.isoweekday() % 7 in weekdays:
            for hour in hours:
                for minute in minutes:
                    fire = datetime(date.year, date.month, date.day, hour, minute, tzinfo=zone)
                    if fire > moment:
                        return format_fire(fire)
    return None


def format_fire(moment):
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_next_fire(row, moment):
    stored = row.get("nextFire")
    if stored and stored > format_fire(moment):
        return stored
    return find_next_fire(row["cron"], row["timezone"], moment)
