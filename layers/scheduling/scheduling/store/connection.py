"""The one botocore session of the process, made to do no work that nobody here has a use for."""

from typing import Any

import botocore
from botocore.config import Config
from botocore.parsers import JSONParser, ResponseParserFactory
from botocore.session import Session
from pynamodb.connection import Connection

from scheduling.store.models import Row

_CONFIG = Config(
    # Put together anew for each request, it costs more than to sign the request.
    user_agent=f"Botocore/{botocore.__version__} extension-scheduler",
    parameter_validation=False,
)


class _RawItemParser(JSONParser):
    """Leaves DynamoDB's items as the JSON has them, which is how botocore hands them out but for bytes."""

    def _handle_map(self, shape: Any, value: Any) -> Any:
        if shape.value.name == "AttributeValue":
            return value
        return super()._handle_map(shape, value)  # type: ignore[misc]


class _RawItemParserFactory(ResponseParserFactory):
    def create_parser(self, protocol_name: str) -> Any:
        if protocol_name == "json":
            return _RawItemParser(**self._defaults)  # type: ignore[attr-defined]
        return super().create_parser(protocol_name)


def _configure_session(session: Session) -> None:
    """Before any client of the session is made."""
    session.set_default_client_config(_CONFIG)
    session.register_component("response_parser_factory", _RawItemParserFactory())


def connect(table_name: str) -> Connection:
    """The one DynamoDB client of the process, made before any model is used, so that all of them share it."""
    Row.Meta.table_name = table_name
    connection = Row._get_connection().connection
    _configure_session(connection.session)
    return connection
