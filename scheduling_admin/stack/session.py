"""What a command works with: the deployed stack's services, by the operator's credentials."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from scheduling.domain.ids import admin_actor
from scheduling.operations.runs.run_now import Deliver
from scheduling.operations.services import Services

from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.stack.dead_letters import DeadLetterQueue
from scheduling_admin.stack.outputs import Stack

if TYPE_CHECKING:
    import boto3


@dataclass(frozen=True)
class AdminSession:
    """One command's connection, and its word to the operator on stderr."""

    stack: Stack
    services: Services
    deliver: Deliver
    boto_session: "boto3.Session"
    console: Console
    json_output: bool

    @property
    def now(self) -> datetime:
        """The service's time."""
        return self.services.clock()

    @cached_property
    def actor(self) -> str:
        """By what name changes of this operator are kept."""
        return admin_actor(self.boto_session.client("sts").get_caller_identity()["Arn"])

    @cached_property
    def dead_letter_queue(self) -> DeadLetterQueue:
        """The dead-letter queue."""
        return DeadLetterQueue(self.boto_session.client("sqs"), self.stack.queue_url)

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask, unless `yes` says so already. Raises AdminError where the answer is no, or nobody can be asked."""
        if yes:
            return
        if self.json_output:
            raise AdminError("With --json nothing is asked: add --yes to go ahead.", ExitStatus.USAGE)
        try:
            confirmed = typer.confirm(question, err=True)
        except typer.Abort:
            confirmed = False
        if not confirmed:
            raise AdminError("Nothing was done.", ExitStatus.REFUSED)

    @contextmanager
    def show_progress(self, *, show_count: bool = True) -> Iterator[Progress]:
        """A bar on stderr, on a terminal only; with `counted`, of how many."""
        columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}", markup=False)]
        columns += [BarColumn(), MofNCompleteColumn()] if show_count else []
        columns.append(TimeElapsedColumn())
        is_terminal = self.console.is_terminal
        with Progress(*columns, console=self.console, disable=not is_terminal, transient=True) as bar:
            yield bar
