import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from local.processes import ChildProcess
from local.settings import PROJECT_ROOT, free_ports
from tests.author.support import Author, Stack, repository_state

StartStack = Callable[..., AbstractContextManager[Stack]]


@pytest.fixture(scope="session")
def start_stack(tmp_path_factory: pytest.TempPathFactory) -> StartStack:
    """Start a local stack on free ports, with a clock that stands still at a half hour.

    What fires within some minutes does not depend on when the tests run.
    """

    @contextmanager
    def start(**variables: str) -> Iterator[Stack]:
        api_port, aws_port, runner_port = free_ports(3)
        ports = {"API_PORT": str(api_port), "AWS_PORT": str(aws_port), "RUNNER_PORT": str(runner_port)}
        ports["CONSOLE_PORT"] = "0"
        environ = {**os.environ, "LOCAL_CLOCK": "frozen", **ports, **variables}
        log = tmp_path_factory.mktemp("stack") / "local.log"
        child = ChildProcess("local", environ=environ, log=log)
        try:
            stack = Stack(api_port, aws_port, log)
            stack.wait_until_ready()
            if environ["LOCAL_CLOCK"] == "frozen":
                stack.advance_to_half_past()
            yield stack
        finally:
            child.stop()

    return start


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
def stack(author: Author, start_stack: StartStack) -> Iterator[Stack]:
    """The stack that the author started in the project's checkout."""
    extensions = Path(author.environment["HOME"], "extensions")
    extensions.mkdir()
    with start_stack(EXTENSIONS_DIR=str(extensions), RUNNER_TIMEOUT_MS="3000") as stack:
        author.environment["API_PORT"] = str(stack.port)
        yield stack
