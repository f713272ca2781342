"""The moto server, a process of its own: ``python -m local.moto.server ADDRESS PORT LAMBDA_URL``."""

from __future__ import annotations

import logging
import sys
from contextlib import nullcontext
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug import Request as WsgiRequest
from werkzeug import Response as WsgiResponse
from werkzeug.serving import make_server

from local.moto.conditions import patch_conditions
from local.moto.http import KeepAliveHandler, patch_service_lookup
from local.moto.queries import patch_queries
from local.moto.queues import patch_queues
from local.moto.serializer import patch_serializers
from local.moto.streams import patch_streams
from local.moto.transactions import patch_transactions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

_FORWARDED_HEADERS = {"content-type", "x-amz-function-error", "x-amzn-errortype"}


class AtomicDynamoDb:
    """Runs requests of DynamoDB and its streams one at a time.

    Written for moto 5.2.5, which has no lock and loses parallel writes.
    """

    def __init__(self, app: Application) -> None:
        self._app = app
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass a request on; hold the lock if it is DynamoDB's."""
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        lock: AbstractContextManager[Any] = self._lock if target.startswith("DynamoDB") else nullcontext()
        with lock:
            return self._app(environ, start_response)


class LambdaProxy:
    """Forwards Lambda's requests to the process that has the stack's functions."""

    def __init__(self, app: Application, url: str) -> None:
        self._app = app
        self._url = url

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Forward a request of Lambda; pass any other on to moto."""
        if not environ["PATH_INFO"].startswith("/2015-03-31/functions"):
            return self._app(environ, start_response)
        request = WsgiRequest(environ)
        invocation_type = request.headers.get("x-amz-invocation-type", "RequestResponse")
        url = f"{self._url}{quote(request.path)}"
        response = requests.request(
            request.method,
            url,
            data=request.get_data(),
            headers={"x-amz-invocation-type": invocation_type},
            timeout=120,
        )
        headers = [
            (name, value) for name, value in response.headers.items() if name.lower() in _FORWARDED_HEADERS
        ]
        return WsgiResponse(response.content, response.status_code, headers)(environ, start_response)


def serve_moto(address: str, port: int, lambda_url: str) -> None:
    """Serve until the process is killed."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    patch_transactions()
    patch_queries()
    patch_streams()
    patch_serializers()
    patch_conditions()
    patch_service_lookup()
    patch_queues()
    app = LambdaProxy(AtomicDynamoDb(DomainDispatcherApplication(create_backend_app)), lambda_url)
    server = make_server(address, port, app, threaded=True, request_handler=KeepAliveHandler)
    sys.stderr.write(f"listening on http://{address}:{port}\n")
    server.serve_forever()


if __name__ == "__main__":
    serve_moto(sys.argv[1], int(sys.argv[2]), sys.argv[3])
