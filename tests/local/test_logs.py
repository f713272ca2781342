"""The logs of earlier starts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from local.logs import MAX_EARLIER_STARTS, keep_earlier_logs

if TYPE_CHECKING:
    from pathlib import Path


def write_logs(folder: Path, seconds: int) -> None:
    for name in ("functions.log", "runner.log"):
        (folder / name).write_text(f"{name} {seconds}")
        os.utime(folder / name, (seconds, seconds))


def test_logs_of_the_last_starts_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    for start in range(MAX_EARLIER_STARTS + 3):
        keep_earlier_logs(folder)
        assert not list(folder.glob("*.log"))
        write_logs(folder, 1_000_000_000 + start)
    keep_earlier_logs(folder)
    kept = sorted(path for path in (folder / "earlier").iterdir())
    assert [path.name for path in kept] == [
        f"2001-09-09T01.46.{40 + number}.000000Z" for number in range(3, MAX_EARLIER_STARTS + 3)
    ]
    assert (kept[-1] / "runner.log").read_text() == f"runner.log {1_000_000_000 + MAX_EARLIER_STARTS + 2}"


def test_first_start_has_nothing_to_keep(tmp_path: Path) -> None:
    keep_earlier_logs(tmp_path / "logs")
    assert not list((tmp_path / "logs").iterdir())
