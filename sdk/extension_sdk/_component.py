"""The component's entry: exports the `handler` of the world `runner` for the author's `app.app`."""

from typing import Any

from app import app  # type: ignore[import-not-found]  # the extension's own module
from wit_world.imports.types import (  # type: ignore[import-not-found]  # made by componentize-py
    ExecuteResponse,
    HttpHeader,
)

from extension_sdk._wasm import WasmPlatform
from extension_sdk.http import Request
from extension_sdk.platform import host

host.connect(WasmPlatform())


class WitWorld:
    """What the platform calls."""

    def handler(self, request: Any) -> Any:
        """The extension's response to one request."""
        http = request.http
        headers = {header.name.lower(): header.value for header in http.headers}
        response = app.handle(Request(http.method, http.url, headers, http.body))
        fields = [HttpHeader(name, value) for name, value in response.headers.items()]
        return ExecuteResponse(response.status, fields, response.body)
