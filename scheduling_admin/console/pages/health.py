"""The health of the stack, as the command `status` has it, with its failures by reason."""

from collections.abc import Mapping, Sequence

import htpy as h
from htpy import Node

from scheduling_admin.console.links import schedule_path
from scheduling_admin.console.pages.layout import render_facts, render_notice, text
from scheduling_admin.console.times import format_moment
from scheduling_admin.errors import AdminError
from scheduling_admin.health.model import StackHealth
from scheduling_admin.health.rendering import ONLY_BY_SWEEP
from scheduling_admin.output.times import format_duration
from scheduling_admin.queries.views import ScheduleView

MAX_FAILING = 100
_SHOWN_PER_REASON = 5


def render_health_placeholder() -> Node:
    """Render what reads the health once the page is there: the search does not wait for it."""
    return h.section(
        {"hx-get": "/status?part=1", "hx-trigger": "load", "hx-swap": "outerHTML"}, class_="health loading"
    )[h.h2["Health"], h.p(".muted")[h.a(href="/status")["Show the health of the stack"]]]


def render_health(health: StackHealth | AdminError, failing: Sequence[ScheduleView] | AdminError) -> Node:
    """Render what is wrong, then what the stack does."""
    return h.section(".health", aria_label="Health")[
        h.h2["Health"],
        render_notice(str(health), "error") if isinstance(health, AdminError) else _render_health(health),
        _render_failing(failing),
    ]


def _render_health(health: StackHealth) -> Node:
    return [
        (h.p(".notice.error")[h.strong[text(each.text)], " ", text(each.advice)] for each in health.problems)
        if health.problems
        else h.p(".notice.good")["Nothing is wrong. ", ONLY_BY_SWEEP],
        h.div(".columns")[
            h.div(".card")[h.h3["Deliveries"], render_facts(_list_deliveries(health))],
            h.div(".card")[h.h3["Queue and changes"], render_facts(_list_queue(health))],
            h.div(".card")[h.h3["Dead letters by reason"], _render_dead_letters(health)],
        ],
    ]


def _list_deliveries(health: StackHealth) -> list[tuple[str, Node]]:
    metrics = health.metrics
    if metrics is None:
        return [("Metrics", text(health.metrics_problem or "not available"))]
    return [
        ("Ended in the last hour", f"{metrics.finished:,}"),
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
    return h.ul[
        (
            h.li[f"{group.count:,} since {format_moment(group.oldest_sent_at)}: ", text(group.reason)]
            for group in health.dead_letters.groups
        )
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
        h.h2[f"{len(failing)} failing or waiting, by reason"],
        h.ul(".groups")[
            (
                h.li[h.strong[f"{len(views)} x ", text(reason[:300])], _render_names(views)]
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
