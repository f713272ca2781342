"""Serves moto on persistent connections.

Written for moto 5.2.5 and werkzeug 3.1. werkzeug closes the connection after each request, so that each needs a
connection and a thread; moto lists the folders of its services, and the methods of the service, for each request.
"""

import logging
from functools import cache
from io import BytesIO

from moto import backends
from moto.core import responses
from moto.core.utils import method_names_from_class
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug import Response

logger = logging.getLogger("local")


class KeepAliveHandler(MotoRequestHandler):
    """A request handler that keeps the connection open and sends each response in one piece."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self) -> None:
        """Run the application and send its response.

        The request's body is read to its end first: the rest would be parsed as the next request.
        """
        response = self._run_app()
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        body = response.get_data()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _run_app(self) -> Response:
        environ = self.make_environ()
        body, length = environ["wsgi.input"], self.headers.get("Content-Length", "0")
        chunked = environ.get("wsgi.input_terminated")
        environ["wsgi.input"] = BytesIO(body.read() if chunked else body.read(int(length)))
        try:
            return Response.from_app(self.server.app, environ, buffered=True)
        except Exception:
            logger.exception("%s %s", self.command, self.path)
            return Response("Internal Server Error", 500)


def patch_service_lookup() -> None:
    """Let moto list the folders of its services, and the methods of each service, once."""
    list_services = backends.list_of_moto_modules
    backends.list_of_moto_modules = cache(lambda: frozenset(list_services()))
    responses.method_names_from_class = cache(method_names_from_class)  # type: ignore[attr-defined]
