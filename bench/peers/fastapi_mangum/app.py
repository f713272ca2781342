"""FastAPI behind Mangum."""

from fastapi import FastAPI, HTTPException
from mangum import Mangum
from schedules import NotFound, Schedule, ScheduleBody, create_schedule, get_schedule, list_schedules

app = FastAPI()


@app.get("/v1/installs/{install_id}/schedules")
def _list(install_id: str) -> dict[str, list[Schedule]]:
    return {"schedules": list_schedules(install_id)}


@app.get("/v1/installs/{install_id}/schedules/{schedule_id}")
def _get(install_id: str, schedule_id: str) -> Schedule:
    try:
        return get_schedule(install_id, schedule_id)
    except NotFound as error:
        raise HTTPException(404, str(error)) from error


@app.post("/v1/installs/{install_id}/schedules", status_code=201)
def _create(install_id: str, body: ScheduleBody) -> Schedule:
    return create_schedule(install_id, body)


handler = Mangum(app, lifespan="off")
