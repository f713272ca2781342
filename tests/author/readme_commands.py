"""The commands of README.md's section "Call it" run in order, as printed. `make author-test` runs it."""

import re
import subprocess
from pathlib import Path

from local.settings import PROJECT_ROOT
from tests.author.conftest import StartStack

# curl also writes each response's status, to a file of its own.
SHOW_STATUSES = """
set -euo pipefail
curl() { command curl --fail-with-body -w '%{stderr}%{method} %{http_code}\\n' "$@" 2>>statuses; }
"""


def read_call_commands() -> str:
    """Return the shell blocks of the section, and the command in its text that moves the clock."""
    text = (PROJECT_ROOT / "README.md").read_text("utf-8")
    (section,) = re.findall(r"^## Call it\n(.*?)^### Rules", text, re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    (clock,) = re.findall(r"`(curl [^`]*/_local/clock[^`]*)`", section)
    return "\n".join([*blocks, clock])


def test_each_call_of_the_readme(start_stack: StartStack, tmp_path: Path) -> None:
    with start_stack(SETUP="1") as stack:
        stack.read_output("The sample has its schedules")
        commands = read_call_commands().replace("127.0.0.1:3000", f"127.0.0.1:{stack.port}")
        script = SHOW_STATUSES + commands
        result = subprocess.run(
            ["/bin/bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
        )
    statuses = (tmp_path / "statuses").read_text().splitlines()
    assert result.returncode == 0, (result.stdout, result.stderr, statuses)
    assert len(statuses) == commands.count("curl -s")
    assert " ".join(statuses) == (
        "GET 200 POST 200 POST 201 GET 200 PATCH 200 GET 200 GET 200 POST 201 "
        "PUT 201 POST 202 PATCH 200 GET 200 POST 200 POST 200 GET 200 POST 200 POST 200 PUT 200 "
        "DELETE 204 DELETE 204 POST 200"
    )
