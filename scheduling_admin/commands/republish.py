"""The command `republish`."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import RenderableType
from scheduling.domain.views import format_timestamp

from scheduling_admin.commands import arguments
from scheduling_admin.errors import ExitStatus, add_error_hint
from scheduling_admin.output.report import CommandReport
from scheduling_admin.output.tables import Listing, render_sentence
from scheduling_admin.stack.session import AdminSession
from scheduling_admin.stack.unpublished import RepublishResult

DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="List the unpublished changes and leave them in the queue.")
]


def republish(
    session: AdminSession, dry_run: DryRunOption = False, yes: arguments.YesOption = False
) -> CommandReport:
    """Publish the changes again that the event bus did not accept for six hours.

    The queue of unpublished changes names batches of records in the table's stream, which keeps them for 24 hours.
    Listeners may receive some events twice, with the same id. Batches that the stream no longer has stay in the queue.
    """
    if dry_run:
        peek_result = session.unpublished_queue.peek_messages()
        results = [RepublishResult(batch, None) for batch in peek_result.messages]
        return _build_report(results, dry_run=True, reached_end=peek_result.reached_end)
    count = session.unpublished_queue.estimate_message_count()
    if count:
        session.confirm(f"Publish the changes of about {_format_batch_count(count)} again?", yes=yes)
    return _build_report(_republish_batches(session, count), dry_run=False, reached_end=True)


def _republish_batches(session: AdminSession, count: int) -> list[RepublishResult]:
    results: list[RepublishResult] = []
    hint = (
        "Published batches are deleted from the queue; run the same command again to continue with the rest."
    )
    with add_error_hint(hint), session.show_progress() as bar:
        task = bar.add_task("Publishing", total=count)
        for result in session.unpublished_queue.republish_batches(
            session.streams_client, session.publish_records
        ):
            results.append(result)
            bar.advance(task)
    return results


def _build_report(results: Sequence[RepublishResult], *, dry_run: bool, reached_end: bool) -> CommandReport:
    failed = [result for result in results if result.problem]
    document = {
        "dryRun": dry_run,
        "republished": 0 if dry_run else len(results) - len(failed),
        "remaining": len(results) if dry_run else len(failed),
        "reachedEnd": reached_end,
        "batches": [_result_fields(result) for result in results],
    }
    renderables = _render_results(results, failed, dry_run=dry_run, reached_end=reached_end)
    return CommandReport(document, renderables, ExitStatus.NEEDS_ATTENTION if failed else ExitStatus.OK)


def _result_fields(result: RepublishResult) -> dict[str, object]:
    stream_range = result.batch.stream_range
    return {
        "messageId": result.batch.message_id,
        "sentAt": format_timestamp(result.batch.sent_at),
        "shardId": stream_range.shard_id if stream_range else None,
        "firstSequenceNumber": stream_range.first_sequence_number if stream_range else None,
        "lastSequenceNumber": stream_range.last_sequence_number if stream_range else None,
        "firstChangeAt": stream_range.first_change_at if stream_range else None,
        "lastChangeAt": stream_range.last_change_at if stream_range else None,
        "recordCount": stream_range.record_count if stream_range else None,
        "problem": result.problem,
    }


def _render_results(
    results: Sequence[RepublishResult],
    failed: Sequence[RepublishResult],
    *,
    dry_run: bool,
    reached_end: bool,
) -> list[RenderableType]:
    if not results:
        return [render_sentence("There are no unpublished changes.")]
    republished_count = len(results) - len(failed)
    verb = "would be published again" if dry_run else "published again"
    renderables: list[RenderableType] = [
        _build_table(results),
        render_sentence(
            f"\n{_format_batch_count(republished_count)} {verb}.", "green" if republished_count else ""
        ),
    ]
    if failed:
        verb = "stays" if len(failed) == 1 else "stay"
        renderables.append(render_sentence(f"{_format_batch_count(len(failed))} {verb} in the queue.", "red"))
    if not reached_end:
        renderables.append(render_sentence("There are more batches than these.", "yellow"))
    return renderables


def _build_table(results: Sequence[RepublishResult]) -> Listing:
    columns = ("Sent at", "First change", "Last change", "Records", "Problem")
    return Listing(columns, [_build_row(result) for result in results])


def _build_row(result: RepublishResult) -> tuple[object, ...]:
    sent_at, stream_range = format_timestamp(result.batch.sent_at), result.batch.stream_range
    if stream_range is None:
        return sent_at, None, None, None, result.problem
    return (
        sent_at,
        stream_range.first_change_at,
        stream_range.last_change_at,
        stream_range.record_count,
        result.problem,
    )


def _format_batch_count(count: int) -> str:
    return f"{count} batch{'' if count == 1 else 'es'}"
