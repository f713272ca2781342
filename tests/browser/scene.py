"""A day of a tenant: schedules with every outcome, written to the history as the executor would."""

from datetime import datetime, timedelta

from scheduling.domain.ids import InstallId
from scheduling.domain.runs import Run, RunStatus, Trigger, format_manual_time, format_time
from scheduling.domain.schedule import Schedule
from scheduling.operations.schedules.create import create_schedule

from tests.support.stacks.world import ADMIN, GROUP, World, aws_client, create_input, registration_body

NOW = datetime.fromisoformat("2026-11-23T14:20:00Z")
HOSTILE_NAME = "<script>alert(1)</script> \u202egnp.exe \u2066" + "\N{ROCKET}" * 80


def record_run(world: World, schedule: Schedule, moment: datetime, **fields: object) -> None:
    """Write an occurrence to the history; by default, a success of 800 ms that started at its time."""
    manual = fields.get("trigger") is Trigger.MANUAL
    values: dict[str, object] = {
        "scheduled_time": format_manual_time(moment) if manual else format_time(moment),
        "status": RunStatus.SUCCESS,
        "attempt": 1,
        "started_at": moment + timedelta(seconds=1),
        "duration_ms": 700 + hash_of(moment) % 900,
        "http_status": 200,
        "request_id": f"0c7d2f1e-{hash_of(moment) % 10000:04}-4a51-9f0e-5b8a21c0d9e7",
    }
    world.services.runs.record_run(schedule, Run(**{**values, **fields}))  # type: ignore[arg-type]


def hash_of(moment: datetime) -> int:
    """Return a number that looks random and is always the same."""
    return int(moment.timestamp()) // 60 * 2654435761 % 100003


def create_scene(world: World) -> InstallId:
    """Play the day and return the install with most of it."""
    world.clock[0] = NOW - timedelta(hours=40)
    register(world, "invoice-sync", "invoice-sync", "2.4.0")
    register(world, "crm-bridge", "crm-bridge", "1.9.3")
    invoices = InstallId("invoice-sync")
    hourly = create(world, invoices, "Sync invoices", "0 * * * *")
    nightly = create(world, invoices, "Close the day", "30 1 * * *", timezone="Europe/Berlin")
    flaky = create(world, invoices, "Send reminders", "15 */2 * * *", timezone="Europe/Berlin")
    late = create(world, invoices, "Fetch exchange rates", "*/30 6-20 * * MON-FRI", timezone="Europe/London")
    dense = create(world, invoices, "Poll the mailbox", "*/5 * * * *")
    paused = create(world, invoices, "Export to ledger", "45 * * * *")
    orphan = create(world, invoices, "Rebuild search index", "0 */3 * * *")
    create(world, invoices, HOSTILE_NAME, "10 5 * * *")
    crm = create(world, InstallId("crm-bridge"), "Pull contacts", "*/20 * * * *", timezone="America/New_York")
    start = NOW - timedelta(hours=24)
    for hour in range(24):
        record_run(world, hourly, at(start, hour, 40))
    record_run(world, nightly, NOW.replace(hour=0, minute=30), duration_ms=92_000)
    play_failures(world, flaky)
    play_late_runs(world, late)
    for minute in range(0, 24 * 60, 5):
        status = RunStatus.ERROR if minute in (420, 800) else RunStatus.SUCCESS
        http_status = 422 if status is RunStatus.ERROR else 200
        record_run(
            world, dense, start + timedelta(minutes=minute), status=status, http_status=http_status,
            error="The extension answered 422" if http_status == 422 else None,
        )  # fmt: skip
    for hour in range(9):
        record_run(world, paused, at(start, hour, 25))
    for hour in range(0, 12, 3):
        record_run(world, orphan, at(start, hour, 40).replace(minute=0))
    aws_client("scheduler").delete_schedule(GroupName=GROUP, Name=orphan.id)
    for minute in range(0, 24 * 60, 20):
        record_run(world, crm, start + timedelta(minutes=minute))
    world.clock[0] = start + timedelta(hours=9)
    disable(world, paused)
    world.clock[0] = NOW
    record_run(world, hourly, NOW - timedelta(minutes=47), trigger=Trigger.MANUAL)
    return invoices


def play_failures(world: World, schedule: Schedule) -> None:
    """Record every kind of failure."""
    day = NOW.replace(hour=0, minute=15)
    for hour, fields in {
        -9: {},
        -7: {"status": RunStatus.SKIPPED, "attempt": 0, "error": "Another run of the schedule was under way"},
        -5: {},
        -3: {"status": RunStatus.ERROR, "http_status": 422, "error": "The extension answered 422: no such customer"},
        -1: {},
        1: {"status": RunStatus.MISSED, "attempt": 0, "error": "It was due, and was not delivered"},
        3: {},
        5: {"status": RunStatus.ERROR, "attempt": 3, "retryable": True, "http_status": 503,
            "error": "The extension answered 503", "detail": "upstream connect error"},
        7: {"status": RunStatus.ERROR, "attempt": 3, "retryable": True, "http_status": None,
            "error": "The runner did not answer in time"},
        9: {},
        11: {"status": RunStatus.ERROR, "attempt": 2, "retryable": True, "http_status": 503,
             "error": "The extension answered 503"},
        13: {"status": RunStatus.WAITING, "attempt": 0, "error": "The runner has no capacity", "duration_ms": None,
             "http_status": None},
    }.items():  # fmt: skip
        record_run(world, schedule, day + timedelta(hours=hour), **fields)


def play_late_runs(world: World, schedule: Schedule) -> None:
    """Record runs that started late, after a runner was full."""
    for minute in range(6 * 60, 14 * 60 + 1, 30):
        moment = NOW.replace(hour=0, minute=0) + timedelta(minutes=minute)
        late = timedelta(minutes=max(0, 26 - (minute - 540) // 4)) if 540 <= minute <= 630 else timedelta()
        record_run(world, schedule, moment, started_at=moment + late + timedelta(seconds=2))


def at(start: datetime, hour: int, minutes: int) -> datetime:
    """Return a time so many hours and minutes after the start."""
    return start + timedelta(hours=hour, minutes=minutes)


def register(world: World, install_id: str, name: str, version: str, tenant: str = "acme") -> None:
    """Register an install with the name and version of its extension."""
    body = registration_body()
    manifest = {**body["manifest"], "name": name, "version": version}
    world.register_install(
        InstallId(install_id),
        tenantId=tenant,
        registryId=name,
        versionId=f"{name}-{version}",
        manifest=manifest,
    )


def create(world: World, install_id: InstallId, name: str, cron: str, timezone: str = "UTC") -> Schedule:
    """Create a schedule."""
    return create_schedule(
        world.services, install_id, create_input(name=name[:128], cron=cron, timezone=timezone)
    )


def disable(world: World, schedule: Schedule) -> None:
    """Disable a schedule as an admin."""
    from scheduling.operations.schedules.update import update_schedule

    from tests.support.stacks.world import update_input

    update_schedule(
        world.services, schedule.install_id, schedule.id, update_input(enabled=False), actor=ADMIN
    )
