"""The other commands of `extension-sdk`, without building a component."""

import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from extension_sdk_cli.__main__ import main
from extension_sdk_cli.build import build_extension, compute_stamp
from extension_sdk_cli.bundle import pack_bundle
from extension_sdk_cli.component import measure_code
from extension_sdk_cli.errors import BuildFailed, CommandError
from extension_sdk_cli.logs import format_line, read_messages
from extension_sdk_cli.project import Project, hash_file
from extension_sdk_cli.scaffold import create_extension
from extension_sdk_cli.sources import list_files

from runner.sandbox.bundle import read_bundle


@dataclass(frozen=True)
class Result:
    returncode: int
    stdout: str
    stderr: str


def run_command(*arguments: str, folder: Path, **environment: str) -> Result:
    """Run a command in this process; `run_process` does it as authors do."""
    stdout, stderr = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(stdout), redirect_stderr(stderr):
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["extension-sdk", *arguments])
        patch.setattr(sys, "excepthook", sys.excepthook)  # Typer replaces it
        for name, value in environment.items():
            patch.setenv(name, value)
        with pytest.raises(SystemExit) as stop:
            main()
    return Result(int(stop.value.code or 0), stdout.getvalue(), stderr.getvalue())


def run_process(*arguments: str, folder: Path) -> Result:
    command = [sys.executable, "-m", "extension_sdk_cli", *arguments]
    paths = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(command, cwd=folder, env=paths, capture_output=True, text=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def write_component(project: Project, content: bytes) -> None:
    project.build_folder.mkdir()
    project.component.write_bytes(content)
    (project.build_folder / "manifest.json").write_text("{}")


def encode_section(section: int, content: bytes) -> bytes:
    return bytes([section, len(content) % 128 + 128, len(content) // 128]) + content


@pytest.mark.parametrize("name", ["Night", "night_counter", "-a", "a--b", "../a", "", "1a"])
def test_new_refuses_other_names(name: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is no name: use lower-case letters"):
        create_extension(name, tmp_path)


def test_new_overwrites_nothing(project: Project) -> None:
    with pytest.raises(CommandError, match="exists already"):
        create_extension("night-counter", project.folder.parent)


def test_folder_without_an_extension(tmp_path: Path) -> None:
    result = run_process("check", folder=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"error: {tmp_path} has no app.py: `extension-sdk new NAME` makes an extension\n"
    )


def test_problems_are_the_exit_status(project: Project) -> None:
    (project.folder / "manifest.json").write_text("[]")
    result = run_command("check", folder=project.folder)
    assert (result.returncode, result.stderr) == (
        1,
        f"error: {project.folder}/manifest.json is not a JSON object\n",
    )


def test_component_has_sources_without_tests_and_output(project: Project) -> None:
    for name in (
        "build/component.wasm",
        ".venv/x.py",
        "test_more.py",
        "__pycache__/app.pyc",
        "data/text.txt",
    ):
        path = project.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    names = {path.relative_to(project.folder).as_posix() for path in list_files(project.folder)}
    assert names == {"app.py", "manifest.json", "pyproject.toml", "data/text.txt"}


def test_stamp_depends_on_what_goes_into_the_component(project: Project) -> None:
    stamp = compute_stamp(project.folder)
    (project.folder / "tests" / "test_app.py").write_text("")
    assert compute_stamp(project.folder) == stamp
    (project.folder / "data.txt").write_text("")
    assert compute_stamp(project.folder) != stamp


def test_nothing_is_built_where_the_stamp_is_current(project: Project) -> None:
    write_component(project, b"component")
    (project.build_folder / ".stamp").write_text(compute_stamp(project.folder))
    assert not build_extension(project.folder, project.build_folder)
    assert project.component.read_bytes() == b"component"


def test_build_of_what_is_not_python(project: Project) -> None:
    (project.folder / "app.py").write_text("def\n")
    with pytest.raises(BuildFailed, match=r"app\.py:1: invalid syntax"):
        build_extension(project.folder, project.build_folder)


def test_code_is_measured_in_nested_components() -> None:
    module = b"\0asm\x01\0\0\0" + encode_section(1, b"types") + encode_section(10, b"x" * 300)
    inner = b"\0asm\x0d\0\x01\0" + encode_section(1, module)
    component = b"\0asm\x0d\0\x01\0" + encode_section(4, inner) + encode_section(1, module)
    assert measure_code_of(component) == 600


def measure_code_of(component: bytes) -> int:
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile() as file:
        file.write(component)
        file.flush()
        return measure_code(Path(file.name))


def test_bundle_is_reproducible_and_what_runners_read(project: Project) -> None:
    write_component(project, b"component")
    bundle = pack_bundle(project)
    content, content_hash = bundle.read_bytes(), hash_file(bundle)
    assert read_bundle(content) == b"component"
    project.component.touch()
    bundle.unlink()
    assert hash_file(pack_bundle(project)) == content_hash


def test_pack_needs_a_component(project: Project) -> None:
    with pytest.raises(CommandError, match="not built: run `extension-sdk build`"):
        pack_bundle(project)


def test_install_without_a_stack_prints_the_request(project: Project) -> None:
    write_component(project, b"component")
    (project.build_folder / ".stamp").write_text(compute_stamp(project.folder))
    result = run_command("install", folder=project.folder, API_PORT="1")
    assert result.returncode == 1
    assert "error: no local stack at http://127.0.0.1:1 (" in result.stderr
    assert "start it with `make local`" in result.stderr
    head, _, body = result.stdout.partition("\nPUT /admin/v1/installs/")
    assert head == "up to date\nA platform installs this version by:"
    install_id, _, registration = body.partition("\n")
    assert install_id == project.install_id
    assert json.loads(registration) == project.registration(hash_file(project.component))


@pytest.mark.parametrize("command", ["call", "logs", "runs", "dev"])
def test_commands_need_a_stack(command: str, project: Project) -> None:
    write_component(project, b"component")
    arguments = ("call", "POST", "/api/setup") if command == "call" else (command,)
    result = run_command(*arguments, folder=project.folder, API_PORT="1")
    assert result.returncode == 1
    assert result.stderr.startswith("error: no local stack at http://127.0.0.1:1 (")


def test_body_of_a_call_is_json(project: Project) -> None:
    result = run_command("call", "POST", "/a", "{", folder=project.folder)
    assert (result.returncode, result.stderr[:28]) == (1, "error: the body is not JSON:")


def test_logs_are_those_of_the_install(tmp_path: Path) -> None:
    log = tmp_path / "runner.log"
    log.write_text(
        "2026-11-28 15:50:20,627 ERROR extension [request r1, install one] Traceback:\\n  File\\nKeyError: 'a'\\n\n"
        "2026-11-28 15:50:20,627 INFO runner.server install one: status 500 in 31 ms [request r1]\n"
        "2026-11-28 15:50:20,627 INFO extension [request r2, install two] other\n"
        "2026-11-28 15:50:20,627 INFO extension [request r3, install one] [kept] text\n"
        "2026-11-28 15:50:20,627 WARNING runner.server install one: time limit [request r3]\n"
        "2026-11-28 15:50:20,627 INFO extension [request r3, install one] incomplete"
    )
    traceback = "Traceback:\n  File\nKeyError: 'a'"
    assert list(read_messages(log, "one")) == [
        traceback,
        "[kept] text",
        "install one: time limit [request r3]",
    ]
    assert list(read_messages(log, "one", request_id="r1")) == [traceback]


def test_line_of_another_form_is_kept() -> None:
    assert format_line("of another form") == "of another form"
