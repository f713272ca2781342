"""The one botocore session of the process, made to do no work that nobody here has a use for."""

from pathlib import Path
from typing import Any

import botocore
from botocore.config import Config
from botocore.parsers import JSONParser, ResponseParserFactory
from botocore.session import Session
from pynamodb.connection import Connection

from scheduling.domain.errors import UnsupportedEndpoint
from scheduling.store.models import Row

_CONFIG = Config(
    # Put together anew for each request, it costs more than to sign the request.
    user_agent=f"Botocore/{botocore.__version__} extension-scheduler",
    parameter_validation=False,
)
_TRIM_MARKER = Path(botocore.__file__).with_name("TRIMMED")
"""There if the build has left the rules for endpoints out of botocore (layers/scheduling/trim_botocore.py)."""
_VARIANTS = {"use_fips_endpoint": "FIPS", "use_dualstack_endpoint": "dual-stack"}
"""Endpoints that botocore resolves wrongly and silently without those rules, by the setting that asks for them."""


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


def _check_endpoint_variants(session: Session) -> None:
    for setting, kind in _VARIANTS.items():
        if session.get_config_variable(setting) and _TRIM_MARKER.exists():
            raise UnsupportedEndpoint(
                f"AWS_{setting.upper()} is true, but this layer's botocore has no rules for {kind} endpoints: unset "
                "it, or build a layer with the whole botocore (make sam-build BOTOCORE=whole)"
            )


def connect(table_name: str, session: Session | None = None) -> Connection:
    """The one DynamoDB client of the process, made before any model is used, so that all of them share it.

    Args:
        table_name: The table.
        session: The session of the client; by default, one with the process's AWS configuration.

    Raises:
        UnsupportedEndpoint: if FIPS or dual-stack endpoints are asked for and botocore is trimmed.
    """
    Row.Meta.table_name = table_name
    connection = Row._get_connection().connection
    if session is not None:
        connection._local.session = session  # pynamodb 6.1 has no parameter for it
    _check_endpoint_variants(connection.session)
    _configure_session(connection.session)
    return connection
