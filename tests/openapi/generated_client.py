"""A client that openapi-python-client generates from docs/openapi.json, on the local stack. `make api-test` runs it."""

import json
import os
import subprocess
from pathlib import Path

from local.settings import PROJECT_ROOT
from tests.support.oracles.api_description import DESCRIPTION
from tests.support.stacks.local_stack import RUNNER_TOKEN, LocalStack

TOOLS = PROJECT_ROOT / "build" / "openapi-venv" / "bin"
SCRIPT = Path(__file__).parent / "roundtrip.py"


def run_tool(*command: str | Path) -> str:
    """Run a command in the environment of the generator, and return what it prints."""
    environment = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", "PYTHONPATH": ""}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_generated_client_creates_lists_and_deletes(local_stack: LocalStack, tmp_path: Path) -> None:
    client = tmp_path / "scheduler_client"
    options = ("--meta", "none", "--fail-on-warning", "--output-path", client)
    run_tool(TOOLS / "openapi-python-client", "generate", "--path", DESCRIPTION, *options)
    install = local_stack.register_install()

    url = str(local_stack.api.base_url)
    output = run_tool(TOOLS / "python", SCRIPT, tmp_path, url, RUNNER_TOKEN, install.id)

    assert json.loads(output) == {
        "created": [201, "daily", {"n": 1}, 0],
        "refused": [409, "NAME_TAKEN", {"name": "Schedule name already in use for this extension"}],
        "listed": [True],
        "deleted": 204,
        "left": 0,
    }
