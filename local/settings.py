"""The local stack's settings: the only reader of the environment."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from local.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

PARAMETERS = (
    "MAX_SCHEDULES_PER_INSTALL",
    "MIN_INTERVAL_MINUTES",
    "WRITES_PER_MINUTE",
    "MAX_PAYLOAD_BYTES",
    "RUN_HISTORY_DAYS",
    "RUNNER_TIMEOUT_MS",
    "SWEEP_INTERVAL_HOURS",
)
# The second lets containers call moto and the runner.
LISTEN_ADDRESSES = ("127.0.0.1", "0.0.0.0")  # noqa: S104 (only where the user asks for it)
PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """How the local stack is set up."""

    api_port: int = 3000
    aws_port: int = 4566
    runner_port: int = 8080
    runner_auth_token: str = field(default="local-runner-key", repr=False)
    runner_service_token: str = field(default="", repr=False)
    runner_base_url: str = ""
    aws_endpoint_url: str = ""
    lambda_endpoint_url: str = ""
    listen_address: str = "127.0.0.1"
    extensions: tuple[Path, ...] = ()
    frozen: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    log_folder: str = "logs"
    root: Path = PROJECT

    @property
    def build(self) -> Path:
        """Where everything built goes."""
        return self.root / "build"

    @property
    def logs(self) -> Path:
        """Where the functions, moto and the runner log to."""
        return self.build / "local" / self.log_folder

    @property
    def template(self) -> Path:
        """The SAM template that the stack is made from."""
        return self.root / "template.yaml"

    @property
    def api_url(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def aws_url(self) -> str:
        """Where AWS answers: the user's endpoint, else the moto server."""
        return self.aws_endpoint_url or f"http://127.0.0.1:{self.aws_port}"

    @property
    def runner_url(self) -> str:
        """Where the runner answers: the user's, else the one started here."""
        return self.runner_base_url or f"http://127.0.0.1:{self.runner_port}"

    @property
    def extension_folders(self) -> tuple[Path, ...]:
        """Where the runner looks for components: what is built here, then the user's."""
        return (self.build / "extensions", *self.extensions)


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read and check the environment.

    :raises SettingsError: naming the variable whose value makes no sense
    """
    folders = environ.get("EXTENSIONS_DIR", "").split(os.pathsep)
    return Settings(
        api_port=_port(environ, "API_PORT", 3000),
        aws_port=_port(environ, "AWS_PORT", 4566),
        runner_port=_port(environ, "RUNNER_PORT", 8080),
        runner_auth_token=environ.get("RUNNER_AUTH_TOKEN") or "local-runner-key",
        runner_service_token=environ.get("RUNNER_SERVICE_TOKEN", ""),
        runner_base_url=_url(environ, "RUNNER_BASE_URL"),
        aws_endpoint_url=_url(environ, "AWS_ENDPOINT_URL"),
        lambda_endpoint_url=_url(environ, "LAMBDA_ENDPOINT_URL"),
        listen_address=_choice(environ, "LISTEN_ADDRESS", LISTEN_ADDRESSES),
        extensions=tuple(_folder(folder) for folder in folders if folder),
        frozen=_choice(environ, "LOCAL_CLOCK", ("running", "frozen")) == "frozen",
        parameters={name: _positive(environ, name) for name in PARAMETERS if environ.get(name)},
    )


def read_demo_settings() -> Settings:
    """The settings of a demonstration: free ports unless some were chosen, on a clock that stands still."""
    ports = dict(zip(("API_PORT", "AWS_PORT", "RUNNER_PORT"), map(str, free_ports(3)), strict=True))
    settings = read_settings({**ports, **os.environ, "LOCAL_CLOCK": "frozen"})
    return replace(settings, log_folder="demo-logs")


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nothing serves."""
    with ExitStack() as closing:
        probes = [closing.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def child_environment(**own: str) -> dict[str, str]:
    """The environment of a child process: this one's, and what is its own."""
    return {**os.environ, **own}


def use_aws_endpoint(url: str) -> str:
    """Point every AWS client of this process at the endpoint, with credentials if the user set none.

    Returns the region.
    """
    os.environ["AWS_ENDPOINT_URL"] = url
    for name, value in {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}.items():
        os.environ.setdefault(name, value)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    os.environ.update(AWS_REGION=region, AWS_DEFAULT_REGION=region)
    return region


def _positive(environ: Mapping[str, str], name: str) -> str:
    value = environ[name]
    if not value.isdecimal() or int(value) < 1:
        raise SettingsError(f"{name} must be a whole number above 0, not {value!r}")
    return value


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name) or str(default)
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise SettingsError(f"{name} must be a port from 1 to 65535, not {value!r}")
    return int(value)


def _url(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").rstrip("/")
    if value and not value.startswith(("http://", "https://")):
        raise SettingsError(f"{name} must start with http:// or https://, not {value!r}")
    return value


def _folder(value: str) -> Path:
    folder = Path(value).expanduser().absolute()
    if not folder.is_dir():
        raise SettingsError(f"EXTENSIONS_DIR names {value!r}, which is not a folder")
    return folder


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = environ.get(name) or choices[0]
    if value not in choices:
        raise SettingsError(f"{name} must be {' or '.join(choices)}, not {value!r}")
    return value
