"""The fake platform."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from extension_sdk.platform import Context, Log
from extension_sdk.testing.manifest import Manifest, find_manifest
from extension_sdk.testing.scheduler import Clock, FakeScheduler


@dataclass
class FakeLog(Log):
    """Stores log messages as (level, message)."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def _log_info(self, message: str) -> None:
        self.lines.append(("info", message))

    def _log_warn(self, message: str) -> None:
        self.lines.append(("warn", message))

    def _log_error(self, message: str) -> None:
        self.lines.append(("error", message))


class FakeHost:
    """A platform for tests: `host.connect(FakeHost())`.

    Attributes:
        scheduler: The schedules, and how to let the scheduler fail: `fake.scheduler.fail_with("denied")`.
        log: What the extension has logged.
        context: The tenant and install; a test may replace it.
    """

    def __init__(
        self, manifest: Mapping[str, Any] | Path | None = None, *, clock: Clock = lambda: datetime.now(UTC)
    ) -> None:
        """Create a platform with an empty scheduler.

        Args:
            manifest: The extension's manifest, or its file; by default the `manifest.json` beside the module `app`,
                or in the current folder.
            clock: The time.
        """
        if manifest is None:
            manifest = find_manifest()
        parsed = Manifest.read(manifest) if isinstance(manifest, Path) else Manifest.parse(manifest)
        self.context = Context("tenant", "extension", "install")
        self.scheduler = FakeScheduler(parsed, clock)
        self.log = FakeLog()
