"""Run the operator's command line as a process, or faster as a fork of a process that has imported it."""

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
from local.settings import PROJECT_ROOT

COMMAND = [sys.executable, "-m", "scheduling_admin"]
TIMEOUT_SECONDS = 60


@cache
def _start_fork_server() -> "subprocess.Popen[str]":
    """Start the process that forks; it ends when its stdin is closed."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.stacks.admin_fork_server"],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@dataclass
class AdminProcess:
    """Runs commands on the local stack whose AWS endpoint is `aws_url`."""

    aws_url: str
    extra_environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, stdin_text: str = "") -> subprocess.CompletedProcess[str]:
        """Run one command without a terminal, in a fork, because imports take most of a command's time."""
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
            for file in files:
                file.write_text(stdin_text if file.name == "stdin" else "", encoding="utf-8")
            request = {
                "words": [*words, "--stack-name", STACK_NAME],
                "environment": self.build_environment(),
                "files": list(map(str, files)),
            }
            fork_server = _start_fork_server()
            assert fork_server.stdin
            assert fork_server.stdout
            fork_server.stdin.write(f"{json.dumps(request)}\n")
            fork_server.stdin.flush()
            status = int(fork_server.stdout.readline())
            _, stdout_text, stderr_text = (file.read_text(encoding="utf-8") for file in files)
            return subprocess.CompletedProcess(words, status, stdout_text, stderr_text)

    def run_json(self, *words: str, exit_status: int = 0) -> Any:
        """Run one command with `--json` and return the document."""
        completed = self(*words, "--json")
        assert completed.returncode == exit_status, completed.stderr
        assert completed.stdout.count("\n") == 1
        return json.loads(completed.stdout)

    def run_on_terminal(self, *words: str, columns: int) -> tuple[int, str]:
        """Run one command on a terminal of that width; return its exit status and output."""
        controller_fd, terminal_fd = pty.openpty()
        fcntl.ioctl(terminal_fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        process = subprocess.Popen(
            self.build_command_line(*words),
            cwd=PROJECT_ROOT,
            env={**self.build_environment(), "TERM": "xterm-256color"},
            stdin=terminal_fd,
            stdout=terminal_fd,
            stderr=terminal_fd,
        )
        os.close(terminal_fd)
        output = b""
        try:
            while chunk := os.read(controller_fd, 65_536):
                output += chunk
        except OSError:  # how Linux reports that the other end is closed
            os.close(controller_fd)
        return process.wait(TIMEOUT_SECONDS), output.decode()

    def build_command_line(self, *words: str) -> list[str]:
        """Return the command line to execute."""
        return [*COMMAND, *words, "--stack-name", STACK_NAME]

    def build_environment(self) -> dict[str, str]:
        """Return the environment without an AWS account and without the paths that make sets."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AWS_") and name not in ("PYTHONPATH", "COLUMNS", "NO_COLOR")
        }
        return {
            **inherited,
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            **self.extra_environment,
        }
