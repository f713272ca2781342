"""The command `replay`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

import typer
from rich.console import RenderableType
from scheduling.domain.errors import ServiceError, Unavailable
from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Fire, Run, RunStatus

from scheduling_admin.commands import arguments
from scheduling_admin.commands.dead_letter_tables import (
    build_dead_letters_table,
    dead_letter_fields,
    format_dead_letter_count,
    outcome_fields,
    render_outcomes,
    render_problems,
)
from scheduling_admin.errors import ExitStatus, add_error_hint
from scheduling_admin.output.report import CommandReport
from scheduling_admin.output.tables import render_sentence
from scheduling_admin.output.times import parse_occurrence_time
from scheduling_admin.queries.outcomes import read_run, wait_for_outcomes
from scheduling_admin.stack.dead_letters import DeadLetter
from scheduling_admin.stack.session import AdminSession

DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="List the dead letters and leave them in the queue.")
]
DropOption = Annotated[
    bool, typer.Option("--drop", help="Delete those that name no occurrence, and deliver none.")
]
OlderThanOption = Annotated[
    int,
    typer.Option(
        "--older-than", min=0, metavar="HOURS", help="Only those sent so many hours ago or earlier."
    ),
]


def parse_occurrence_option(text: str) -> str:
    """Parse the time of an occurrence, in UTC unless it has an offset, into the form that dead letters have.

    Raises:
        typer.BadParameter: The text is not a time.
    """
    try:
        return parse_occurrence_time(text, "UTC").scheduled_time
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time such as 2026-11-23T09:00:00Z") from None


OccurrenceOption = Annotated[
    str | None,
    typer.Option(
        "--occurrence",
        parser=parse_occurrence_option,
        metavar="TIME",
        help="Only the occurrence of this scheduled time, in UTC, such as 2026-11-23T09:00:00Z.",
    ),
]
ReasonOption = Annotated[
    str | None, typer.Option("--reason", help="Only those whose reason contains this text, in any case.")
]


def replay(
    session: AdminSession,
    install: arguments.InstallOption = None,
    tenant: arguments.TenantOption = None,
    schedule: arguments.ScheduleOption = None,
    occurrence: OccurrenceOption = None,
    reason: ReasonOption = None,
    older_than: OlderThanOption = 0,
    dry_run: DryRunOption = False,
    drop: DropOption = False,
    wait: arguments.WaitOption = False,
    timeout: arguments.TimeoutOption = 300,
    yes: arguments.YesOption = False,
) -> CommandReport:
    """Send the occurrences of dead letters to the queue again and delete the dead letters.

    An occurrence runs once more even if its attempts are used up, but not after a success, and not if its schedule
    is disabled or its rule has no such time any more. Dead letters that name no occurrence stay in the queue, until
    they are deleted by --drop.
    """
    # By the queue's clock, which is the machine's in a local stack, too.
    sent_before = datetime.now(UTC) - timedelta(hours=older_than) if older_than else None
    selection = _Selection(_Groups(session), install, tenant, schedule, occurrence, reason, sent_before)
    if drop:
        return _drop_dead_letters(session, selection, dry_run=dry_run, yes=yes)
    if dry_run:
        peek_result = session.dead_letter_queues.peek_messages()
        selected = list(filter(selection.includes, peek_result.messages))
        return _build_report(selected, selection, dry_run=True, reached_end=peek_result.reached_end)
    count = session.dead_letter_queues.estimate_message_count()
    if count:
        subject = "the selected ones of about" if selection.is_partial else "about"
        session.confirm(f"Deliver {subject} {format_dead_letter_count(count)} again?", yes=yes)
    earlier_runs: dict[Fire, Run | None] | None = {} if wait else None
    replayed = _replay_dead_letters(session, selection, count, earlier_runs)
    report = _build_report(replayed, selection, dry_run=False, reached_end=True)
    if earlier_runs is None:
        return report
    return _add_outcomes(report, _wait_for_outcomes(session, earlier_runs, timeout))


class _Groups:
    """The group in which each occurrence is sent: the tenant of its install, which is read once."""

    def __init__(self, session: AdminSession) -> None:
        self._installs = session.services.installs
        self._tenants: dict[InstallId, str | None] = {}

    def find_group(self, dead_letter: DeadLetter) -> str | None:
        """Return the tenant; without one that can be read, the group of the message, if it has one."""
        if dead_letter.fire is None:
            return dead_letter.group
        install_id = dead_letter.fire.install_id
        if install_id not in self._tenants:
            self._tenants[install_id] = self._read_tenant(install_id)
        return self._tenants[install_id] or dead_letter.group

    def _read_tenant(self, install_id: InstallId) -> str | None:
        try:
            install = self._installs.read_install(install_id)
        except Unavailable:
            raise
        except ServiceError:  # the executor records that the install cannot be read
            return None
        return install.tenant_id if install else None


@dataclass(frozen=True)
class _Selection:
    """The dead letters that a command is about."""

    groups: _Groups
    install: str | None
    tenant: str | None
    schedule: str | None
    occurrence: str | None
    reason: str | None
    sent_before: datetime | None

    @property
    def is_partial(self) -> bool:
        return any((self.install, self.tenant, self.schedule, self.occurrence, self.reason, self.sent_before))

    def includes(self, dead_letter: DeadLetter) -> bool:
        """Return whether a dead letter is selected; one that names no occurrence has only a reason."""
        fire = dead_letter.fire
        return (
            (self.sent_before is None or dead_letter.sent_at <= self.sent_before)
            and (self.install is None or (fire is not None and fire.install_id == self.install))
            and (self.schedule is None or (fire is not None and fire.schedule_id == self.schedule))
            and (self.occurrence is None or (fire is not None and fire.scheduled_time == self.occurrence))
            and (
                self.reason is None
                or self.reason.lower() in (dead_letter.reason or dead_letter.problem or "").lower()
            )
            and (self.tenant is None or self.groups.find_group(dead_letter) == self.tenant)
        )


def _replay_dead_letters(
    session: AdminSession, selection: _Selection, count: int, earlier_runs: dict[Fire, Run | None] | None
) -> list[DeadLetter]:
    """Replay the selected dead letters; add the run that each occurrence has before that to `earlier_runs`."""
    replayed: list[DeadLetter] = []

    def deliver(dead_letter: DeadLetter) -> None:
        """Send the occurrence to the queue; one whose install is gone, too, since the executor deletes it."""
        if fire := dead_letter.fire:
            if earlier_runs is not None:
                earlier_runs[fire] = read_run(session.services, fire)
            session.deliver(fire, selection.groups.find_group(dead_letter) or fire.install_id)

    hint = "Delivered dead letters are deleted from the queue; run the same command again to continue with the rest."
    with add_error_hint(hint), session.show_progress() as bar:
        task = bar.add_task("Delivering", total=count)
        for each in session.dead_letter_queues.replay_dead_letters(selection.includes, deliver):
            replayed.append(each)
            bar.advance(task)
    return replayed


def _drop_dead_letters(
    session: AdminSession, selection: _Selection, *, dry_run: bool, yes: bool
) -> CommandReport:
    """Delete the selected dead letters that name no occurrence, or list them, with their ids and bodies."""
    peek_result = session.dead_letter_queues.peek_messages()
    found = [each for each in peek_result.messages if each.fire is None and selection.includes(each)]
    if found and not dry_run:
        question = f"Delete {format_dead_letter_count(len(found))} that name no occurrence, for good?"
        session.confirm(question, yes=yes)
        ids = {each.message_id for each in found}
        found = list(session.dead_letter_queues.drop_dead_letters(lambda each: each.message_id in ids))
    document = {
        "dryRun": dry_run,
        "deleted": 0 if dry_run else len(found),
        "reachedEnd": peek_result.reached_end,
        "deadLetters": [dead_letter_fields(each) for each in found],
    }
    if not found:
        return CommandReport(
            document, [render_sentence("There are no dead letters that name no occurrence.")]
        )
    verb = "would be deleted" if dry_run else "deleted"
    text = f"{format_dead_letter_count(len(found))} {verb}."
    return CommandReport(document, [*render_problems(found), render_sentence(text)])


def _build_report(
    selected: Sequence[DeadLetter], selection: _Selection, *, dry_run: bool, reached_end: bool
) -> CommandReport:
    problems = [each for each in selected if each.problem]
    document = {
        "dryRun": dry_run,
        "delivered": 0 if dry_run else len(selected) - len(problems),
        "remaining": len(selected) if dry_run else len(problems),
        "reachedEnd": reached_end,
        "deadLetters": [dead_letter_fields(each) for each in selected],
        "outcomes": None,
    }
    renderables = (
        _render_dead_letters(selected, problems, dry_run=dry_run)
        if selected
        else [render_sentence(f"There are no {'such ' if selection.is_partial else ''}dead letters.")]
    )
    if not reached_end:
        renderables.append(render_sentence("There are more dead letters than were read.", "yellow"))
    return CommandReport(document, renderables, ExitStatus.NEEDS_ATTENTION if problems else ExitStatus.OK)


def _wait_for_outcomes(
    session: AdminSession, earlier_runs: Mapping[Fire, Run | None], timeout: int
) -> Mapping[Fire, Run | None]:
    with session.show_progress() as bar:
        task = bar.add_task("Waiting for the runs", total=len(earlier_runs))
        return wait_for_outcomes(session.services, earlier_runs, timeout, partial(bar.advance, task))


def _add_outcomes(report: CommandReport, outcomes: Mapping[Fire, Run | None]) -> CommandReport:
    succeeded = all(run is not None and run.status is RunStatus.SUCCESS for run in outcomes.values())
    return CommandReport(
        {**report.document, "outcomes": [outcome_fields(*item) for item in outcomes.items()]},
        [*report.renderables, render_sentence(""), *render_outcomes(outcomes)]
        if outcomes
        else report.renderables,
        report.exit_status if succeeded else ExitStatus.NEEDS_ATTENTION,
    )


def _render_dead_letters(
    selected: Sequence[DeadLetter], problems: Sequence[DeadLetter], *, dry_run: bool
) -> list[RenderableType]:
    delivered_count = len(selected) - len(problems)
    verb = "would be delivered again" if dry_run else "delivered again"
    renderables: list[RenderableType] = [
        build_dead_letters_table(selected),
        render_sentence(
            f"\n{format_dead_letter_count(delivered_count)} {verb}.", "green" if delivered_count else ""
        ),
    ]
    if problems:
        verb = "stays" if len(problems) == 1 else "stay"
        renderables.append(
            render_sentence(f"{format_dead_letter_count(len(problems))} {verb} in the queue:", "red")
        )
        renderables += render_problems(problems)
        renderables.append(render_sentence("To delete them: scheduling-admin replay --drop", "cyan"))
    return renderables
