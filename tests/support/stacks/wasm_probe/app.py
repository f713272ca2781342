"""An extension that misbehaves on request, and that calls the host interfaces with whatever it is given."""

import os
import time
from base64 import b64encode
from dataclasses import asdict, is_dataclass

from componentize_py_types import Err  # type: ignore[import-not-found]  # made by componentize-py
from extension_sdk import Extension, Request, Response, SchedulerError, host
from extension_sdk.schedules import Json
from wit_world.imports import scheduler, secrets, storage  # type: ignore[import-not-found]  # likewise
from wit_world.imports.types import (  # type: ignore[import-not-found]  # likewise
    CreateScheduleInput,
    UpdateScheduleInput,
)

app = Extension()

INPUTS = {"create_schedule": CreateScheduleInput, "update_schedule": UpdateScheduleInput}


@app.post("/echo")
def echo(request: Request) -> Json:
    body = None if request.body is None else b64encode(request.body).decode()
    return {
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "body_b64": body,
        "context": asdict(host.context),
    }


@app.get("/world")
def fetch_world(_request: Request) -> Json:
    return {"environ": dict(os.environ), "files": os.listdir("/") if os.path.exists("/") else []}  # noqa: PTH110, PTH208


@app.get("/print")
def say(_request: Request) -> Json:
    print("printed\nby the probe")
    host.log.warn("logged\nby the probe")


@app.get("/chatter")
def chatter(_request: Request) -> Json:
    for number in range(1000):
        host.log.info(f"line {number}")


@app.get("/trap")
def trap(_request: Request) -> Json:
    raise SystemExit("the probe gives up")


@app.get("/loop")
def loop(_request: Request) -> Json:
    while True:
        pass


@app.get("/sleep")
def sleep(_request: Request) -> Json:
    time.sleep(3)


@app.get("/hog")
def hog(_request: Request) -> Json:
    hoard = []
    while True:
        hoard.append(bytearray(1 << 20))


@app.get("/big")
def big(request: Request) -> Response:
    return Response(body=b"x" * int(request.query["bytes"]))


@app.get("/secrets")
def read_secret(_request: Request) -> Json:
    return secrets.get("key")


@app.get("/storage")
def read_storage(_request: Request) -> Json:
    return storage.get("namespace", "key")


@app.post("/scheduler/:function")
def call_scheduler(request: Request) -> Json:
    name = request.params["function"]
    arguments = [INPUTS[name](**value) if isinstance(value, dict) else value for value in request.json()]
    try:
        response = getattr(scheduler, name)(*arguments)
    except Err as error:
        return {"error": error.value.name}
    return {"answer": _to_plain(response)}


@app.post("/sdk/:function")
def call_sdk(request: Request) -> Json:
    arguments, keywords = request.json()
    try:
        response = getattr(host.scheduler, request.params["function"])(*arguments, **keywords)
    except SchedulerError as error:
        return {"code": error.code, "type": type(error).__name__}
    return {"answer": _to_plain(response)}


def _to_plain(value: Json) -> Json:
    if isinstance(value, list):
        return [_to_plain(item) for item in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
