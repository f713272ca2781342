"""Run the programs of docs/guide-admin-api.md."""

import os
import re
import subprocess
from pathlib import Path

from local.settings import PROJECT_ROOT
from tests.support.signing.checker import ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, SignatureChecker

GUIDE = PROJECT_ROOT / "docs" / "guide-admin-api.md"
API = "https://abc123.execute-api.eu-central-1.amazonaws.com"
INSTALL = "/admin/v1/installs/5a3d1e0c-9c1b-4f0e-8d55-0d2f6a1c7e11"
LIST, CREATE = ("GET", "/admin/v1/installs"), ("POST", f"{INSTALL}/schedules")
PAUSE = ("POST", "/admin/v1/tenants/acme/pause")


def read_block(language: str, api: str) -> str:
    """Return the guide's code in a language, with the API's URL."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert API in block
    return str(block).replace(API, api)


def run_block(folder: Path, *command: str) -> str:
    """Run a program with the credentials of the guide, and return what it prints."""
    credentials = {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
    }
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **credentials}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def take_requests(checker: SignatureChecker) -> list[tuple[str, str]]:
    """Return what the API let in since the last call, without queries."""
    assert checker.faults == []
    requests = [(request.method, request.target.partition("?")[0]) for request in checker.requests]
    checker.requests.clear()
    return requests
