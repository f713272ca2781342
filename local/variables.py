"""Variables of the environment, each read as what it stands for; what it may be is told where it is not."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from local.errors import SettingsError

_PORTS = range(1, 65_536)


def number(environ: Mapping[str, str], name: str, allowed: range) -> int:
    """A whole number of the range."""
    value = environ[name]
    if not re.fullmatch("[0-9]{1,9}", value) or int(value) not in allowed:
        text = f"{name} must be a whole number from {allowed[0]} to {allowed[-1]}, not {value!r}"
        raise SettingsError(text)
    return int(value)


def port(environ: Mapping[str, str], name: str, default: int) -> int:
    """A port."""
    return number(environ, name, _PORTS) if environ.get(name) else default


def token(environ: Mapping[str, str], name: str) -> str:
    """What a header takes as it is; empty where there is none. It is shown to nobody."""
    value = environ.get(name, "")
    if not (value.isascii() and value.isprintable() and value == value.strip()):
        raise SettingsError(f"{name} must be printable ASCII characters, with no space around them")
    return value


def url(environ: Mapping[str, str], name: str) -> str:
    """An HTTP address without a slash at its end; empty where there is none."""
    value = environ.get(name, "")
    if value and not _is_url(value):
        raise SettingsError(f"{name} must be a URL such as http://127.0.0.1:8080, not {value!r}")
    return value.rstrip("/")


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        served = parts.port != 0  # reading a port that is none raises
    except ValueError:
        return False
    named = parts.scheme in ("http", "https") and parts.hostname
    return bool(named) and served and not re.search(r"\s", value)


def folder(value: str) -> Path:
    """A folder that exists, of those that EXTENSIONS_DIR names."""
    path = Path(value).expanduser().absolute()
    if not path.is_dir():
        raise SettingsError(f"EXTENSIONS_DIR names {value!r}, which is not a folder")
    return path


def choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """One of the choices; the first by default."""
    value = environ.get(name) or choices[0]
    if value not in choices:
        raise SettingsError(f"{name} must be {' or '.join(choices)}, not {value!r}")
    return value
