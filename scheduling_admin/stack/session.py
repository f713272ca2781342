"""The services of the deployed stack, used with the operator's credentials."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

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
from scheduling_admin.stack.dead_letters import DeadLetterQueues
from scheduling_admin.stack.outputs import Stack
from scheduling_admin.stack.unpublished import PublishRecords, UnpublishedQueue, create_publisher

if TYPE_CHECKING:
    import boto3


@dataclass(frozen=True)
class AdminSession:
    """One command's connection to the stack, and its prompts and progress bars on stderr."""

    stack: Stack
    services: Services
    deliver: Deliver
    boto_session: "boto3.Session"
    console: Console
    json_output: bool

    @property
    def now(self) -> datetime:
        """The current time of the service."""
        return self.services.clock()

    @cached_property
    def actor(self) -> str:
        """The name under which changes of this operator are recorded."""
        return admin_actor(self.boto_session.client("sts").get_caller_identity()["Arn"])

    @cached_property
    def dead_letter_queues(self) -> DeadLetterQueues:
        """The queues of occurrences that failed permanently."""
        urls = (self.stack.dead_letter_queue_url, self.stack.timer_dead_letter_queue_url)
        return DeadLetterQueues(self.boto_session.client("sqs"), urls, self.services.timers.get_timer)

    @cached_property
    def unpublished_queue(self) -> UnpublishedQueue:
        """The queue of changes that the event bus did not accept."""
        return UnpublishedQueue(self.boto_session.client("sqs"), self.stack.unpublished_queue_url)

    @cached_property
    def streams_client(self) -> Any:
        """A client for the table's stream."""
        return self.boto_session.client("dynamodbstreams")

    @cached_property
    def publish_records(self) -> PublishRecords:
        """Publishes records of the stream through the audit function."""
        return create_publisher(self.boto_session.client("lambda"), self.stack.audit_function_name)

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask for confirmation, unless `yes` already gives it.

        Raises:
            AdminError: The operator declines, or cannot be asked because the output is JSON.
        """
        if yes:
            return
        if self.json_output:
            raise AdminError("--json does not prompt: add --yes to confirm.", ExitStatus.USAGE)
        try:
            confirmed = typer.confirm(question, err=True)
        except typer.Abort:
            confirmed = False
        if not confirmed:
            raise AdminError("Nothing was changed.", ExitStatus.REFUSED)

    @contextmanager
    def show_progress(self, *, show_count: bool = True) -> Iterator[Progress]:
        """Show a progress bar on stderr, on a terminal only; `show_count` adds the number of items."""
        columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}", markup=False)]
        columns += [BarColumn(), MofNCompleteColumn()] if show_count else []
        columns.append(TimeElapsedColumn())
        is_terminal = self.console.is_terminal
        with Progress(*columns, console=self.console, disable=not is_terminal, transient=True) as bar:
            yield bar
