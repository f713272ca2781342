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
from scheduling.domain.ids import admin
from scheduling.operations.runs.run_now import Deliver
from scheduling.operations.services import Services

from scheduling_admin.errors import AdminError, Exit
from scheduling_admin.stack.dead_letters import DeadLetters
from scheduling_admin.stack.outputs import Stack

if TYPE_CHECKING:
    import boto3


@dataclass(frozen=True)
class Operator:
    """One command's connection, and its word to the operator on stderr."""

    stack: Stack
    services: Services
    deliver: Deliver
    session: "boto3.Session"
    console: Console
    json: bool

    @property
    def now(self) -> datetime:
        """The service's time."""
        return self.services.clock()

    @cached_property
    def name(self) -> str:
        """By what name changes of this operator are kept."""
        return admin(self.session.client("sts").get_caller_identity()["Arn"])

    @cached_property
    def letters(self) -> DeadLetters:
        """The dead-letter queue."""
        return DeadLetters(self.session.client("sqs"), self.stack.queue_url)

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask, unless `yes` says so already. Raises AdminError where the answer is no, or nobody can be asked."""
        if yes:
            return
        if self.json:
            raise AdminError("With --json nothing is asked: add --yes to go ahead.", Exit.USAGE)
        try:
            agreed = typer.confirm(question, err=True)
        except typer.Abort:
            agreed = False
        if not agreed:
            raise AdminError("Nothing was done.", Exit.REFUSED)

    @contextmanager
    def progress(self, *, counted: bool = True) -> Iterator[Progress]:
        """A bar on stderr, on a terminal only; with `counted`, of how many."""
        columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}", markup=False)]
        columns += [BarColumn(), MofNCompleteColumn()] if counted else []
        columns.append(TimeElapsedColumn())
        shown = self.console.is_terminal
        with Progress(*columns, console=self.console, disable=not shown, transient=True) as bar:
            yield bar
