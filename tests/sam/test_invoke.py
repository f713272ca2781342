"""`sam local invoke` of every function with every event."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.settings import PROJECT_ROOT
from tests.support.events import CASES, event, expected
from tests.support.expected import differences
from tests.support.sam_local import command, environment


def invoke(case: str, event_file: Path, variables: Path) -> Any:
    function = case.split("/")[0].title().replace("_", "") + "Function"
    done = subprocess.run(
        command("invoke", function, "--event", str(event_file), env_file=variables),
        cwd=PROJECT_ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", CASES)
def test_an_event_is_answered_as_expected(
    case: str, callback_token: str, host_variables: Path, tmp_path: Path
) -> None:
    event_file = tmp_path / "event.json"
    event_file.write_text(json.dumps(event(case, callback_token)))

    assert differences(expected(case), invoke(case, event_file, host_variables)) == []
