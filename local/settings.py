"""The local stack's settings: the only module that reads the environment."""

from __future__ import annotations

import os
import re
import secrets
import socket
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from local.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

PARAMETER_RANGES = {
    "MAX_SCHEDULES_PER_INSTALL": range(1, 10_001),
    "MIN_INTERVAL_MINUTES": range(1, 1_441),
    "WRITES_PER_MINUTE": range(1, 10_001),
    "CALLS_PER_MINUTE": range(60, 60_001),
    "MAX_PAYLOAD_BYTES": range(2, 300_001),
    "RUN_HISTORY_DAYS": range(1, 36_501),
    "RUNNER_TIMEOUT_MS": range(1, 30_001),
    "RUNNER_OVERHEAD_SECONDS": range(61),
    "SWEEP_INTERVAL_HOURS": range(1, 8_761),
    "MAXIMUM_CONCURRENCY": range(2, 1_001),
    "MAX_WAIT_HOURS": range(1, 241),
    "PAUSE_AFTER_FAILURES": range(1_001),
    "DEFAULT_SPREAD_MINUTES": range(61),
}
"""The template parameters that an environment variable sets to a number, with the values allowed."""
CAPPED_PARAMETERS = ("MAX_SCHEDULES_PER_INSTALL", "WRITES_PER_MINUTE")
"""Those of which a larger number means the largest allowed: a test that needs no limit does not have to know it."""
PARAMETER_CHOICES = {"CALLBACK_RULE_ERROR_STATUS": ("400", "200"), "CATCH_UP": ("latest", "all")}
"""The template parameters that an environment variable sets to one of a few values, the default first."""
PARAMETER_TEXTS = ("ADDITIONAL_CAPABILITIES",)
"""The template parameters that an environment variable sets to a text, which the functions validate."""
SETUPS = ("0", "1", "events")
"""What the stack sets up at its start: nothing, the sample's schedules, or the state that the events expect."""
LISTEN_ADDRESSES = ("127.0.0.1", "0.0.0.0")  # noqa: S104 (only if the user configures it)
"""Addresses on which moto and the runner may listen; the second lets containers call them."""
DEFAULT_CONSOLE_PORT = 4580
PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """Settings of the local stack."""

    api_port: int = 3000
    aws_port: int = 4566
    runner_port: int = 8080
    console_port: int | None = None
    """The port of the console; 0 starts none, and by default it is 4580 or a free one."""
    runner_auth_token: str = field(default="local-runner-key", repr=False)
    runner_service_token: str = field(default="", repr=False)
    runner_base_url: str = ""
    aws_endpoint_url: str = ""
    lambda_endpoint_url: str = ""
    listen_address: str = "127.0.0.1"
    user_extension_folders: tuple[Path, ...] = ()
    clock_frozen: bool = False
    set_up_sample: bool = False
    set_up_events: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    log_folder: str = ""
    root: Path = PROJECT_ROOT

    @property
    def build(self) -> Path:
        """The folder of all build output."""
        return self.root / "build"

    @property
    def logs(self) -> Path:
        """The folder of the logs of the functions, moto and the runner."""
        return self.build / "local" / (self.log_folder or f"logs/{self.api_port}")

    @property
    def runner_log(self) -> Path:
        """The log of the runner that the stack starts, which contains the extensions' log."""
        return self.logs / "runner.log"

    @property
    def template(self) -> Path:
        """The SAM template of the stack."""
        return self.root / "template.yaml"

    @property
    def api_url(self) -> str:
        """The URL of the API."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def aws_url(self) -> str:
        """The AWS endpoint: the user's, else the moto server's."""
        return self.aws_endpoint_url or f"http://127.0.0.1:{self.aws_port}"

    @property
    def lambda_url(self) -> str:
        """The endpoint at which Lambda clients invoke the functions."""
        return f"{self.api_url}/_local/lambda"

    @property
    def runner_url(self) -> str:
        """The URL of the runner: the user's, else the one that the stack starts."""
        return self.runner_base_url or f"http://127.0.0.1:{self.runner_port}"

    @property
    def own_ports(self) -> dict[str, int]:
        """The ports on which the stack's own processes listen, by the variable that selects each."""
        ports = {"API_PORT": self.api_port}
        if not self.aws_endpoint_url:
            ports["AWS_PORT"] = self.aws_port
        if not self.runner_base_url:
            ports["RUNNER_PORT"] = self.runner_port
        return ports

    @property
    def events_folder(self) -> Path:
        """The folder of the extension that the events expect."""
        return self.build / "local" / "events"

    @property
    def extension_folders(self) -> tuple[Path, ...]:
        """The folders in which the runner finds components: build output first, then the user's."""
        events = (self.events_folder,) if self.set_up_events else ()
        return (self.build / "extensions", *events, *self.user_extension_folders)


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read and validate the environment.

    Raises:
        SettingsError: A value is invalid; the text names the variable.
    """
    folders = environ.get("EXTENSIONS_DIR", "").split(os.pathsep)
    settings = Settings(
        api_port=read_port(environ, "API_PORT", 3000),
        aws_port=read_port(environ, "AWS_PORT", 4566),
        runner_port=read_port(environ, "RUNNER_PORT", 8080),
        console_port=read_number(environ, "CONSOLE_PORT", _PORTS_OR_NONE)
        if environ.get("CONSOLE_PORT")
        else None,
        runner_auth_token=read_token(environ, "RUNNER_AUTH_TOKEN") or "local-runner-key",
        runner_service_token=read_token(environ, "RUNNER_SERVICE_TOKEN") or _create_service_token(environ),
        runner_base_url=read_url(environ, "RUNNER_BASE_URL"),
        aws_endpoint_url=read_url(environ, "AWS_ENDPOINT_URL"),
        lambda_endpoint_url=read_url(environ, "LAMBDA_ENDPOINT_URL"),
        listen_address=read_choice(environ, "LISTEN_ADDRESS", LISTEN_ADDRESSES),
        user_extension_folders=tuple(map(parse_folder, filter(None, folders))),
        clock_frozen=read_choice(environ, "LOCAL_CLOCK", ("running", "frozen")) == "frozen",
        set_up_sample=read_choice(environ, "SETUP", SETUPS) == "1",
        set_up_events=read_choice(environ, "SETUP", SETUPS) == "events",
        parameters=_read_parameters(environ),
    )
    _require_different_ports(settings)
    return settings


def read_demo_settings() -> Settings:
    """Return the settings of the demonstration: a frozen clock, and free ports where the environment sets none."""
    ports = dict(zip(("API_PORT", "AWS_PORT", "RUNNER_PORT"), map(str, free_ports(3)), strict=True))
    settings = read_settings({**ports, **os.environ, "LOCAL_CLOCK": "frozen"})
    return replace(settings, log_folder=f"demo-logs/{settings.api_port}")


def free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 on which nothing listens."""
    with ExitStack() as exit_stack:
        probes = [exit_stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def child_environment(**overrides: str) -> dict[str, str]:
    """Return the environment of a child process: this process's, with overrides."""
    return {**os.environ, **overrides}


def use_aws_endpoint(url: str, lambda_url: str) -> str:
    """Direct all AWS clients of this process to the endpoint and return the region.

    Sets credentials where the user has none. Lambda clients get an endpoint of their own, since the functions run
    in this process.
    """
    os.environ["AWS_ENDPOINT_URL"] = url
    os.environ["AWS_ENDPOINT_URL_LAMBDA"] = lambda_url
    for name, value in {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}.items():
        os.environ.setdefault(name, value)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    os.environ.update(AWS_REGION=region, AWS_DEFAULT_REGION=region)
    return region


def _create_service_token(environ: Mapping[str, str]) -> str:
    """Return a token if the network can reach the runner, which would execute extensions for everybody without one."""
    listens_locally = read_choice(environ, "LISTEN_ADDRESS", LISTEN_ADDRESSES) == LISTEN_ADDRESSES[0]
    return "" if listens_locally else secrets.token_urlsafe(32)


def _read_parameters(environ: Mapping[str, str]) -> dict[str, str]:
    numbers = {
        name: str(read_number(environ, name, allowed_range, capped=name in CAPPED_PARAMETERS))
        for name, allowed_range in PARAMETER_RANGES.items()
        if environ.get(name)
    }
    choices = {
        name: read_choice(environ, name, choices)
        for name, choices in PARAMETER_CHOICES.items()
        if environ.get(name)
    }
    return numbers | choices | {name: environ[name] for name in PARAMETER_TEXTS if environ.get(name)}


def _require_different_ports(settings: Settings) -> None:
    ports = settings.own_ports
    for first, second in combinations(ports, 2):
        if ports[first] == ports[second]:
            raise SettingsError(
                f"{first} and {second} are both {ports[first]}; choose another for one of them"
            )


_PORTS = range(1, 65_536)
_PORTS_OR_NONE = range(65_536)
_URL_PATTERN = re.compile(
    r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?(/[!\"$->@-~]*)?"
)
"""The template's pattern of RunnerBaseUrl."""


def read_number(environ: Mapping[str, str], name: str, allowed_range: range, *, capped: bool = False) -> int:
    """Return a whole number within the range; if it is capped, the largest one for any larger number."""
    value = environ[name]
    if re.fullmatch("[0-9]{1,9}", value):
        number = min(int(value), allowed_range[-1]) if capped else int(value)
        if number in allowed_range:
            return number
    text = f"{name} must be a whole number from {allowed_range[0]} to {allowed_range[-1]}, not {value!r}"
    raise SettingsError(text)


def read_port(environ: Mapping[str, str], name: str, default: int) -> int:
    """Return a port number."""
    return read_number(environ, name, _PORTS) if environ.get(name) else default


def read_token(environ: Mapping[str, str], name: str) -> str:
    """Return a token that is valid as a header value; empty if unset. No error text quotes it."""
    value = environ.get(name, "")
    if not (value.isascii() and value.isprintable() and value == value.strip()):
        raise SettingsError(f"{name} must be printable ASCII characters, with no space around them")
    return value


def read_url(environ: Mapping[str, str], name: str) -> str:
    """Return an HTTP URL without a trailing slash; empty if unset."""
    value = environ.get(name, "")
    if "@" in value:  # which may follow a password
        raise SettingsError(f"{name} must not contain a user or a password")
    if value and not _is_url(value):
        raise SettingsError(f"{name} must be a URL such as http://127.0.0.1:8080, not {value!r}")
    return value.rstrip("/")


def _is_url(value: str) -> bool:
    match = _URL_PATTERN.fullmatch(value)
    return match is not None and int(match["port"] or "1") in _PORTS


def parse_folder(value: str) -> Path:
    """Return the path of an existing folder that EXTENSIONS_DIR names."""
    path = Path(value).expanduser().absolute()
    if not path.is_dir():
        raise SettingsError(f"EXTENSIONS_DIR names {value!r}, which is not a folder")
    return path


def read_choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """Return one of the choices; the first by default."""
    value = environ.get(name) or choices[0]
    if value not in choices:
        raise SettingsError(f"{name} must be {' or '.join(choices)}, not {value!r}")
    return value
