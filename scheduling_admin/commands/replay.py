"""The command that delivers dead letters again."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import RenderableType

from scheduling_admin.commands import arguments
from scheduling_admin.errors import Exit, leaving
from scheduling_admin.output.report import Report
from scheduling_admin.output.tables import Listing, sentence
from scheduling_admin.output.times import instant
from scheduling_admin.stack.dead_letters import Letter
from scheduling_admin.stack.session import Operator

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the letters, and leave them where they are.")]


def replay(operator: Operator, dry_run: DryRun = False, yes: arguments.Yes = False) -> Report:
    """Deliver the occurrences of all dead letters again, and take the letters out of their queue.

    An occurrence is run once more although its attempts are used up, but never after a success, and not if its
    schedule is disabled or its rule has changed since. Letters that name no occurrence stay.
    """
    if dry_run:
        look = operator.letters.look()
        return _report(look.letters, dry_run=True, all_seen=look.all_seen)
    count = operator.letters.count()
    if count:
        operator.confirm(f"Deliver about {_letters(count)} again?", yes=yes)
    return _report(_replayed(operator, count), dry_run=False, all_seen=True)


def _replayed(operator: Operator, count: int) -> list[Letter]:
    done: list[Letter] = []
    with (
        leaving(
            "The letters that were delivered are gone from the queue; the same command goes on with the rest."
        ),
        operator.progress() as bar,
    ):
        task = bar.add_task("Delivering", total=count)
        for letter in operator.letters.replay(operator.deliver):
            done.append(letter)
            bar.advance(task)
    return done


def _report(letters: Sequence[Letter], *, dry_run: bool, all_seen: bool) -> Report:
    kept = [letter for letter in letters if letter.fire is None]
    document = {
        "dryRun": dry_run,
        "delivered": 0 if dry_run else len(letters) - len(kept),
        "kept": len(letters) if dry_run else len(kept),
        "allSeen": all_seen,
        "letters": [_fields(letter) for letter in letters],
    }
    shown = _shown(letters, kept, dry_run=dry_run, all_seen=all_seen)
    return Report(document, shown, Exit.WRONG if kept else Exit.OK)


def _fields(letter: Letter) -> dict[str, object]:
    fire = letter.fire
    return {
        "messageId": letter.id,
        "sentAt": instant(letter.sent_at),
        "installId": fire.install_id if fire else None,
        "scheduleId": fire.schedule_id if fire else None,
        "scheduledTime": fire.scheduled_time if fire else None,
        "reason": letter.reason,
    }


def _shown(
    letters: Sequence[Letter], kept: Sequence[Letter], *, dry_run: bool, all_seen: bool
) -> list[RenderableType]:
    if not letters:
        return [sentence("There are no dead letters.")]
    named = len(letters) - len(kept)
    told = (
        f"{_letters(named)} would be delivered again." if dry_run else f"{_letters(named)} delivered again."
    )
    shown: list[RenderableType] = [_table(letters), sentence(f"\n{told}", "green" if named else "")]
    if kept:
        told = "names no occurrence, and stays" if len(kept) == 1 else "name no occurrence, and stay"
        shown.append(sentence(f"{_letters(len(kept))} {told} in the queue.", "red"))
    if not all_seen:
        shown.append(sentence("There are more letters than these.", "yellow"))
    return shown


def _table(letters: Sequence[Letter]) -> Listing:
    columns = ("Schedule", "Install", "Scheduled time", "Dead since", "Reason")
    return Listing(columns, [_row(letter) for letter in letters])


def _row(letter: Letter) -> tuple[object, ...]:
    fire = letter.fire
    if fire is None:
        return "(none named)", None, None, instant(letter.sent_at), letter.reason
    return fire.schedule_id, fire.install_id, fire.scheduled_time, instant(letter.sent_at), letter.reason


def _letters(count: int) -> str:
    return f"{count} letter{'' if count == 1 else 's'}"
