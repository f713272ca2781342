"""The runner's settings, read from the environment and checked once at start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


class SettingsError(ValueError):
    """A variable is missing or invalid; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of the runner."""

    host: str
    port: int
    extensions_dirs: tuple[Path, ...]
    scheduler_base_url: str
    auth_token: str
    service_token: str | None
    cache_dir: Path


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from `environ`.

    Raises:
        SettingsError: A variable is missing or invalid; the first one is named.
    """
    return Settings(
        host=environ.get("RUNNER_HOST") or "127.0.0.1",
        port=_parse_port(environ.get("RUNNER_PORT") or "8080"),
        extensions_dirs=_parse_folders(_require_variable(environ, "EXTENSIONS_DIR")),
        scheduler_base_url=_parse_base_url(_require_variable(environ, "SCHEDULER_BASE_URL")),
        auth_token=_require_variable(environ, "RUNNER_AUTH_TOKEN"),
        service_token=environ.get("RUNNER_SERVICE_TOKEN") or None,
        cache_dir=Path(environ.get("WASM_CACHE_DIR") or "build/wasm-cache").resolve(),
    )


def _require_variable(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set")
    return value


def _parse_port(value: str) -> int:
    if not (value.isdecimal() and int(value) <= 65535):
        raise SettingsError(f"RUNNER_PORT is not a port: {value}")
    return int(value)


def _parse_folders(value: str) -> tuple[Path, ...]:
    return tuple(Path(folder).resolve() for folder in value.split(os.pathsep) if folder)


def _parse_base_url(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise SettingsError(f"SCHEDULER_BASE_URL is not an http(s) address: {value}")
    return value.rstrip("/")
