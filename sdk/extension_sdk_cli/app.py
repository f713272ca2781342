"""The commands of `extension-sdk`."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from extension_sdk_cli.build import build_extension
from extension_sdk_cli.bundle import pack_bundle
from extension_sdk_cli.checks import find_problems
from extension_sdk_cli.component import estimate_cpu_seconds, measure_code
from extension_sdk_cli.errors import CommandError, StackNotFound
from extension_sdk_cli.local_stack import LocalStack
from extension_sdk_cli.logs import read_messages
from extension_sdk_cli.project import Project, hash_file
from extension_sdk_cli.runs import describe_run, describe_schedule
from extension_sdk_cli.scaffold import create_extension
from extension_sdk_cli.watch import Watcher

_WATCH_SECONDS = 1.0

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
out = Console(soft_wrap=True, highlight=False, markup=False)
err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)

Folder = Annotated[Path, typer.Option("--folder", "-C", help="The extension's folder.")]
HERE = Path()


@app.callback()
def main() -> None:
    """Make, check, build and try an extension that schedules itself."""


@app.command()
def new(name: Annotated[str, typer.Argument(help="For example night-counter.")]) -> None:
    """Make a folder with an extension that works."""
    folder = create_extension(name, Path.cwd())
    out.print(f"{folder.name}: app.py, manifest.json, tests/test_app.py, pyproject.toml")
    out.print(f"Next: cd {folder.name}; python -m pytest; extension-sdk check; extension-sdk build")


@app.command()
def check(folder: Folder = HERE) -> None:
    """Find mistakes that tests do not show: manifest, schedules, imports."""
    problems = find_problems(Project.open(folder))
    for problem in problems:
        out.print(f"{problem.place}: {problem.text}")
    if problems:
        raise CommandError(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found")
    out.print("No problems found.")


@app.command()
def build(folder: Folder = HERE) -> None:
    """Build the component; does nothing if nothing has changed."""
    project = Project.open(folder)
    _build(project)
    size, code = project.component.stat().st_size, measure_code(project.component)
    out.print(f"component   {project.component.relative_to(project.folder)}")
    out.print(f"hash        {hash_file(project.component)}")
    out.print(f"size        {size / 1e6:.1f} MB, {code / 1e6:.1f} MB of it code")
    seconds = estimate_cpu_seconds(code)
    out.print(
        f"cost        about {seconds:.0f} CPU seconds at each run on a deployed runner, which compiles it"
    )


@app.command()
def pack(folder: Folder = HERE) -> None:
    """Pack the component to the bundle that deployed runners fetch."""
    project = Project.open(folder)
    bundle = pack_bundle(project)
    out.print(f"bundle      {bundle.relative_to(project.folder)}")
    out.print(f"hash        {hash_file(bundle)}")
    out.print(f"size        {bundle.stat().st_size / 1e6:.1f} MB")


@app.command()
def install(
    folder: Folder = HERE,
    disable_missing: Annotated[
        bool, typer.Option(help="Disable schedules whose endpoint this version lacks.")
    ] = False,
) -> None:
    """Build the extension and install it in the local stack."""
    project = Project.open(folder)
    _build(project)
    try:
        stack = LocalStack.connect()
    except StackNotFound:
        _print_registration(project)
        raise
    status = stack.install(project, disable_missing=disable_missing)
    out.print(f"{'installed' if status == 201 else 'updated'}   install {project.install_id}")


@app.command()
def call(
    method: str,
    path: str,
    body: Annotated[str | None, typer.Argument(help="JSON.")] = None,
    folder: Folder = HERE,
) -> None:
    """Call an endpoint through the local stack's runner."""
    project = Project.open(folder)
    if body is not None:
        _require_json(body)
    result = LocalStack.connect().call(project, method, path, None if body is None else body.encode())
    if result.error and result.error.startswith("bundle_fetch_failed"):
        raise CommandError("the runner does not have this build: run `extension-sdk install`")
    if result.error:
        raise CommandError(f"the run failed: {result.error}")
    out.print(f"{result.status}")
    if result.body:
        out.print(_format_body(result.body))
    if result.failed:
        verb = "failed" if result.status >= 500 else "refused the request"
        raise CommandError(f"the extension {verb}; `extension-sdk logs` shows what it logged")


@app.command()
def logs(
    folder: Folder = HERE,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more.")] = False,
    request: Annotated[str, typer.Option(help="Only this request, which a run's history names.")] = "",
) -> None:
    """Show what the extension has logged in the local stack, and why runs failed."""
    project = Project.open(folder)
    log = LocalStack.connect().runner_log
    for message in read_messages(log, project.install_id, request_id=request, follow=follow):
        out.print(message)


@app.command()
def runs(folder: Folder = HERE) -> None:
    """Show the schedules in the local stack with their last runs; `logs --request` shows what a run logged."""
    project = Project.open(folder)
    stack = LocalStack.connect()
    schedules = stack.list_schedules(project)
    for schedule in schedules:
        out.print(describe_schedule(schedule))
        for run in stack.list_runs(project, schedule["id"]):
            out.print(f"  {describe_run(run)}")
    if not schedules:
        out.print("The install has no schedules.")


@app.command()
def dev(folder: Folder = HERE) -> None:
    """Watch the sources, rebuild and install them, and show fires as they happen."""
    project = Project.open(folder)
    stack = LocalStack.connect()
    watcher = Watcher(project, stack)
    out.print(f"watching {project.folder}; Ctrl-C ends it")
    failure = ""
    while True:
        try:
            if watcher.sources_changed():
                _rebuild(Project.open(folder), stack)
            for line in watcher.new_runs():
                out.print(line)
            failure = ""
        except CommandError as error:
            if str(error) != failure:
                err.print(f"error: {error}")
            failure = str(error)
            watcher.forget()  # a new stack has no install
        time.sleep(_WATCH_SECONDS)


def _rebuild(project: Project, stack: LocalStack) -> None:
    try:
        _build(project)
        stack.install(project, disable_missing=True)
    except CommandError as error:
        err.print(f"error: {error}")
    else:
        out.print(f"installed {hash_file(project.component)[:19]}…")


def _build(project: Project) -> None:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        progress.add_task("building", total=None)
        built = build_extension(project.folder, project.build_folder)
    out.print("built" if built else "up to date")


def _print_registration(project: Project) -> None:
    body = json.dumps(project.registration(hash_file(project.component)), indent=2, ensure_ascii=False)
    out.print("A platform installs this version by:")
    out.print(f"PUT /admin/v1/installs/{project.install_id}\n{body}")


def _require_json(text: str) -> None:
    try:
        json.loads(text)
    except ValueError as error:
        raise CommandError(f"the body is not JSON: {error}") from error


def _format_body(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="replace")
