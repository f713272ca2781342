"""The runner's settings, read from the environment and checked once at start."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from runner.host.capabilities import normalize_capabilities
from runner.protocol import Limits

MEBIBYTE = 1024 * 1024
MEMORY_MB = range(32, 65_537)
DEFAULT_LIMITS = Limits(memory_bytes=256 * MEBIBYTE, scheduler_calls=100, log_bytes=64 * 1024)


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
    max_executions: int = 16
    limits: Limits = DEFAULT_LIMITS
    compile_memory_bytes: int = 1024 * MEBIBYTE
    additional_capabilities: frozenset[str] = frozenset()
    """Known besides those of the platform, as the stack's parameter AdditionalCapabilities has them."""


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from `environ`.

    Raises:
        SettingsError: A variable is missing or invalid; the first one is named.
    """
    settings = Settings(
        host=environ.get("RUNNER_HOST") or "127.0.0.1",
        port=_parse_port(environ.get("RUNNER_PORT") or "8080"),
        extensions_dirs=_parse_folders(_require_variable(environ, "EXTENSIONS_DIR")),
        scheduler_base_url=_parse_base_url(_require_variable(environ, "SCHEDULER_BASE_URL")),
        auth_token=_require_variable(environ, "RUNNER_AUTH_TOKEN"),
        service_token=environ.get("RUNNER_SERVICE_TOKEN") or None,
        cache_dir=Path(environ.get("WASM_CACHE_DIR") or "build/wasm-cache").resolve(),
        max_executions=_parse_number(environ, "MAX_EXECUTIONS", 16, range(1, 1001)),
        limits=_parse_limits(environ),
        compile_memory_bytes=_parse_number(environ, "COMPILE_MEMORY_MB", 1024, MEMORY_MB) * MEBIBYTE,
        additional_capabilities=_parse_capabilities(environ.get("ADDITIONAL_CAPABILITIES", "")),
    )
    _require_token_unless_local(settings)
    return settings


def _parse_capabilities(value: str) -> frozenset[str]:
    return frozenset(normalize_capabilities(name for name in value.split(",") if name.strip()))


def _parse_limits(environ: Mapping[str, str]) -> Limits:
    return Limits(
        memory_bytes=_parse_number(environ, "EXECUTION_MEMORY_MB", 256, MEMORY_MB) * MEBIBYTE,
        scheduler_calls=_parse_number(environ, "MAX_SCHEDULER_CALLS", 100, range(1, 100_001)),
        log_bytes=_parse_number(environ, "MAX_LOG_BYTES", 64 * 1024, range(1024, 16 * MEBIBYTE + 1)),
    )


def _require_token_unless_local(settings: Settings) -> None:
    """Refuse to execute extensions for whoever can reach this machine."""
    if settings.service_token is None and not _is_loopback(settings.host):
        raise SettingsError(
            f"RUNNER_SERVICE_TOKEN is not set: without it the runner serves 127.0.0.1 only, not {settings.host}"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parse_number(environ: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    value = environ.get(name) or str(default)
    if not (value.isascii() and value.isdecimal() and len(value) < 10 and int(value) in allowed):
        raise SettingsError(f"{name} is not a whole number from {allowed[0]} to {allowed[-1]}: {value}")
    return int(value)


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
