"""The command `replay`."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import RenderableType
from scheduling.domain.views import format_timestamp

from scheduling_admin.commands import arguments
from scheduling_admin.errors import ExitStatus, add_error_hint
from scheduling_admin.output.report import CommandReport
from scheduling_admin.output.tables import Listing, render_sentence
from scheduling_admin.stack.dead_letters import DeadLetter
from scheduling_admin.stack.session import AdminSession

DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="List the dead letters and leave them in the queue.")
]


def replay(
    session: AdminSession, dry_run: DryRunOption = False, yes: arguments.YesOption = False
) -> CommandReport:
    """Deliver the occurrences of all dead letters again and delete the dead letters from the queue.

    An occurrence runs once more even if its attempts are used up, but not after a success, and not if its schedule
    is disabled or its rule has changed since. Dead letters that name no occurrence stay in the queue.
    """
    if dry_run:
        peek_result = session.dead_letter_queue.peek_messages()
        return _build_report(peek_result.messages, dry_run=True, reached_end=peek_result.reached_end)
    count = session.dead_letter_queue.estimate_message_count()
    if count:
        session.confirm(f"Deliver about {_format_dead_letter_count(count)} again?", yes=yes)
    return _build_report(_replay_dead_letters(session, count), dry_run=False, reached_end=True)


def _replay_dead_letters(session: AdminSession, count: int) -> list[DeadLetter]:
    dead_letters: list[DeadLetter] = []
    hint = "Delivered dead letters are deleted from the queue; run the same command again to continue with the rest."
    with add_error_hint(hint), session.show_progress() as bar:
        task = bar.add_task("Delivering", total=count)
        for dead_letter in session.dead_letter_queue.replay_dead_letters(session.deliver):
            dead_letters.append(dead_letter)
            bar.advance(task)
    return dead_letters


def _build_report(dead_letters: Sequence[DeadLetter], *, dry_run: bool, reached_end: bool) -> CommandReport:
    remaining = [dead_letter for dead_letter in dead_letters if dead_letter.fire is None]
    document = {
        "dryRun": dry_run,
        "delivered": 0 if dry_run else len(dead_letters) - len(remaining),
        "remaining": len(dead_letters) if dry_run else len(remaining),
        "reachedEnd": reached_end,
        "deadLetters": [_dead_letter_fields(dead_letter) for dead_letter in dead_letters],
    }
    renderables = _render_dead_letters(dead_letters, remaining, dry_run=dry_run, reached_end=reached_end)
    return CommandReport(document, renderables, ExitStatus.NEEDS_ATTENTION if remaining else ExitStatus.OK)


def _dead_letter_fields(dead_letter: DeadLetter) -> dict[str, object]:
    fire = dead_letter.fire
    return {
        "messageId": dead_letter.message_id,
        "sentAt": format_timestamp(dead_letter.sent_at),
        "installId": fire.install_id if fire else None,
        "scheduleId": fire.schedule_id if fire else None,
        "scheduledTime": fire.scheduled_time if fire else None,
        "reason": dead_letter.reason,
    }


def _render_dead_letters(
    dead_letters: Sequence[DeadLetter], remaining: Sequence[DeadLetter], *, dry_run: bool, reached_end: bool
) -> list[RenderableType]:
    if not dead_letters:
        return [render_sentence("There are no dead letters.")]
    delivered_count = len(dead_letters) - len(remaining)
    verb = "would be delivered again" if dry_run else "delivered again"
    renderables: list[RenderableType] = [
        _build_table(dead_letters),
        render_sentence(
            f"\n{_format_dead_letter_count(delivered_count)} {verb}.", "green" if delivered_count else ""
        ),
    ]
    if remaining:
        verb = "names no occurrence and stays" if len(remaining) == 1 else "name no occurrence and stay"
        renderables.append(
            render_sentence(f"{_format_dead_letter_count(len(remaining))} {verb} in the queue.", "red")
        )
    if not reached_end:
        renderables.append(render_sentence("There are more dead letters than these.", "yellow"))
    return renderables


def _build_table(dead_letters: Sequence[DeadLetter]) -> Listing:
    columns = ("Schedule", "Install", "Scheduled time", "Sent at", "Reason")
    return Listing(columns, [_build_row(dead_letter) for dead_letter in dead_letters])


def _build_row(dead_letter: DeadLetter) -> tuple[object, ...]:
    fire, sent_at = dead_letter.fire, format_timestamp(dead_letter.sent_at)
    if fire is None:
        return "(none named)", None, None, sent_at, dead_letter.reason
    return fire.schedule_id, fire.install_id, fire.scheduled_time, sent_at, dead_letter.reason


def _format_dead_letter_count(count: int) -> str:
    return f"{count} dead letter{'' if count == 1 else 's'}"
