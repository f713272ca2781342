"""A new author: from an empty folder and the wheel to a schedule that fires. `make author-test` runs it.

It takes minutes and the network, so `make test` leaves it out; nothing of it imports the project's code.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.settings import PROJECT_ROOT
from tests.author.support import WAIT_SECONDS, Author, Page, Stack

FAILING_ENDPOINTS = '''

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
FAILURES = {
    "exception": "an exception in a handler",
    "loop": "an endless loop",
    "large": "a response of 300 KB",
}


def run_page(page: Page, author: Author, stack: Stack) -> str:
    """Run the commands of a page, compare their outputs, and return the last move of the clock."""
    moved = ""
    for command, shown in page.read_commands():
        name, *arguments = page.translate(command)
        if name == "cd":
            author.folder /= arguments[0]
            continue
        if name == "curl":
            output = stack.curl(*arguments)
            moved = output if "_local/clock" in command else moved
        else:
            output = author.run(name, *arguments, status=1 if "\nerror: " in f"\n{shown}" else 0)
        page.compare(command, shown, output)
    return moved


def test_guide_leads_to_a_fire(author: Author, stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command of docs/guide-extension.md prints what the page shows."""
    start_time = time.monotonic()
    (fire,) = json.loads(run_page(Page("guide-extension.md"), author, stack))["fired"]
    with capsys.disabled():
        sys.stdout.write(f"\nfrom `extension-sdk new` to the bundle: {time.monotonic() - start_time:.0f} s\n")
    install_id = author.run("extension-sdk", "install").split()[-1]
    (run,) = stack.send("GET", f"/v1/installs/{install_id}/schedules/{fire['scheduleId']}/runs")["runs"]
    assert (run["status"], run["httpStatus"]) == ("success", 200)


def test_guide_leads_from_a_failed_run_to_its_traceback(author: Author, stack: Stack) -> None:
    """Each command of docs/guide-debugging.md prints what the page shows."""
    run_page(Page("guide-debugging.md"), author, stack)


def test_new_extension_is_clean(author: Author) -> None:
    author.run("mypy", ".")
    author.run("ruff", "check", ".")
    author.run("ruff", "format", "--check", ".")


def test_nothing_is_built_twice(author: Author) -> None:
    first, second = (author.run("extension-sdk", "build") for _ in range(2))
    assert first == second
    assert first.startswith("up to date\n")
    assert author.run("extension-sdk", "pack") == author.run("extension-sdk", "pack")


@contextmanager
def follow_command(author: Author, *command: str) -> Iterator[Callable[..., str]]:
    """Run a command that ends with Ctrl-C; yield a function that waits for a line with a text."""
    output = Path(author.environment["HOME"], "output.txt")
    # A background job ignores the signal, and what it starts would, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with output.open("w") as file:
        process = subprocess.Popen(
            [author.tool(command[0]), *command[1:]],
            cwd=author.folder,
            env=author.environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )

    def wait_for_line(text: str, but: str = "") -> str:
        deadline = time.monotonic() + WAIT_SECONDS
        while not (
            lines := [line for line in output.read_text().splitlines() if text in line and line != but]
        ):
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.2)
        return lines[0]

    try:
        yield wait_for_line
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(60)
    assert status == 130, output.read_text()


def test_dev_installs_what_changes_and_shows_fires(author: Author, stack: Stack) -> None:
    with follow_command(author, "extension-sdk", "dev") as wait_for_line:
        installed = wait_for_line("installed ")
        app, manifest = author.folder / "app.py", author.folder / "manifest.json"
        right_source = app.read_text() + FAILING_ENDPOINTS
        app.write_text(app.read_text() + "def\n")
        assert wait_for_line("error: ").endswith(": invalid syntax")
        manifest.write_text(json.dumps(add_endpoints(json.loads(manifest.read_text()), *FAILURES)))
        replacement = app.with_suffix(".new")
        replacement.write_text(right_source)
        replacement.replace(app)
        wait_for_line("installed ", but=installed)
        stack.send("POST", "/_local/clock", {"advance": "PT1H"})
        assert wait_for_line(" hourly-count ").endswith(" success")


def add_endpoints(manifest: dict[str, Any], *names: str) -> dict[str, Any]:
    """Add an endpoint for each name."""
    manifest["api"]["endpoints"] += [
        {"method": "GET", "path": f"/api/{name}", "handler": name} for name in names
    ]
    return manifest


def check_mistake(author: Author, change: Callable[[Path, dict[str, Any]], None], *command: str) -> str:
    """Make a mistake in a new extension and return the first line that the command prints."""
    folder = Path(author.environment["HOME"], "mistakes")
    other = Author(folder.parent, author.environment)
    if not folder.exists():
        other.run("extension-sdk", "new", folder.name)
    app, manifest = folder / "app.py", folder / "manifest.json"
    before = app.read_text(), manifest.read_text()
    fields = json.loads(before[1])
    change(app, fields)
    manifest.write_text(json.dumps(fields))
    other.folder = folder
    try:
        return other.run(*command, status=1).splitlines()[0]
    finally:
        app.write_text(before[0])
        manifest.write_text(before[1])


def replace_text(old: str, new: str) -> Callable[[Path, dict[str, Any]], None]:
    """Return a change of `app.py`."""

    def change(app: Path, _manifest: dict[str, Any]) -> None:
        assert old in app.read_text()
        app.write_text(app.read_text().replace(old, new))

    return change


CHECK = ("extension-sdk", "check")
MISTAKES: list[tuple[str, Callable[[Path, dict[str, Any]], None], tuple[str, ...]]] = [
    ("a cron rule that fires too often", replace_text('"0 * * * *"', '"* * * * *"'), CHECK),
    ("a value out of range in a cron rule", replace_text('"0 * * * *"', '"0 25 * * *"'), CHECK),
    ("an unknown time zone", replace_text("Europe/Berlin", "Europe/Bonn"), CHECK),
    (
        "an endpoint without a handler",
        lambda _app, manifest: (add_endpoints(manifest, "report"), None)[1],
        CHECK,
    ),
    (
        "a handler without an endpoint",
        replace_text('@app.post("/api/count")', '@app.post("/api/tally")\n@app.post("/api/count")'),
        CHECK,
    ),
    ("a manifest that lacks a field", lambda _app, manifest: manifest.pop("version"), CHECK),
    (
        "an unknown capability",
        lambda _app, manifest: manifest["capabilities"].append("cap:scheduler"),
        CHECK,
    ),
    (
        "an import that the component does not have",
        replace_text("    job = request.json()", "    import bz2\n\n    job = request.json()"),
        CHECK,
    ),
    (
        "a package that is not beside `app.py`",
        replace_text("app = Ext", "import requests\n\napp = Ext"),
        CHECK,
    ),
    ("a syntax error", replace_text("app = Ext", "app == = Ext"), ("extension-sdk", "build")),
]


def read_history(stack: Stack, install_id: str, name: str) -> str:
    """Run an endpoint by a schedule and return the error in its history."""
    path = f"/admin/v1/installs/{install_id}/schedules"
    created = stack.send("POST", path, {"endpoint": f"GET /api/{name}", "cron": "0 0 1 1 *"})
    assert "id" in created, created
    schedule_id = created["id"]
    stack.send("POST", f"{path}/{schedule_id}/run")
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        runs = stack.send("GET", f"/v1/installs/{install_id}/schedules/{schedule_id}/runs")["runs"]
        if runs and runs[0]["status"] == "error":
            return str(runs[0]["error"])
        assert time.monotonic() < deadline, runs
        time.sleep(0.2)


def test_author_reads_what_is_wrong(author: Author, stack: Stack) -> None:
    """The table of docs/guide-debugging.md: each mistake, and what the author reads."""
    rows = [
        (mistake, f"`{command[1]}`", check_mistake(author, change, *command))
        for mistake, change, command in MISTAKES
    ]
    install_id = author.run("extension-sdk", "install").split()[-1]
    for name, mistake in FAILURES.items():
        called = author.run("extension-sdk", "call", "GET", f"/api/{name}", status=1)
        rows.append((mistake, "`call`", called.strip().splitlines()[-1]))
        rows.append((mistake, "the history", read_history(stack, install_id, name)))
    assert "KeyError: 'missing'" in author.run("extension-sdk", "logs")
    home = author.environment["HOME"]
    table = [f"| {mistake} | {where} | ``{text.replace(home, '…')}`` |\n" for mistake, where, text in rows]
    page = (PROJECT_ROOT / "docs" / "guide-debugging.md").read_text()
    start = page.index(head := "| mistake | where | what you read |\n|---|---|---|\n") + len(head)
    assert page[start : page.index("\n\n", start - 1) + 1] == "".join(table), "".join(table)
    assert stack.send("GET", "/_local/health")["status"] == "ok"
