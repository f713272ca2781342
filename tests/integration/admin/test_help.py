"""The help pages of the operator's command line."""

import re

import pytest

from scheduling_admin.app import app
from scheduling_admin.errors import EXIT_STATUS_MEANINGS
from tests.support.stacks.admin_cli import AdminCli

COMMANDS = [command.callback.__name__ for command in app.registered_commands if command.callback]


def test_help_lists_the_commands_and_exit_statuses(admin: AdminCli) -> None:
    result = admin("--help")
    text = "\n".join(result.lines)
    assert result.exit_status == 0
    assert COMMANDS == [
        "status",
        "installs",
        "schedules",
        "schedule",
        "explain",
        "changes",
        "console",
        "pause",
        "resume",
        "disable",
        "enable",
        "run",
        "backfill",
        "replay",
        "reconcile",
        "republish",
    ]
    for command in COMMANDS:
        assert f"│ {command} " in text
    for status, meaning in EXIT_STATUS_MEANINGS.items():
        assert f" {status.value} {meaning}"[:70] in text


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_and_the_common_options(admin: AdminCli, command: str) -> None:
    result = admin(command, "--help")
    text = "\n".join(result.lines)
    assert result.exit_status == 0
    assert f"Usage: root {command} [OPTIONS]" in text
    for option in ("--stack-name", "--profile", "--region", "--endpoint-url", "--json", "--help"):
        assert re.search(rf"│ +{option} ", text)  # indented if another option is required
    assert "scheduling.domain" not in text
