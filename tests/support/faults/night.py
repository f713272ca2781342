"""The faults of a night on the local stack, and what an operator reads about each: the rows of `docs/night.md`."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from unittest.mock import patch

from scheduling.domain.sweeps import TimerDifference

from local.cloudformation.deploy import STACK_NAME
from local.settings import PROJECT_ROOT, free_ports
from scheduling_admin.health.rendering import ONLY_BY_SWEEP
from scheduling_admin.output.finds import list_difference_lines
from scheduling_admin.stack.options import CommonOptions
from tests.support.faults.night_faults import Fault
from tests.support.stacks.admin_process import AdminProcess
from tests.support.stacks.console import ConsoleClient, open_console, strip_markup
from tests.support.stacks.local_stack import ApiInstall, LocalStack, start_local_stack, wait_for

NIGHT_PAGE = PROJECT_ROOT / "docs" / "night.md"
_HEADING = """\
# The faults of a night

What an operator reads about each fault half an hour or more after an occurrence of an hourly schedule: what is wrong
and what is stopped as `scheduling-admin status` says, what `scheduling-admin explain` says of the occurrence, and the
state and the notices on the schedule's page in the console. The console's pages of the health and of the occurrence
have the sentences of these commands. Ids, times and durations are left out. What helps is in
[operations.md](operations.md#read-the-dashboard).

`make night` plays the faults on the local stack and writes this page; `tests/e2e/operating/test_night.py` compares it.

| fault | `status` | `explain` | the schedule's page |
|---|---|---|---|
"""
_STATUS_ROWS = ("Paused tenants", "Disabled installs", "Not granted", "Last sweep")
"""What the command's table has in a row of its own."""
_TENANT = "tenant-of-the-night"
_QUIET = timedelta(hours=2, minutes=50)
"""After this time no metric of a fault is read any more, and none of its retries is left."""
_MASKS = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r"(\w{3} )?\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?", "TIME"),
    (r"\d+(\.\d+)? (ms|s)\b", "DURATION"),
)


@dataclass
class Night:
    """A local stack, whose runner each fault starts or not, and the ways to look at it."""

    stack: LocalStack
    admin: AdminProcess
    console: ConsoleClient
    runner_port: int

    def play(self, fault: Fault) -> "Row":
        """Play the fault, return what is read about it, and leave nothing of it behind."""
        self._advance_to_half_past()
        install = self.stack.register_install(tenantId=_TENANT)
        schedule_id = install.create_schedule(name="hourly")
        time = self.stack.future_hour()
        try:
            with fault.play(self.stack, install, schedule_id, self.runner_port):
                row = self._observe(fault, install, schedule_id, time)
        finally:
            self._clean(install)
        return row

    def _observe(self, fault: Fault, install: ApiInstall, schedule_id: str, time: str) -> "Row":
        words = ("explain", install.id, schedule_id, time)
        explanation = json.loads(self.admin(*words, "--json").stdout)
        explanation_text = self.admin(*words).stdout
        path = f"/installs/{install.id}/schedules/{schedule_id}"
        heading, occurrence = self.console.get(path).text, self.console.read(f"{path}/at/{time}")
        status = wait_for(
            lambda: json.loads(self.admin("status", "--json").stdout),
            lambda document: fault.problems == {each["code"] for each in document["problems"]},
        )
        return Row(
            fault=fault.name,
            problems=frozenset(each["code"] for each in status["problems"]),
            status=_list_status(status),
            status_texts=(self.admin("status").stdout, self.console.read("/status")),
            explanation=[explanation["summary"], *explanation["reasons"], *explanation["advice"]],
            explanation_texts=(explanation_text, occurrence),
            console=_read_heading(heading),
        )

    def _advance_to_half_past(self) -> None:
        later = (self.stack.read_clock() + _QUIET).replace(minute=30, second=0, microsecond=0)
        self.stack.control.post("/_local/clock", json={"to": later.isoformat()}).raise_for_status()

    def _clean(self, install: ApiInstall) -> None:
        self.stack.api.delete(f"/admin/v1/installs/{install.id}").raise_for_status()
        self.stack.delete_timers()
        self.stack.receive_dead_letters()


@dataclass(frozen=True)
class Row:
    """What the command line and the console say about a fault."""

    fault: str
    problems: frozenset[str]
    status: Sequence[str]
    status_texts: Sequence[str]
    """The command's text and the console's page, which have to say the same."""
    explanation: Sequence[str]
    explanation_texts: Sequence[str]
    console: Sequence[str]

    def render(self) -> str:
        """Render the row of the page, without ids, times and durations."""
        cells = [[self.fault], self.status, self.explanation, self.console]
        return f"| {' | '.join('<br>'.join(map(_mask, cell)) for cell in cells)} |"

    def find_untold(self) -> list[str]:
        """Return the sentences that the text of a command or a page of the console lacks, though its JSON has them."""
        told = ((self.status, self.status_texts), (self.explanation, self.explanation_texts))
        return [
            f"{sentence} | {text}"
            for sentences, texts in told
            for sentence in sentences
            for text in texts
            if _without_spaces(sentence) not in _without_spaces(text)
            and not sentence.startswith(_STATUS_ROWS)
        ]


def render_page_of_rows(rows: Sequence[str]) -> str:
    """Render the page."""
    return _HEADING + "".join(f"{row}\n" for row in rows)


@contextmanager
def start_night(folder: Path) -> Iterator[Night]:
    """Start a stack whose runner is down until a fault starts one."""
    (runner_port,) = free_ports(1)
    url = f"http://127.0.0.1:{runner_port}"
    with (
        start_local_stack(folder, RUNNER_BASE_URL=url) as stack,
        patch("scheduling_admin.stack.queues.RECEIVE_WAIT_SECONDS", 0),
    ):
        options = CommonOptions(stack_name=STACK_NAME, endpoint_url=stack.aws_url)
        with open_console(options) as console:
            yield Night(stack, AdminProcess(stack.aws_url), console, runner_port)


def _read_heading(page: str) -> list[str]:
    """Return the state of a schedule and the notices on its page."""
    heading = page.partition("</h1>")[0].rpartition("<h1")[2]
    chip = re.search(r'class="chip[^"]*"[^>]*>([^<]*)<', heading)
    assert chip
    notices = re.findall(r'<p class="notice[^"]*"[^>]*>(.*?)</p>', page, re.DOTALL)
    return [f"State: {unescape(chip[1])}", *map(strip_markup, notices)]


def _list_status(document: dict[str, Any]) -> list[str]:
    """Return what is wrong, and what is stopped or repaired, which is no problem."""
    lines = [each["text"] for each in document["problems"]] or ["Nothing is wrong.", ONLY_BY_SWEEP]
    lines += [f"Paused tenants: {each['id']}" for each in document["pausedTenants"]["items"]]
    lines += [f"Disabled installs: {each['id']}" for each in document["disabledInstalls"]["items"]]
    lines += [f"Not granted: {each['id']}" for each in document["notGrantedInstalls"]["items"]]
    return [
        *lines,
        *map(_describe_find, document["sweep"]["schedules"]["items"] if document["sweep"] else ()),
    ]


def _describe_find(item: dict[str, Any]) -> str:
    """Return what the command says of the schedule in its row `Last sweep`."""
    lines = list_difference_lines([TimerDifference(**each) for each in item["differences"]])
    return f"Last sweep: {item['name']} of {item['installId']}: {', '.join(lines)}"


def _without_spaces(text: str) -> str:
    return "".join(text.split())


def _mask(text: str) -> str:
    for pattern, replacement in _MASKS:
        text = re.sub(pattern, replacement, text)
    return text.replace("|", "\\|").strip()
