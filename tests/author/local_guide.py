"""Each command of docs/guide-local.md prints what the page shows. `make author-test` runs it."""

import json
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

from local.settings import PROJECT_ROOT
from tests.author.conftest import StartStack
from tests.author.support import Page, Stack

COLUMNS = "120"


def move_before_a_quiet_time(stack: Stack) -> None:
    """Move the clock where only the heartbeat fires in the next minutes, and no retry of the start is left."""
    now = datetime.fromisoformat(stack.send("GET", "/_local/clock")["now"])
    quiet = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0) + timedelta(minutes=7)
    while quiet.hour in (12, 13, 14) and not 10 <= quiet.minute <= 40:
        quiet += timedelta(minutes=5)
    stack.send("POST", "/_local/clock", {"to": quiet.isoformat()})


def run_command(command: list[str], environment: dict[str, str]) -> str:
    """Run a command in the checkout."""
    result = subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return result.stdout


def test_local_guide(start_stack: StartStack, tmp_path: Path) -> None:
    page, environment = Page("guide-local.md"), {"PATH": "/usr/bin:/bin", "COLUMNS": COLUMNS}
    environment |= {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "HOME": str(tmp_path)}
    (_, welcome), *commands = page.read_commands()
    with start_stack(SETUP="1") as stack:
        page.compare("make local", welcome, stack.read_output("The sample has"))
        move_before_a_quiet_time(stack)
        for command, shown in commands:
            words = page.translate(command)
            if words[0] == "export":
                environment |= dict(word.split("=", 1) for word in words[1:])
                environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{stack.aws_port}"
                continue
            output = stack.curl(*words[1:]) if words[0] == "curl" else run_command(words, environment)
            page.compare(command, shown, output)
        assert json.loads(stack.curl("http://127.0.0.1:3000/_local/health"))["status"] == "ok"
