"""What changes in the extension folders while the stack runs, for the terminal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from local.health import read_runner_health

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.settings import Settings

POLL_SECONDS = 1.0

Component = dict[str, str]


def report_changes(settings: Settings, write: Callable[[str], object]) -> None:
    """Write a line for each extension that is added or changed, for ever."""
    known: dict[str, Component] | None = None
    while True:
        try:
            components = {each["path"]: each for each in read_runner_health(settings).get("components", [])}
        except (httpx.HTTPError, ValueError):
            pass  # the stack's health reports it
        else:
            for line in describe_changes(known, components):
                write(f"{line}\n")
            known = components
        time.sleep(POLL_SECONDS)


def describe_changes(before: dict[str, Component] | None, after: dict[str, Component]) -> Iterator[str]:
    """Yield a line for each change; of what was there at the start (`before` is None), only for what is unusable."""
    for path, component in after.items():
        known = (before or {}).get(path)
        if component == known or (before is None and component["status"] != "failed"):
            continue
        name = "/".join(Path(path).parts[-2:])
        yield f"{name} {_describe_state(known, component)}"
    for path in sorted((before or {}).keys() - after.keys()):
        yield f"{'/'.join(Path(path).parts[-2:])} is gone"


def _describe_state(known: Any, component: Component) -> str:
    if component["status"] == "failed":
        return f"cannot be used: {component['error']}"
    if component["status"] == "ready":
        return f"is compiled; runs of the version with {component['contentHash']} use it"
    return "has changed; it is being compiled" if known else "was added; it is being compiled"
