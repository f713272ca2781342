"""The marks and gaps of a lane, from rule, history, changes and state alone."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from scheduling.domain.audit.changes import KeptChange
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.install import SCHEDULER_MANAGE, Install
from scheduling.domain.runs import Run, RunStatus, Trigger, format_time
from scheduling.domain.schedule import Definition, Schedule

from scheduling_admin.console.svg.axis import list_ticks
from scheduling_admin.console.svg.lane import render_lane
from scheduling_admin.console.svg.strip import render_strip
from scheduling_admin.console.svg.symbols import render_icon
from scheduling_admin.console.timeline.changes import find_change_gaps
from scheduling_admin.console.timeline.gaps import Gap, GapCause
from scheduling_admin.console.timeline.lanes import History, Lane, TimerState, build_lane
from scheduling_admin.console.timeline.marks import Mark, MarkKind, cluster_marks, mark_from_run
from scheduling_admin.console.timeline.window import TimeWindow, parse_window

NOW = datetime.fromisoformat("2026-11-23T12:20:00Z")
WINDOW = TimeWindow("6h", NOW, NOW)
TIMER = TimerState(missing=False)
INSTALL = Install(
    id=InstallId("install-1"),
    tenant_id="tenant-1",
    registry_id="registry-1",
    version_id="version-1",
    content_hash="sha256:00",
    granted_capabilities=frozenset({SCHEDULER_MANAGE}),
    enabled=True,
    changed_by="admin:arn:aws:iam::123456789012:role/platform",
)
SCHEDULE = Schedule(
    id=ScheduleId("01a20745-4897-4f81-a91e-a0d09962b8d6"),
    install_id=INSTALL.id,
    tenant_id="tenant-1",
    created_at=NOW - timedelta(days=30),
    definition=Definition(
        endpoint_method="POST",
        endpoint_path="/api/sync",
        cron="0 * * * *",
        timezone="UTC",
        enabled=True,
        name="hourly",
        payload=None,
    ),
)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-23T{text}:00Z")


def run_at(text: str, status: RunStatus = RunStatus.SUCCESS, **fields: object) -> Run:
    values: dict[str, object] = {"attempt": 1, "started_at": moment(text), "http_status": 200, **fields}
    return Run(scheduled_time=format_time(moment(text)), status=status, **values)  # type: ignore[arg-type]


def with_definition(**fields: object) -> Schedule:
    return replace(SCHEDULE, definition=replace(SCHEDULE.definition, **fields))  # type: ignore[arg-type]


def lane_of(
    *runs: Run,
    install: Install = INSTALL,
    schedule: Schedule = SCHEDULE,
    timer: TimerState = TIMER,
    window: TimeWindow = WINDOW,
    changes: Sequence[Gap] = (),
    complete_since: datetime | None = None,
) -> Lane:
    return build_lane(install, schedule, History(runs, complete_since), timer, window, changes)


def list_times(lane: Lane, kind: MarkKind) -> list[str]:
    return [f"{mark.moment:%H:%M}" for mark in lane.list_marks(kind)]


@pytest.mark.parametrize(
    ("run", "kind"),
    [
        (run_at("12:00"), MarkKind.SUCCESS),
        (run_at("12:00", RunStatus.RUNNING, lease_expires_at=moment("12:30")), MarkKind.RUNNING),
        (run_at("12:00", RunStatus.RUNNING, lease_expires_at=moment("12:10")), MarkKind.ERROR),
        (run_at("12:00", RunStatus.SKIPPED), MarkKind.SKIPPED),
        (run_at("12:00", RunStatus.MISSED), MarkKind.MISSED),
        (run_at("12:00", RunStatus.WAITING), MarkKind.WAITING),
        (run_at("12:00", RunStatus.ERROR, retryable=True, attempt=2), MarkKind.RETRYING),
        (run_at("12:00", RunStatus.ERROR, retryable=True, attempt=3), MarkKind.DEAD_LETTER),
        (run_at("12:00", RunStatus.ERROR, wait_token="t"), MarkKind.DEAD_LETTER),
        (run_at("12:00", RunStatus.ERROR), MarkKind.ERROR),
    ],
    ids=lambda value: value.value if isinstance(value, MarkKind) else "",
)
def test_a_run_is_drawn_by_its_outcome(run: Run, kind: MarkKind) -> None:
    assert mark_from_run(run, NOW).kind is kind


def test_the_past_is_the_history_and_the_future_the_rule() -> None:
    lane = lane_of(*(run_at(f"{hour:02}:00") for hour in (7, 8, 9, 10, 12)))
    assert list_times(lane, MarkKind.SUCCESS) == ["07:00", "08:00", "09:00", "10:00", "12:00"]
    assert list_times(lane, MarkKind.NO_RECORD) == ["11:00"]
    assert list_times(lane, MarkKind.UPCOMING) == ["13:00", "14:00", "15:00", "16:00", "17:00", "18:00"]
    assert lane.gaps == []


def test_a_late_start_is_drawn_at_both_times() -> None:
    assert mark_from_run(run_at("12:00", started_at=moment("12:09")), NOW).started_at == moment("12:09")
    assert mark_from_run(run_at("12:00"), NOW).started_at is None


def test_a_start_within_the_spread_and_a_backfill_are_not_late() -> None:
    run = run_at("12:00", started_at=moment("12:09"))
    assert mark_from_run(run, NOW, spread=timedelta(minutes=10)).started_at is None
    backfill = run_at("12:00", started_at=moment("12:09"), trigger=Trigger.BACKFILL)
    assert mark_from_run(backfill, NOW).started_at is None


@pytest.mark.parametrize(
    ("install", "schedule", "timer", "cause"),
    [
        (replace(INSTALL, paused=True), SCHEDULE, TIMER, GapCause.PAUSED),
        (replace(INSTALL, enabled=False), SCHEDULE, TIMER, GapCause.INSTALL_DISABLED),
        (replace(INSTALL, granted_capabilities=frozenset()), SCHEDULE, TIMER, GapCause.NOT_GRANTED),
        (replace(INSTALL, unreadable="no tenant"), SCHEDULE, TIMER, GapCause.UNREADABLE),
        (INSTALL, SCHEDULE, TimerState(missing=True), GapCause.NO_TIMER),
    ],
    ids=lambda value: value.value if isinstance(value, GapCause) else "",
)
def test_a_cause_without_a_known_start_begins_after_the_last_run(
    install: Install, schedule: Schedule, timer: TimerState, cause: GapCause
) -> None:
    lane = lane_of(run_at("08:00"), run_at("09:00"), install=install, schedule=schedule, timer=timer)
    (gap,) = lane.gaps
    assert (gap.cause, gap.start, gap.start_known, gap.end_known) == (cause, moment("10:00"), False, False)
    assert list_times(lane, MarkKind.UPCOMING) == []
    assert list_times(lane, MarkKind.NO_RECORD) == ["07:00"]


def test_a_schedule_is_disabled_since_its_timer_was_deleted() -> None:
    disabled = replace(with_definition(enabled=False), timer_since=moment("09:30"))
    (gap,) = lane_of(schedule=disabled).gaps
    assert (gap.cause, gap.start, gap.start_known) == (GapCause.DISABLED, moment("09:30"), True)
    assert gap.detail == "It is disabled, by the extension."


def test_a_cause_of_unknown_start_does_not_take_what_another_explains() -> None:
    disabled = replace(with_definition(enabled=False), timer_since=moment("09:30"))
    lane = lane_of(install=replace(INSTALL, paused=True), schedule=disabled)
    assert [(gap.cause, gap.start, gap.start_known) for gap in lane.gaps] == [
        (GapCause.DISABLED, moment("09:30"), True),
        (GapCause.PAUSED, NOW, False),
    ]


def test_what_is_not_loaded_or_not_created_is_no_missing_run() -> None:
    lane = lane_of(run_at("12:00"), complete_since=moment("11:30"))
    assert [gap.cause for gap in lane.gaps] == [GapCause.NOT_LOADED]
    assert list_times(lane, MarkKind.NO_RECORD) == []
    lane = lane_of(run_at("12:00"), schedule=replace(SCHEDULE, created_at=moment("11:30")))
    assert [(gap.cause, gap.end) for gap in lane.gaps] == [(GapCause.NOT_CREATED, moment("11:30"))]
    assert list_times(lane, MarkKind.NO_RECORD) == []


@pytest.mark.parametrize(
    ("date", "cause", "detail"),
    [
        ("2026-03-29", GapCause.DST_SKIP, "2026-03-29 02:30 does not exist in Europe/Berlin"),
        ("2026-10-25", GapCause.DST_REPEAT, "2026-10-25 02:30 occurs twice in Europe/Berlin"),
    ],
)
def test_changes_of_clocks_are_marked(date: str, cause: GapCause, detail: str) -> None:
    now = datetime.fromisoformat(f"{date}T00:00:00Z")
    schedule = replace(
        with_definition(cron="30 2 * * *", timezone="Europe/Berlin"), created_at=now - timedelta(days=9)
    )
    lane = lane_of(schedule=schedule, window=TimeWindow("6h", now, now))
    (gap,) = lane.gaps
    assert gap.cause is cause
    assert gap.detail.startswith(detail)
    assert len(lane.list_marks(MarkKind.UPCOMING)) == (cause is GapCause.DST_REPEAT)


@pytest.mark.parametrize(
    ("date", "detail"),
    [
        (
            "2026-03-29",
            "2026-03-29 02:00 to 02:59 (60 times) do not exist in Europe/Berlin: clocks go forward.",
        ),
        (
            "2026-10-25",
            "2026-10-25 02:00 to 02:59 (60 times) occur twice in Europe/Berlin: only the first time fires.",
        ),
    ],
)
def test_a_change_of_clocks_is_one_gap_however_dense_the_rule_is(date: str, detail: str) -> None:
    now = datetime.fromisoformat(f"{date}T00:00:00Z")
    dense = replace(with_definition(cron="* * * * *", timezone="Europe/Berlin"), created_at=now)
    lane = lane_of(schedule=dense, window=TimeWindow("7d", now, now))
    assert [gap.detail for gap in lane.gaps if gap.cause is not GapCause.NOT_CREATED] == [detail]
    skipped = 60 if date == "2026-10-25" else 0
    assert len(lane.list_marks(MarkKind.UPCOMING)) == 7 * 24 * 60 - skipped


def change(
    text: str, actor: str, name: str, before: object, after: object, *, install: bool = False
) -> KeptChange:
    return KeptChange(
        install_id=INSTALL.id,
        schedule_id=None if install else SCHEDULE.id,
        name="ScheduleUpdated",
        time=moment(text),
        sequence=text,
        actor=actor,
        before={name: before},
        after={name: after},
    )


def test_changes_say_from_when_to_when_and_by_whom() -> None:
    changes = [
        change("08:00", "admin:arn:aws:sts::1:assumed-role/ops/ann", "paused", False, True, install=True),
        change("09:00", "admin:bob", "paused", True, False, install=True),
        change("10:00", "host_api", "enabled", True, False),
    ]
    gaps = find_change_gaps(changes, INSTALL, with_definition(enabled=False), WINDOW)
    assert [(gap.cause, gap.start, gap.end, gap.detail) for gap in gaps] == [
        (
            GapCause.PAUSED,
            moment("08:00"),
            moment("09:00"),
            "The tenant was paused by ops/ann, until a change by bob.",
        ),
        (GapCause.DISABLED, moment("10:00"), WINDOW.end, "The schedule was disabled by the extension."),
    ]
    lane = lane_of(schedule=with_definition(enabled=False), changes=gaps)
    assert [gap.cause for gap in lane.gaps] == [GapCause.PAUSED, GapCause.DISABLED]


def test_a_state_from_before_the_kept_changes_has_no_start() -> None:
    changes = [change("09:00", "admin:bob", "paused", True, False, install=True)]
    (gap,) = find_change_gaps(changes, INSTALL, SCHEDULE, WINDOW)
    assert (gap.start, gap.end, gap.start_known) == (WINDOW.start, moment("09:00"), False)


def test_marks_that_would_overlap_are_drawn_as_the_worst() -> None:
    marks = [
        Mark(MarkKind.ERROR if minute == 10 else MarkKind.SUCCESS, "", moment(f"10:{minute:02}"))
        for minute in (0, 5, 10, 50)
    ]
    clusters = cluster_marks(marks, WINDOW, 0.02)
    assert [len(each.marks) for each in clusters] == [3, 1]
    assert clusters[0].worst.moment == moment("10:10")
    assert clusters[0].counts == [(MarkKind.ERROR, 1), (MarkKind.SUCCESS, 2)]


@pytest.mark.parametrize(
    ("span", "at", "name", "center"),
    [
        (None, None, "24h", NOW),
        ("7d", "2026-11-20T00:00:00Z", "7d", datetime.fromisoformat("2026-11-20T00:00:00Z")),
        ("1y", "yesterday", "24h", NOW),
        ("6h", "0001-01-01T00:00:00Z", "6h", datetime.fromisoformat("1970-02-01T00:00:00Z")),
    ],
    ids=["default", "named", "wrong", "before-the-calendar"],
)
def test_a_window_is_what_the_url_names(
    span: str | None, at: str | None, name: str, center: datetime
) -> None:
    window = parse_window(span, at, NOW)
    assert (window.span_name, window.center) == (name, center)


def test_the_axis_has_full_hours_of_the_viewers_clock() -> None:
    ticks = list(list_ticks(WINDOW, lambda each: each.astimezone(NOW.tzinfo)))
    assert [f"{tick:%H:%M}" for tick in ticks] == [f"{hour:02}:00" for hour in range(7, 19)]


HOSTILE = '"><script>alert(1)</script>\u202e'


def test_drawings_escape_texts_and_have_no_inline_style_or_script() -> None:
    failed = run_at("12:00", RunStatus.ERROR, error=HOSTILE, duration_ms=5, trigger=Trigger.SCHEDULE)
    lane = lane_of(failed, install=replace(INSTALL, paused=True, changed_by=f"admin:{HOSTILE}"))
    drawing = str(render_lane(lane, "hourly", lambda mark: f"/at/{mark.scheduled_time}", str))
    drawing += str(render_strip([(failed, mark_from_run(failed, NOW))], lambda _: "/", str))
    assert drawing.count("&lt;script&gt;") >= 3
    assert "<script" not in drawing
    assert "\u202e" not in drawing
    assert not re.search(r"\s(?:style|on\w+)=", drawing)


def test_no_two_outcomes_have_the_same_shape() -> None:
    shapes = {str(render_icon(kind)).replace(kind.value, "") for kind in MarkKind}
    assert len(shapes) == len(MarkKind)
    assert len({kind.label for kind in MarkKind}) == len(MarkKind)
