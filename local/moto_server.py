"""The moto server, run as a process of its own: ``python -m local.moto_server ADDRESS PORT``."""

from __future__ import annotations

import logging
import sys
from contextlib import nullcontext
from threading import Lock
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from local.moto_streams import make_streams_last
from local.moto_transactions import copy_only_what_transactions_touch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager


class AtomicDynamoDb:
    """One request of DynamoDB or its streams at a time: moto has no lock of its own and loses parallel writes."""

    def __init__(self, app: Callable[[dict[str, Any], Any], Iterable[bytes]]) -> None:
        self._app = app
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass a request on, alone if it is DynamoDB's."""
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        turn: AbstractContextManager[Any] = self._lock if target.startswith("DynamoDB") else nullcontext()
        with turn:
            return self._app(environ, start_response)


class _KeepAlive(MotoRequestHandler):
    protocol_version = "HTTP/1.1"


def serve(address: str, port: int) -> None:
    """Serve until killed."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    copy_only_what_transactions_touch()
    make_streams_last()
    app = AtomicDynamoDb(DomainDispatcherApplication(create_backend_app))
    make_server(address, port, app, threaded=True, request_handler=_KeepAlive).serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
