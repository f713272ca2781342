"""The folder of a stack's logs, which keeps those of earlier starts."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAX_EARLIER_STARTS = 5
EARLIER = "earlier"


def keep_earlier_logs(folder: Path) -> None:
    """Create the folder, and move the logs of the last start to `earlier/<time of their last line>`."""
    folder.mkdir(parents=True, exist_ok=True)
    logs = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
    if logs:
        ended = datetime.fromtimestamp(logs[-1].stat().st_mtime, UTC)
        target = folder / EARLIER / f"{ended:%Y-%m-%dT%H.%M.%S.%fZ}"
        target.mkdir(parents=True, exist_ok=True)
        for log in logs:
            log.replace(target / log.name)
    delete_oldest_folders(folder / EARLIER)


def delete_oldest_folders(parent: Path) -> None:
    """Delete all but the newest folders of earlier starts."""
    folders = sorted(parent.glob("*/"), key=lambda path: (path.stat().st_mtime, path.name))
    for folder in folders[:-MAX_EARLIER_STARTS]:
        shutil.rmtree(folder, ignore_errors=True)
