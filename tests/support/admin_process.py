"""The operator's command line as a process of its own, as an operator starts it, or a fork of one that has begun."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from local.cloudformation.deploy import STACK_NAME
from local.settings import PROJECT

COMMAND = [sys.executable, "-m", "scheduling_admin"]
SECONDS = 60


@cache
def _forks() -> "subprocess.Popen[str]":
    """The process that forks; it ends when its stdin does."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.admin_forks"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@dataclass
class AdminProcess:
    """Commands on the local stack whose AWS is at `url`."""

    url: str
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """One command, without a terminal; in a fork, since most of a command's time goes into its imports."""
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
            for file in files:
                file.write_text(typed if file.name == "stdin" else "", encoding="utf-8")
            asked = {
                "words": [*words, "--stack-name", STACK_NAME],
                "environment": self.env(),
                "files": list(map(str, files)),
            }
            forks = _forks()
            assert forks.stdin
            assert forks.stdout
            forks.stdin.write(f"{json.dumps(asked)}\n")
            forks.stdin.flush()
            status = int(forks.stdout.readline())
            _, printed, told = (file.read_text(encoding="utf-8") for file in files)
            return subprocess.CompletedProcess(words, status, printed, told)

    def json(self, *words: str, ends_with: int = 0) -> Any:
        """The document that it answers."""
        done = self(*words, "--json")
        assert done.returncode == ends_with, done.stderr
        assert done.stdout.count("\n") == 1
        return json.loads(done.stdout)

    def on_terminal(self, *words: str, columns: int) -> tuple[int, str]:
        """Its exit status and all that it prints on a terminal of that width."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        process = subprocess.Popen(
            self.line(*words),
            cwd=PROJECT,
            env={**self.env(), "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        printed = b""
        try:
            while part := os.read(ours, 65_536):
                printed += part
        except OSError:  # how Linux says that the other end is closed
            os.close(ours)
        return process.wait(SECONDS), printed.decode()

    def line(self, *words: str) -> list[str]:
        """What is executed."""
        return [*COMMAND, *words, "--stack-name", STACK_NAME]

    def env(self) -> dict[str, str]:
        """No AWS account, and no path that a Makefile has set."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AWS_") and name not in ("PYTHONPATH", "COLUMNS", "NO_COLOR")
        }
        return {**kept, "AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true", **self.environment}
