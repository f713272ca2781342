"""What callers have been told, and what may therefore stand in the table."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Definition = tuple[int, bool]
"""The minute of the hour, and whether the schedule is enabled."""

Key = tuple[str, str]
"""Install and name of a schedule."""

DONE, REFUSED, OPEN, ABSENT, PRESENT = "done", "refused", "open", "absent", "present"
"""What the caller learns: applied, not applied, neither for certain, no such schedule, the name is taken."""


@dataclass(frozen=True)
class Entry:
    """A change of one schedule, and what its caller learned: `open` if its process died first."""

    key: Key
    after: Definition | None
    """The definition that the change makes; None if it deletes the schedule."""
    outcome: str


class LedgerFile:
    """The file of one process: a line before each change, and one after it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, *values: Any) -> None:
        """Write a line; what is written survives the death of the process."""
        os.write(self._file, (json.dumps(values) + "\n").encode())


def read_entries(path: Path) -> Iterator[Entry]:
    """Yield the changes of a process in their order."""
    begun: tuple[Key, Definition | None] | None = None
    for line in path.read_text().splitlines() if path.exists() else ():
        values = json.loads(line)
        if values[0] == "begin":
            begun = (values[1], values[2]), tuple(values[3]) if values[3] else None
        elif begun:
            yield Entry(*begun, values[1])
            begun = None
    if begun:
        yield Entry(*begun, OPEN)


class Ledger:
    """The definitions that each schedule may have, given all that its one caller has learned."""

    def __init__(self) -> None:
        self.possible: dict[Key, set[Definition | None]] = {}
        self.violations: list[str] = []

    def record(self, entry: Entry) -> None:
        """Record a change; an outcome that contradicts the earlier ones is a violation."""
        possible = self.possible.get(entry.key, {None})
        match entry.outcome:
            case "done":
                after = {entry.after}
            case "open":
                after = possible | {entry.after}
            case "absent":
                after = possible & {None}
            case "present":
                after = possible - {None}
            case _:
                after = possible
        if not after:
            self.violations.append(f"{entry} although it may be {possible}")
        self.possible[entry.key] = after or possible

    def check(self, rows: dict[Key, Definition]) -> None:
        """Compare the stored schedules with what may stand there."""
        for key in {*self.possible, *rows}:
            if (found := rows.get(key)) not in (allowed := self.possible.get(key, {None})):
                self.violations.append(f"{key} is {found}, but the responses allow {allowed}")
