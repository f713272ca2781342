"""What README.md shows: the demonstration's output, and the calls in order, as printed. `make author-test` runs it."""

import re
import subprocess
import sys
from pathlib import Path

from local.settings import PROJECT_ROOT
from tests.author.conftest import StartStack

# curl also writes each response's status, to a file of its own.
SHOW_STATUSES = """
set -euo pipefail
curl() { command curl --fail-with-body -w '%{stderr}%{method} %{http_code}\\n' "$@" 2>>statuses; }
"""


def read_section(title: str) -> str:
    """Return the README's text from a heading to the next one."""
    text = (PROJECT_ROOT / "README.md").read_text("utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n##")[0]


def mask_times(line: str) -> str:
    """Return the line without its time, and without how many occurrences an hour of the day has."""
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z|\d+ occurrences", "…", line.rstrip())


def test_demonstration_prints_what_the_readme_shows() -> None:
    blocks = re.split(r"^```\w*\n", read_section("Try it"), flags=re.MULTILINE)
    (shown,) = (block for block in blocks if block.startswith("●"))
    command = [sys.executable, "-m", "local.demo"]
    result = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    printed = [mask_times(line) for line in result.stdout.splitlines()]

    for line in shown.replace("\n …\n", "\n").splitlines():
        assert mask_times(line) in printed, result.stdout
        del printed[: printed.index(mask_times(line)) + 1]


def read_call_commands() -> str:
    """Return the shell blocks of the section, and the command in its text that moves the clock."""
    section = read_section("Call it")
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
        "PUT 201 POST 202 POST 200 PATCH 200 GET 200 GET 200 POST 200 POST 200 GET 200 POST 200 POST 200 PUT 200 "
        "DELETE 204 DELETE 204 POST 200"
    )
