"""The options that all commands share, before or after the command."""

import pytest

from scheduling_admin.stack.options import move_behind_command


@pytest.mark.parametrize(
    ("words", "moved"),
    [
        ("schedules --json", "schedules --json"),
        ("--json schedules --tenant t", "schedules --json --tenant t"),
        ("--stack-name s --json installs", "installs --stack-name s --json"),
        ("--region=eu-west-1 explain i s t", "explain --region=eu-west-1 i s t"),
        ("--profile p status --profile q", "status --profile p --profile q"),
        ("--endpoint-url http://127.0.0.1:4566 changes i", "changes --endpoint-url http://127.0.0.1:4566 i"),
        ("--json --help", "--help --json"),
        ("--unknown installs", "--unknown installs"),
        ("--json", ""),
        ("--profile", ""),
        ("", ""),
    ],
)
def test_common_options_are_moved_behind_the_command(words: str, moved: str) -> None:
    assert move_behind_command(words.split()) == moved.split()
