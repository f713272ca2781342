"""Routing of requests to the functions of an extension."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import unquote

from extension_sdk._boundary import escape_text
from extension_sdk.errors import BadRequest
from extension_sdk.http import Request, Response
from extension_sdk.platform import host
from extension_sdk.schedules import Json

# Returns a Response, or a value that becomes the JSON of a response with status 200.
Handler = Callable[[Request], Response | Json]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    segments: tuple[str, ...]
    handler: Handler

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """Return the path parameters, or None if the path does not match."""
        if len(segments) != len(self.segments):
            return None
        params = {}
        for pattern, segment in zip(self.segments, segments, strict=True):
            if pattern.startswith(":"):
                params[pattern[1:]] = unquote(segment)
            elif pattern != segment:
                return None
        return params


class Extension:
    """Registers and calls the endpoints of an extension: `@app.get("/api/items/:id")`."""

    def __init__(self) -> None:
        self._routes: list[_Route] = []

    @property
    def routes(self) -> list[tuple[str, str]]:
        """Method and path of each registered function."""
        return [(route.method, f"/{'/'.join(route.segments)}") for route in self._routes]

    def get(self, path: str) -> Callable[[H], H]:
        """Register a function for GET requests to `path`."""
        return self.route("GET", path)

    def post(self, path: str) -> Callable[[H], H]:
        """Register a function for POST requests to `path`."""
        return self.route("POST", path)

    def put(self, path: str) -> Callable[[H], H]:
        """Register a function for PUT requests to `path`."""
        return self.route("PUT", path)

    def delete(self, path: str) -> Callable[[H], H]:
        """Register a function for DELETE requests to `path`."""
        return self.route("DELETE", path)

    def route(self, method: str, path: str) -> Callable[[H], H]:
        """Register a function for requests of any method to `path`; `:name` matches one segment."""

        def register(handler: H) -> H:
            self._routes.append(_Route(method.upper(), _split_path(path), handler))
            return handler

        return register

    def handle(self, request: Request) -> Response:
        """Return the response to a request. An exception of a handler becomes a response too."""
        segments = _split_path(request.path)
        matching = [
            (route, params) for route in self._routes if (params := route.match(segments)) is not None
        ]
        if not matching:
            return _error_response(404, "Not found")
        for route, params in matching:
            if route.method == request.method.upper():
                return _handle_exceptions(route.handler, replace(request, params=params))
        allowed = sorted({route.method for route, _ in matching})
        return _error_response(405, "Method not allowed", {"allow": ", ".join(allowed)})


def _split_path(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))


def _handle_exceptions(handler: Handler, request: Request) -> Response:
    try:
        return _call_handler(handler, request)
    except MemoryError:
        raise  # the extension cannot go on; the runner reports the memory limit
    except Exception:  # noqa: BLE001 - at the extension's edge every error becomes a 500
        host.log.error(escape_text(traceback.format_exc()))
        return _error_response(500, "Internal error")


def _call_handler(handler: Handler, request: Request) -> Response:
    try:
        result = handler(request)
    except BadRequest as error:
        return _error_response(400, str(error))
    # Checked again, because the handler may have changed the headers since.
    return replace(result) if isinstance(result, Response) else Response.json(result)


def _error_response(status: int, error: str, headers: dict[str, str] | None = None) -> Response:
    return Response.json({"error": escape_text(error)}, status, headers)
