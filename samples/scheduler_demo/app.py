"""An extension that schedules its own heartbeat every five minutes and a status check every morning."""

from dataclasses import asdict

from extension_sdk import DesiredSchedule, Extension, Request, Response, host
from extension_sdk.schedules import Json

app = Extension()

SCHEDULES = (
    DesiredSchedule("heartbeat", "POST /api/heartbeat", "*/5 * * * *", payload={"source": "schedule"}),
    DesiredSchedule("daily-status", "GET /api/status", "0 9 * * *", timezone="America/New_York"),
)


@app.post("/api/setup")
def setup(_request: Request) -> Json:
    """Create or update the declared schedules; idempotent."""
    report = host.scheduler.sync(SCHEDULES)
    host.log.info(f"setup: {report.as_json()}")
    report.raise_for_error()
    return report.as_json()


@app.get("/api/status")
def status(request: Request) -> Json:
    """Return the status of the schedules' last runs."""
    _log_occurrence("status", request)
    schedules = host.scheduler.list()
    return {
        "ok": all(schedule.last_run_status != "error" for schedule in schedules),
        "schedules": {schedule.name or schedule.id: schedule.last_run_status for schedule in schedules},
    }


@app.post("/api/heartbeat")
def heartbeat(request: Request) -> Json:
    """Confirm that the extension works, and return the payload."""
    _log_occurrence("heartbeat", request)
    return {"ok": True, "received": request.json(), "install": host.context.install_id}


@app.get("/api/schedules")
def list_schedules(_request: Request) -> Json:
    """Return all schedules of this install."""
    return {"schedules": [asdict(schedule) for schedule in host.scheduler.list()]}


@app.delete("/api/schedules/:id")
def delete_schedule(request: Request) -> Response:
    """Delete a schedule."""
    result = host.scheduler.delete(request.params["id"])
    return Response(204) if result.success else Response.json({"error": result.error}, 404)


def _log_occurrence(name: str, request: Request) -> None:
    if request.scheduled:
        occurrence = request.scheduled
        host.log.info(
            f"{name}: schedule {occurrence.schedule_id}, scheduled for {occurrence.scheduled_time.isoformat()}, "
            f"attempt {occurrence.attempt}, trigger {occurrence.trigger}"
        )
