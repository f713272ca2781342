"""`sam local invoke` of every function with every event."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.settings import PROJECT_ROOT
from tests.support.oracles.event_cases import TIMELESS_CASES, load_event, load_expected_response
from tests.support.oracles.expected_responses import find_differences
from tests.support.stacks.sam_local import sam_command, sam_environment


def invoke_locally(case: str, event_file: Path, variables: Path) -> Any:
    function = case.split("/")[0].title().replace("_", "") + "Function"
    completed = subprocess.run(
        sam_command("invoke", function, "--event", str(event_file), env_file=variables),
        cwd=PROJECT_ROOT,
        env=sam_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout)


@pytest.mark.parametrize("case", TIMELESS_CASES)
def test_event_returns_expected_response(
    case: str, callback_token: str, host_variables: Path, tmp_path: Path
) -> None:
    event_file = tmp_path / "event.json"
    event_file.write_text(json.dumps(load_event(case, callback_token)))

    assert (
        find_differences(load_expected_response(case), invoke_locally(case, event_file, host_variables)) == []
    )
