# Copied from layers/scheduling/scheduling/domain by scripts/vendor_rules.py. Do not edit.
"""The rule of a schedule: a cron rule, or a one-time rule."""

from extension_sdk_rules.cron.grammar import CronRule, parse_cron
from extension_sdk_rules.cron.one_time import OneTimeRule, is_one_time, parse_one_time

Rule = CronRule | OneTimeRule


def parse_rule(text: str) -> Rule:
    """Parse the five fields of a cron rule, or `at(…)`.

    Raises:
        InvalidCron: The text has another form.
    """
    return parse_one_time(text) if is_one_time(text) else parse_cron(text)
