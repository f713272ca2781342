"""The timeline of a tenant or of an install: a lane for each schedule, loaded as it comes into view."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby

import htpy as h
from htpy import Node
from scheduling.domain.cron.description import describe_rule
from scheduling.domain.cron.rule import parse_rule
from scheduling.domain.errors import InvalidCron
from scheduling.domain.install import Install
from scheduling.domain.runs import RunStatus
from scheduling.domain.schedule import Schedule

from scheduling_admin.console.links import (
    action_link,
    install_link,
    link,
    occurrence_link,
    schedule_path,
    window_parameters,
)
from scheduling_admin.console.pages.layout import clean, render_chip, render_notice, text
from scheduling_admin.console.reads import SchedulePage
from scheduling_admin.console.svg.axis import render_axis
from scheduling_admin.console.svg.lane import render_lane
from scheduling_admin.console.svg.symbols import render_icon
from scheduling_admin.console.timeline.gaps import GapCause
from scheduling_admin.console.timeline.lanes import Lane
from scheduling_admin.console.timeline.marks import MarkKind
from scheduling_admin.console.timeline.window import SPANS, TimeWindow
from scheduling_admin.console.times import format_moment, localize
from scheduling_admin.status import evaluate_firing_status

Pair = tuple[Install, Schedule]


def render_timeline(
    page: SchedulePage,
    window: TimeWindow,
    base_url: str,
    base_parameters: Mapping[str, str],
    lanes: Mapping[str, Lane] | None = None,
    *,
    shows_installs: bool = False,
) -> Node:
    """Render the lanes; those in `lanes` at once, the others as they come into view."""
    inline_url = link(base_url, **base_parameters, **window_parameters(window), inline="1")
    return h.section(".timeline", aria_label="Timeline")[
        render_controls(window, base_url, base_parameters),
        h.noscript[h.p(".notice.info")[h.a(href=inline_url)["Show all lanes"], ", which takes longer."]]
        if lanes is None
        else None,
        h.div(".scroller", tabindex="0", role="region", aria_label="Lanes")[
            h.div(".lanes")[
                h.div(".lane.axis")[h.div(".lane-head"), h.div(".lane-body")[render_axis(window, localize)]],
                _render_groups(page.pairs, window, lanes or {}, shows_installs=shows_installs),
                None if page.pairs else h.p(".no-lanes.muted")["There are no schedules here."],
            ]
        ],
        render_legend(),
        _render_more(page, base_url, base_parameters, window),
        (render_notice(f"Left out: {each}.") for each in page.left_out),
    ]


def _render_groups(
    pairs: Sequence[Pair], window: TimeWindow, lanes: Mapping[str, Lane], *, shows_installs: bool
) -> Node:
    return [
        [
            _render_install_heading(install, len(group)) if shows_installs else None,
            (_render_lane_or_placeholder(pair, window, lanes.get(pair[1].id)) for pair in group),
        ]
        for install, members in groupby(pairs, key=lambda pair: pair[0])
        if (group := list(members))
    ]


def _render_install_heading(install: Install, count: int) -> Node:
    name = f"{install.extension_name or install.registry_id} {install.extension_version or ''}".strip()
    return h.div(".lane-group")[
        h.a(href=install_link(install.id))[text(name)],
        h.span(".muted")[f"{install.id} · {count} schedule{'' if count == 1 else 's'}"],
    ]


def _render_lane_or_placeholder(pair: Pair, window: TimeWindow, lane: Lane | None) -> Node:
    if lane:
        return render_lane_row(lane)
    install, schedule = pair
    url = link(schedule_path(install.id, schedule.id, "lane"), **window_parameters(window))
    return h.div(
        {"hx-get": url, "hx-trigger": "intersect once, refresh", "hx-swap": "outerHTML"},
        class_="lane loading",
        id=f"lane-{schedule.id}",
    )[
        render_lane_head(install, schedule),
        h.div(".lane-body")[h.span(".skeleton")],
    ]


def render_lane_row(lane: Lane) -> Node:
    """Render a lane, which reads itself again when the page asks it to."""
    install, schedule = lane.install, lane.schedule
    name = schedule_label(schedule)
    url = link(schedule_path(install.id, schedule.id, "lane"), **window_parameters(lane.window))
    return h.div(
        {"hx-get": url, "hx-trigger": "refresh", "hx-swap": "outerHTML"},
        class_="lane",
        id=f"lane-{schedule.id}",
    )[
        render_lane_head(install, schedule, lane),
        h.div(".lane-body")[
            render_lane(
                lane,
                f"{name}: {describe_counts(lane)}",
                lambda mark: occurrence_link(install.id, schedule.id, mark.scheduled_time),
                format_moment,
            )
        ],
    ]


def schedule_label(schedule: Schedule) -> str:
    """Return what a schedule is called: its name, or else its endpoint."""
    return clean(schedule.definition.name or schedule.definition.endpoint)


@lru_cache(maxsize=4096)
def describe_rule_text(cron: str, timezone: str) -> str:
    """Return the rule in words, or as it is if it cannot be read; many schedules share a rule."""
    try:
        return describe_rule(parse_rule(cron), timezone)
    except InvalidCron:
        return cron


def describe_counts(lane: Lane) -> str:
    """Return how many occurrences of each outcome a lane has."""
    counts = [(kind, len(lane.list_marks(kind))) for kind in reversed(MarkKind)]
    return ", ".join(f"{count} {kind.label}" for kind, count in counts if count) or "nothing in this time"


def render_lane_head(install: Install, schedule: Schedule, lane: Lane | None = None) -> Node:
    """Render what a schedule is, beside its lane."""
    definition = schedule.definition
    rule = describe_rule_text(definition.cron, definition.timezone)
    return h.div(".lane-head")[
        h.a(
            ".lane-name",
            href=schedule_path(install.id, schedule.id),
            title=clean(definition.name or definition.endpoint),
        )[text(definition.name or definition.endpoint)],
        render_state_chip(install, schedule, lane),
        h.span(".lane-rule", title=clean(f"{definition.cron} in {definition.timezone}: {rule}"))[text(rule)],
    ]


def render_state_chip(install: Install, schedule: Schedule, lane: Lane | None = None) -> Node:
    """Render whether the schedule fires."""
    if schedule.completed:
        return render_chip("done", "info", "Its only time has passed, and its occurrence is finished")
    blockers = evaluate_firing_status(install, schedule).blockers
    if blockers:
        return render_chip("off", "off", "; ".join(map(clean, blockers)))
    if lane and lane.timer.missing:
        return render_chip("no timer", "bad", "EventBridge has no timer for the schedule")
    if (chip := _render_trouble_chip(schedule)) is not None:
        return chip
    if schedule.pending:
        return render_chip("pending", "warn", "EventBridge does not have the newest change yet")
    if lane and lane.timer.differences:
        return render_chip("drift", "warn", " ".join(map(clean, lane.timer.differences)))
    if lane and lane.timer.problem:
        return render_chip("timer?", "warn", clean(lane.timer.problem))
    return render_chip("on", "on", "It fires")


def _render_trouble_chip(schedule: Schedule) -> Node:
    """Render that it fails or waits; the runner's failures count, but not as those of the extension."""
    if count := schedule.consecutive_failures:
        return render_chip(f"{count} failed", "bad", f"{count} in a row failed")
    if schedule.waiting:
        return render_chip("waiting", "warn", "An occurrence waits")
    if schedule.last_run and schedule.last_run.status == RunStatus.ERROR:
        return render_chip("failed", "bad", "Its last occurrence failed")
    return None


def render_controls(window: TimeWindow, base_url: str, base_parameters: Mapping[str, str]) -> Node:
    """Render the links to other spans and times."""

    def url_of(each: TimeWindow) -> str:
        return link(base_url, **base_parameters, **window_parameters(each))

    present = TimeWindow(window.span_name, window.now, window.now)
    return h.div(".controls")[
        h.div(".segmented", role="group", aria_label="Span")[
            (
                h.a(
                    href=url_of(window.zoomed(name)),
                    aria_current="true" if name == window.span_name else None,
                    title=f"{name} before and after",
                )[f"±{name}"]
                for name in SPANS
            )
        ],
        h.div(".segmented", role="group", aria_label="Time")[
            h.a(href=url_of(window.shifted(-1)), aria_label="Earlier", data_key="ArrowLeft")["←"],
            h.a(href=url_of(present), aria_current="true" if window.is_centered_now else None)["now"],
            h.a(href=url_of(window.shifted(1)), aria_label="Later", data_key="ArrowRight")["→"],
        ],
        h.span(".muted")[f"{format_moment(window.start)} to {format_moment(window.end)}, your time"],
    ]


def render_legend() -> Node:
    """Render what the shapes and hatchings mean."""
    return h.details(".legend")[
        h.summary["Legend"],
        h.ul[
            (h.li[render_icon(kind), kind.label] for kind in MarkKind),
            (
                h.li[
                    h.svg(width="22", height="14", aria_hidden="true")[
                        h.rect(
                            class_=f"gap {cause.value}",
                            width="22",
                            height="14",
                            rx="3",
                            fill=f"url(#gap-{cause.value})",
                        )
                    ],
                    cause.label.lower(),
                ]
                for cause in GapCause
            ),
            h.li[
                "A line across below a mark: several occurrences. A line down: a manual run. "
                "A dotted line to the right: it started late, at the dot."
            ],
        ],
    ]


def _render_more(
    page: SchedulePage, base_url: str, base_parameters: Mapping[str, str], window: TimeWindow
) -> Node:
    if not page.next_cursor:
        return None
    url = link(base_url, **base_parameters, **window_parameters(window), cursor=page.next_cursor)
    return h.p(".more")[h.a(".button", href=url)["More schedules"]]


def render_tenant_actions(tenant_id: str, *, paused: bool) -> Node:
    """Render the action on a tenant."""
    if paused:
        return h.div(".actions")[
            h.a(".button.primary", href=action_link("resume", tenant=tenant_id))["Resume tenant"]
        ]
    return h.div(".actions")[
        h.a(".button.danger", href=action_link("pause", tenant=tenant_id))["Pause tenant"]
    ]


def render_install_actions(install: Install) -> Node:
    """Render the actions on an install."""
    name, label = ("disable", "Disable install") if install.enabled else ("enable", "Enable install")
    kind = ".danger" if install.enabled else ""
    return h.div(".actions")[
        h.a(f".button{kind}", href=action_link(name, install=install.id))[label],
        h.a(".button", href=action_link("replay", install=install.id))["Replay dead letters"],
    ]
