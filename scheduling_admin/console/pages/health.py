"""The health of the stack, as the command `status` has it, with its failures by reason."""

from collections.abc import Iterator, Mapping, Sequence

import htpy as h
from htpy import Node
from scheduling.domain.audit.finds import ScheduleFind

from scheduling_admin.console.links import install_link, schedule_path, tenant_link
from scheduling_admin.console.pages.layout import (
    clean,
    render_advice,
    render_chip,
    render_facts,
    render_notice,
    text,
)
from scheduling_admin.console.times import format_moment
from scheduling_admin.errors import AdminError
from scheduling_admin.health.model import StackHealth
from scheduling_admin.health.rendering import ONLY_BY_SWEEP
from scheduling_admin.output.finds import list_difference_lines
from scheduling_admin.output.times import format_duration
from scheduling_admin.queries.views import ScheduleView

MAX_FAILING = 100
_SHOWN_PER_REASON = 5
_MAX_STOPPED = 10


def render_health_placeholder() -> Node:
    """Render what reads the health once the page is there: the search does not wait for it.

    It has the height of the line that replaces it, so that nothing moves.
    """
    return h.section(
        {"hx-get": "/status?part=1", "hx-trigger": "load", "hx-swap": "outerHTML"},
        class_="health loading",
        aria_label="Health",
    )[h.p(".health-line")[h.a(href="/status")["Show the health of the stack"]]]


def render_health(
    health: StackHealth | AdminError, failing: Sequence[ScheduleView] | AdminError, *, is_open: bool
) -> Node:
    """Render in one line whether anything is wrong; opened, what is wrong and what the stack does."""
    return h.section(".health", aria_label="Health")[
        h.details(open=is_open)[
            h.summary(".health-line")[_render_line(health)],
            render_notice(str(health), "error") if isinstance(health, AdminError) else _render_health(health),
            _render_failing(failing),
        ]
    ]


def _render_line(health: StackHealth | AdminError) -> Node:
    if isinstance(health, AdminError):
        return [render_chip("unknown", "bad"), h.span(".health-text")["The health cannot be read."]]
    if not health.problems:
        metrics = health.metrics
        ended = f" Occurrences that ended in the last hour: {metrics.finished:,}." if metrics else ""
        return [render_chip("healthy", "on"), h.span(".health-text")[f"Nothing is wrong.{ended}"]]
    first, count = health.problems[0], len(health.problems)
    return [
        render_chip("1 problem" if count == 1 else f"{count} problems", "bad"),
        h.span(".health-text")[text(first.text)],
        h.span(".health-more")[f"and {count - 1} more"] if count > 1 else None,
    ]


def _render_health(health: StackHealth) -> Node:
    return [
        h.ul(".problems")[
            (
                h.li(data_code=each.code)[h.strong[text(each.text)], " ", render_advice(each.advice)]
                for each in health.problems
            )
        ]
        if health.problems
        else h.p(".muted")[ONLY_BY_SWEEP],
        h.div(".columns")[
            h.div(".card")[h.h3["Deliveries in the last hour"], render_facts(_list_deliveries(health))],
            h.div(".card")[h.h3["Queue and changes"], render_facts(_list_queue(health))],
            h.div(".card")[h.h3["Dead letters by reason"], _render_dead_letters(health)],
            *_list_stopped_cards(health),
        ],
    ]


def _list_stopped_cards(health: StackHealth) -> Iterator[Node]:
    """Yield what somebody has stopped, and the timers that the sweep has repaired, if there are any."""
    stopped = [
        *(("Tenant paused", each, tenant_link(each.id)) for each in health.paused_tenants.items),
        *(("Install disabled", each, install_link(each.id)) for each in health.disabled_installs.items),
        *(("Not granted", each, install_link(each.id)) for each in health.ungranted_installs.items),
    ]
    if stopped:
        lists = (health.paused_tenants, health.disabled_installs, health.ungranted_installs)
        yield h.div(".card")[
            h.h3["Stopped"],
            _render_list(
                [
                    [
                        f"{label}: ",
                        h.a(href=url)[text(each.id)],
                        h.span(".sub")[
                            f"since {format_moment(each.since) if each.since else 'an unknown time'}"
                        ],
                    ]
                    for label, each, url in stopped
                ],
                complete=all(each.complete for each in lists),
            ),
        ]
    if health.sweep and (repaired := health.sweep.schedules.items):
        yield h.div(".card")[
            h.h3["Timers that the sweep repaired"],
            _render_list(list(map(_render_find, repaired)), complete=health.sweep.schedules.complete),
        ]


def _render_find(each: ScheduleFind) -> Node:
    definition = each.schedule.definition
    return [
        h.a(href=schedule_path(each.install.id, each.schedule.id))[
            text(definition.name or definition.endpoint)
        ],
        ": ",
        text(", ".join(list_difference_lines(each.find.differences))),
        h.span(".sub")[format_moment(each.find.time)],
    ]


def _render_list(items: Sequence[Node], *, complete: bool) -> Node:
    more = len(items) - _MAX_STOPPED
    note = f"and {more} more" if complete else f"and at least {more} more"
    return [
        h.ul(".groups")[(h.li[each] for each in items[:_MAX_STOPPED])],
        h.p(".muted")[note] if more > 0 else None,
    ]


def _list_deliveries(health: StackHealth) -> list[tuple[str, Node]]:
    metrics = health.metrics
    if metrics is None:
        return [("Metrics", text(health.metrics_problem or "not available"))]
    return [
        ("Ended", f"{metrics.finished:,}"),
        ("Failed for good", f"{metrics.failed:,}"),
        ("Runner's responses", _join_counts(metrics.responses)),
        ("Waiting", _join_counts(metrics.waiting)),
        (
            "Latest delivery",
            "" if metrics.max_lateness is None else f"{format_duration(metrics.max_lateness)} late",
        ),
    ]


def _list_queue(health: StackHealth) -> list[tuple[str, Node]]:
    queue, pending, sweep = health.queue, health.pending, health.sweep
    oldest = f", the oldest: {pending.oldest}" if pending.oldest else ""
    finds = _join_counts(sweep.finds) if sweep else ""
    return [
        ("Occurrences", f"{queue.ready:,} ready, {queue.running:,} running, {queue.delayed:,} delayed"),
        ("Pending changes", text(f"{pending.count:,}{oldest}")),
        ("Unpublished changes", f"{health.unpublished:,}"),
        ("Last sweep", format_moment(sweep.started_at) if sweep and sweep.started_at else "none yet"),
        ("It repaired", finds or "nothing"),
    ]


def _join_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} x {name}" for name, count in counts.items() if count) or "none"


def _render_dead_letters(health: StackHealth) -> Node:
    if not health.dead_letters.groups:
        return h.p(".muted")["There are none."]
    more = "" if health.dead_letters.complete else "There are more than these."
    return [
        h.ul(".groups")[
            (
                h.li[
                    h.strong[f"{group.count:,} x "],
                    h.span(".clamped", title=clean(group.reason))[text(group.reason)],
                    h.span(".sub")[f"since {format_moment(group.oldest_sent_at)}"],
                ]
                for group in health.dead_letters.groups
            )
        ],
        h.p(".muted")[more] if more else None,
    ]


def _render_failing(failing: Sequence[ScheduleView] | AdminError) -> Node:
    """Render the schedules that fail or wait, by the error of their last run."""
    if isinstance(failing, AdminError):
        return render_notice(str(failing), "error")
    groups: dict[str, list[ScheduleView]] = {}
    for view in failing:
        last_run = view.schedule.last_run
        groups.setdefault((last_run.error if last_run else None) or "waiting", []).append(view)
    if not groups:
        return None
    return h.section(".card", aria_label="Failing schedules")[
        h.h3[
            f"{len(failing)}{' or more' if len(failing) >= MAX_FAILING else ''} failing or waiting, by reason"
        ],
        h.ul(".groups")[
            (
                h.li[
                    h.strong[f"{len(views)} x "],
                    h.span(".clamped", title=clean(reason))[text(reason)],
                    _render_names(views),
                ]
                for reason, views in sorted(groups.items(), key=lambda item: -len(item[1]))
            )
        ],
    ]


def _render_names(views: Sequence[ScheduleView]) -> Node:
    more = len(views) - _SHOWN_PER_REASON
    return h.span(".sub")[
        (
            [
                h.a(href=schedule_path(view.install.id, view.schedule.id))[
                    text(view.schedule.definition.name or view.schedule.definition.endpoint)
                ],
                f" ({view.schedule.consecutive_failures}) ",
            ]
            for view in views[:_SHOWN_PER_REASON]
        ),
        h.a(href="/?state=failing")[f"and {more} more"] if more > 0 else None,
    ]
