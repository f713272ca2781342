"""`extension-sdk dev`: rebuilds what has changed, and shows fires as they happen."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from extension_sdk_cli.build import compute_stamp
from extension_sdk_cli.local_stack import LocalStack
from extension_sdk_cli.project import Project


@dataclass
class Watcher:
    """Remembers the sources and the runs that have been shown."""

    project: Project
    stack: LocalStack
    _stamp: str = ""
    _last_runs: dict[str, str | None] | None = field(default=None)

    def sources_changed(self) -> bool:
        """Whether the sources differ from the last time; not while an editor is replacing one."""
        try:
            stamp = compute_stamp(self.project.folder)
        except FileNotFoundError:
            return False
        previous, self._stamp = self._stamp, stamp
        return stamp != previous

    def forget(self) -> None:
        """Forget the sources and the runs, as at the start."""
        self._stamp, self._last_runs = "", None

    def new_runs(self) -> Iterator[str]:
        """Yield a line for each schedule that has run since the last time."""
        schedules = self.stack.list_schedules(self.project)
        known = self._last_runs
        self._last_runs = {each["id"]: each["lastRunAt"] for each in schedules}
        if known is None:
            return
        for each in schedules:
            if each["lastRunAt"] and each["lastRunAt"] != known.get(each["id"]):
                error = f": {each['lastError']}" if each["lastError"] else ""
                yield f"{each['lastRunAt']} {each['name'] or each['id']} {each['lastRunStatus']}{error}"
