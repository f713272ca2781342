"""What the author's tests share: the author's environment, a local stack, and pages whose commands are run."""

import json
import re
import shlex
import subprocess
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from local.settings import PROJECT_ROOT

WAIT_SECONDS = 300
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_INSTANT = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00| [A-Z]{3}\b)"
_VARYING = (
    r"sha256:[0-9a-f]{64}",
    _UUID,
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?" + _INSTANT,
    r"/(?:[\w.-]+/)+(?=build/|[\w-]+/component\.wasm|ticket-counter\b)",
    r"(?<=logs/)\d+",
    r"(?m)^[0-9a-f]{8}(?= )",
    r"\d+\.\d+ MB",
    r"(?<=about )\d+(?= CPU seconds)",
    r"(?<=passed in )\d+\.\d+s",
    r"(?<=\"durationMs\": )\d+",
    r"(?<=took )\d+(?= ms)|\d+(?= ms after)",
    r"(?<=127\.0\.0\.1:)\d+",
)


@dataclass
class Author:
    """The author's folder, environment and commands."""

    folder: Path
    environment: dict[str, str]

    def run(self, *command: str, status: int = 0) -> str:
        """Run a command of the author's environment in the folder; return what it prints."""
        result = subprocess.run(
            [self.tool(command[0]), *command[1:]],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert result.returncode == status, result.stdout
        return result.stdout

    def tool(self, name: str) -> str:
        """Return the path of a command of the environment."""
        return self.environment["PATH"].partition(":")[0] + "/" + name


@dataclass
class Stack:
    """A local stack, started in the project's checkout."""

    port: int
    aws_port: int
    log: Path

    def send(self, method: str, path: str, body: object = None) -> Any:
        """Send a request to the API and return its JSON, also of an error."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"x-runner-auth": "local-runner-key", "content-type": "application/json"}
        request = Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        try:
            with urlopen(request, timeout=120) as response:
                return json.loads(response.read())
        except HTTPError as error:
            return json.loads(error.read())

    def wait_until_ready(self) -> None:
        """Wait until all parts have started, which on a busy machine takes a while."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not self._is_ready():
            assert time.monotonic() < deadline, "the local stack does not answer"
            time.sleep(0.2)

    def advance_to_half_past(self) -> None:
        """Move the clock to the next half past."""
        now = datetime.fromisoformat(self.send("GET", "/_local/clock")["now"])
        half_past = (now + timedelta(minutes=30)).replace(minute=30, second=0, microsecond=0)
        self.send("POST", "/_local/clock", {"to": half_past.isoformat()})

    def read_output(self, text: str) -> str:
        """Return what `make local` has printed, once it has printed this text."""
        deadline = time.monotonic() + WAIT_SECONDS
        while text not in self.log.read_text():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.2)
        return self.log.read_text()

    def curl(self, *arguments: str) -> str:
        """Do what curl does with these arguments, of the page's stack at port 3000."""
        words = list(arguments)
        indent = 4 if "|" in words else None
        words = words[: words.index("|")] if "|" in words else words
        method, body, url, silent = "GET", None, "", False
        while words:
            word = words.pop(0)
            if word == "-X":
                method = words.pop(0)
            elif word == "-d":
                body = json.loads(words.pop(0))
            elif word in ("-H", "-o"):
                silent = silent or word == "-o"
                words.pop(0)
            elif word != "-s":
                url = word
        host, separator, path = url.removeprefix("http://").partition("/")
        assert host == "127.0.0.1:3000", url
        response = self.send(method, separator + path, body)
        return "" if silent else json.dumps(response, indent=indent) + "\n"

    def _is_ready(self) -> bool:
        try:
            return bool(self.send("GET", "/_local/health")["status"] == "ok")
        except OSError:
            return False


@dataclass
class Page:
    """A page of docs/ whose console blocks are run: ids and times of its examples become those of this run."""

    name: str
    _ids: dict[str, str] = field(default_factory=dict)
    _shift: timedelta | None = None

    def read_commands(self) -> list[tuple[str, str]]:
        """Return the commands of the console blocks, each with its output."""
        text = (PROJECT_ROOT / "docs" / self.name).read_text()
        return [
            (command.replace("\\\n", ""), output)
            for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
            for command, output in re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
        ]

    def translate(self, command: str) -> list[str]:
        """Return the words of a command, with the ids and times of this run."""
        for shown, actual in self._ids.items():
            command = command.replace(shown, actual)
        return shlex.split(re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", self._shift_instant, command))

    def compare(self, command: str, shown: str, actual: str) -> None:
        """Assert that the output is the page's, and learn its ids and times."""
        assert mask_values(actual) == mask_values(shown), f"{self.name}: {command}\n{actual}"
        self._ids |= dict(zip(re.findall(_UUID, shown), re.findall(_UUID, actual), strict=True))
        instants = zip(re.findall(_INSTANT, shown), re.findall(_INSTANT, actual), strict=True)
        for page_time, run_time in instants:
            if self._shift is None and page_time.endswith(":00Z") and run_time.endswith(":00Z"):
                self._shift = datetime.fromisoformat(run_time) - datetime.fromisoformat(page_time)

    def _shift_instant(self, match: re.Match[str]) -> str:
        assert self._shift is not None, f"no output before has told the time: {match[0]}"
        return (datetime.fromisoformat(match[0]) + self._shift).isoformat().replace("+00:00", "Z")


def mask_values(output: str) -> str:
    """Return the output without what differs from run to run."""
    for pattern in _VARYING:
        output = re.sub(pattern, "…", output)
    return " ".join(output.split())


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
