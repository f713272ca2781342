"""The moto server, run as a process of its own: ``python -m local.moto.server ADDRESS PORT LAMBDA_URL``."""

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

from local.moto.conditions import take_conditions_apart_once
from local.moto.http import KeepAlive, look_up_once
from local.moto.queries import look_only_where_queries_ask
from local.moto.serializer import send_items_as_they_are
from local.moto.streams import make_streams_last
from local.moto.transactions import copy_only_what_transactions_touch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

_PASSED = {"content-type", "x-amz-function-error", "x-amzn-errortype"}


class AtomicDynamoDb:
    """One request of DynamoDB or its streams at a time: moto has no lock of its own and loses parallel writes."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass a request on, alone if it is DynamoDB's."""
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        turn: AbstractContextManager[Any] = self._lock if target.startswith("DynamoDB") else nullcontext()
        with turn:
            return self._app(environ, start_response)


class LambdaElsewhere:
    """Passes what is asked of Lambda on to where the stack's functions are."""

    def __init__(self, app: Application, url: str) -> None:
        self._app = app
        self._url = url

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass a request on, to moto if it is not Lambda's."""
        if not environ["PATH_INFO"].startswith("/2015-03-31/functions"):
            return self._app(environ, start_response)
        request = WsgiRequest(environ)
        kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
        url = f"{self._url}{quote(request.path)}"
        answer = requests.request(
            request.method, url, data=request.get_data(), headers={"x-amz-invocation-type": kind}, timeout=120
        )
        passed = [(name, value) for name, value in answer.headers.items() if name.lower() in _PASSED]
        return WsgiResponse(answer.content, answer.status_code, passed)(environ, start_response)


def serve(address: str, port: int, lambda_url: str) -> None:
    """Serve until killed."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    copy_only_what_transactions_touch()
    look_only_where_queries_ask()
    make_streams_last()
    send_items_as_they_are()
    take_conditions_apart_once()
    look_up_once()
    app = LambdaElsewhere(AtomicDynamoDb(DomainDispatcherApplication(create_backend_app)), lambda_url)
    make_server(address, port, app, threaded=True, request_handler=KeepAlive).serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])
