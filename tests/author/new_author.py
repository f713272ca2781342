"""A new author: from an empty folder and the wheel to a schedule that fires. `make author-test` runs it.

It takes minutes and the network, so `make test` leaves it out; nothing of it imports the project's code.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from local.processes import ChildProcess
from local.settings import PROJECT_ROOT, free_ports

START_SECONDS = 180
MISTAKES = '''

@app.get("/api/exception")
def fail(_request: Request) -> Json:
    """Raise an exception."""
    return {}["missing"]


@app.get("/api/loop")
def loop(_request: Request) -> Json:
    """Never return."""
    while True:
        pass


@app.get("/api/large")
def large(_request: Request) -> Json:
    """Return 300 KB."""
    return "x" * 300_000
'''


@dataclass
class Author:
    """The author's folder, environment and commands."""

    folder: Path
    environment: dict[str, str]

    def run(self, *command: str, status: int = 0) -> str:
        """Run a command of the author's environment in the folder; return what it prints."""
        tool = self.environment["PATH"].partition(":")[0] + "/" + command[0]
        result = subprocess.run(
            [tool, *command[1:]],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert result.returncode == status, result.stdout
        return result.stdout


@dataclass
class Stack:
    """The local stack that the author started in the project's checkout."""

    port: int

    def send(self, method: str, path: str, body: object = None) -> Any:
        """Send a request to the API and return its JSON."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"x-runner-auth": "local-runner-key", "content-type": "application/json"}
        request = Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        with urlopen(request, timeout=120) as response:
            return json.loads(response.read())

    def wait_until_ready(self) -> None:
        """Wait until all parts have started, which on a busy machine takes a while."""
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert time.monotonic() < deadline, "the local stack does not answer"
            time.sleep(0.2)

    def _is_ready(self) -> bool:
        try:
            self.send("GET", "/_local/health")
        except OSError:
            return False
        return True


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Author]:
    """An author with the wheel, in an environment of locked packages."""
    home = tmp_path_factory.mktemp("author")
    uv, venv = PROJECT_ROOT / "scripts" / "uv", home / "venv"
    (wheel,) = (PROJECT_ROOT / "build" / "sdk").glob("*.whl")
    constraints = home / "constraints.txt"
    lock = (PROJECT_ROOT / "requirements.lock").read_text()
    constraints.write_text("\n".join(re.findall(r"^[\w.\[\]-]+==[^\\\n]*", lock, re.MULTILINE)))
    packages = (f"{wheel}[build]", "mypy", "pytest", "ruff")
    install = (uv, "pip", "install", "--quiet", "--python", venv / "bin" / "python", "-c", constraints)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    subprocess.run([*install, *packages], check=True)
    before = repository_state()
    path = f"{venv}/bin:/usr/bin:/bin"
    yield Author(home, {"PATH": path, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"})
    assert repository_state() == before


@pytest.fixture(scope="module")
def stack(author: Author) -> Iterator[Stack]:
    extensions = author.folder / "extensions"
    extensions.mkdir()
    api_port, aws_port, runner_port = free_ports(3)
    environ = {
        **os.environ,
        "API_PORT": str(api_port),
        "AWS_PORT": str(aws_port),
        "RUNNER_PORT": str(runner_port),
        "EXTENSIONS_DIR": str(extensions),
        "LOCAL_CLOCK": "frozen",
        "RUNNER_TIMEOUT_MS": "3000",
    }
    child = ChildProcess("local", environ=environ, log=author.folder / "local.log")
    try:
        stack = Stack(api_port)
        stack.wait_until_ready()
        author.environment["API_PORT"] = str(api_port)
        yield stack
    finally:
        child.stop()


def repository_state() -> dict[Path, int]:
    """Return when each file of the checkout was changed, without build output and caches."""
    folders = [path for path in PROJECT_ROOT.iterdir() if path.is_dir() and path.name[0] != "."]
    return {
        path: path.stat().st_mtime_ns
        for folder in folders
        if folder.name not in ("build", "dist")
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def read_commands(page: str) -> list[tuple[str, str]]:
    """Return the commands of a page's console blocks, each with its output."""
    blocks = re.findall(r"```console\n(.*?)```", (PROJECT_ROOT / "docs" / page).read_text(), re.DOTALL)
    return [
        (command, output)
        for block in blocks
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


def mask_values(output: str) -> str:
    """Return the output without what differs from run to run."""
    for pattern in (
        r"sha256:[0-9a-f]{64}",
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)",
        r"\d+\.\d+ MB",
        r"(?<=about )\d+(?= CPU seconds)",
        r"(?<=passed in )\d+\.\d+s",
    ):
        output = re.sub(pattern, "…", output)
    return output.strip()


def test_guide_leads_to_a_fire(author: Author, stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command of docs/guide-extension.md prints what the page shows."""
    start_time = time.monotonic()
    commands = read_commands("guide-extension.md")
    assert len(commands) == 10
    for command, expected in commands:
        name, *arguments = shlex.split(command)
        if name == "cd":
            author.folder /= arguments[0]
            continue
        if name == "curl":
            (fire,) = (moved := stack.send("POST", "/_local/clock", json.loads(arguments[-1])))["fired"]
            output = json.dumps(moved)
            seconds = time.monotonic() - start_time
        else:
            output = author.run(name, *arguments)
        assert mask_values(output) == mask_values(expected), command
    with capsys.disabled():
        sys.stdout.write(f"\nfrom `extension-sdk new` to the first fire: {seconds:.0f} s\n")
    install_id = author.run("extension-sdk", "install").split()[-1]
    (run,) = stack.send("GET", f"/v1/installs/{install_id}/schedules/{fire['scheduleId']}/runs")["runs"]
    assert (run["status"], run["httpStatus"]) == ("success", 200)
    logged = author.run("extension-sdk", "logs", "--request", run["requestId"])
    assert logged.startswith("counting tickets, scheduled for ")


def test_new_extension_is_clean(author: Author) -> None:
    author.run("mypy", ".")
    author.run("ruff", "check", ".")
    author.run("ruff", "format", "--check", ".")


def test_nothing_is_built_twice(author: Author) -> None:
    first, second = (author.run("extension-sdk", "build") for _ in range(2))
    assert first == second
    assert first.startswith("up to date\n")
    assert author.run("extension-sdk", "pack") == author.run("extension-sdk", "pack")


def test_author_reads_what_is_wrong(author: Author, stack: Stack) -> None:
    """The table of docs/guide-debugging.md: each mistake, and what the author reads."""
    app, manifest_file = author.folder / "app.py", author.folder / "manifest.json"
    app.write_text(app.read_text() + MISTAKES)
    manifest = json.loads(manifest_file.read_text())
    manifest["api"]["endpoints"] += [
        {"method": "GET", "path": f"/api/{name}", "handler": name} for name in ("exception", "loop", "large")
    ]
    manifest_file.write_text(json.dumps(manifest))
    author.run("extension-sdk", "install")
    texts = [author.run("extension-sdk", "call", "GET", "/api/exception", status=1)]
    assert "KeyError: 'missing'" in author.run("extension-sdk", "logs")
    texts += [
        author.run("extension-sdk", "call", "GET", f"/api/{name}", status=1) for name in ("loop", "large")
    ]
    page = (PROJECT_ROOT / "docs" / "guide-debugging.md").read_text()
    for text in texts:
        assert f"``{text.strip().splitlines()[-1]}``" in page, text
    assert stack.send("GET", "/_local/health")["status"] == "ok"
