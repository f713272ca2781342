"""Endpoints that pass arbitrary JSON values to the SDK. They work in a component and outside."""

from extension_sdk import BadRequest, Extension, Request, Response, host
from extension_sdk.schedules import Json

boundary = Extension()


@boundary.post("/boundary/scheduler/:function")
def call_scheduler(request: Request) -> Json:
    arguments, keywords = request.json()
    return str(getattr(host.scheduler, request.params["function"])(*arguments, **keywords))


@boundary.post("/boundary/log/:level")
def write_log(request: Request) -> Json:
    getattr(host.log, request.params["level"])(*request.json())


@boundary.post("/boundary/print")
def print_text(request: Request) -> Json:
    print(*request.json())


@boundary.post("/boundary/response")
def respond(request: Request) -> Response:
    (fields,) = request.json()
    return Response(**fields)


@boundary.post("/boundary/changed")
def change_response(request: Request) -> Response:
    response = Response(headers={})
    response.headers.update(*request.json())  # type: ignore[attr-defined]  # what an extension can do
    return response


@boundary.post("/boundary/value")
def return_value(request: Request) -> Json:
    (value,) = request.json()
    circle: Json = []
    circle.extend((circle, circle))
    return {"set": {1, 2}, "circle": circle}.get(value, value) if isinstance(value, str) else value


@boundary.post("/boundary/nested")
def return_nested(request: Request) -> Json:
    (depth,) = request.json()
    return _nest(depth)


@boundary.post("/boundary/payload")
def schedule_nested(request: Request) -> Json:
    (depth,) = request.json()
    host.scheduler.create("/a", "0 3 * * *", payload=_nest(depth))


@boundary.post("/boundary/raise")
def raise_error(request: Request) -> Json:
    raise LookupError(*request.json())


@boundary.post("/boundary/refuse")
def refuse(request: Request) -> Json:
    raise BadRequest(*request.json())


def _nest(depth: int) -> Json:
    value: Json = []
    for _ in range(depth):
        value = [value]
    return value
