"""The one botocore session of the process, configured to do no unnecessary work."""

import botocore
from botocore.config import Config
from botocore.session import Session
from pynamodb.connection import Connection

from scheduling.domain.errors import UnsupportedEndpoint
from scheduling.store.botocore_internals import TRIM_MARKER, keep_items_as_json
from scheduling.store.models import Row
from scheduling.store.pynamodb_internals import table_connection, use_session

_CONFIG = Config(
    # Built anew for each request, it costs more than signing the request.
    user_agent=f"Botocore/{botocore.__version__} extension-scheduler",
    parameter_validation=False,
)
_VARIANTS = {"use_fips_endpoint": "FIPS", "use_dualstack_endpoint": "dual-stack"}
"""Endpoints that botocore resolves wrongly and silently without endpoint rules, by the setting that selects them."""


def connect(table_name: str, session: Session | None = None) -> Connection:
    """Return the one DynamoDB client of the process; call it before any model is used, so that all share it.

    Args:
        table_name: The table.
        session: The session of the client; by default, one with the process's AWS configuration.

    Raises:
        UnsupportedEndpoint: FIPS or dual-stack endpoints are selected and botocore is trimmed.
    """
    Row.Meta.table_name = table_name
    connection = table_connection(Row).connection
    if session is not None:
        use_session(connection, session)
    _check_endpoint_variants(connection.session)
    _configure_session(connection.session)
    return connection


def _check_endpoint_variants(session: Session) -> None:
    for setting, kind in _VARIANTS.items():
        if session.get_config_variable(setting) and TRIM_MARKER.exists():
            raise UnsupportedEndpoint(
                f"AWS_{setting.upper()} is true, but this layer's botocore has no rules for {kind} endpoints: unset "
                "it, or build a layer with the whole botocore (make sam-build BOTOCORE=whole)"
            )


def _configure_session(session: Session) -> None:
    """Configure the session, before any client of it exists."""
    session.set_default_client_config(_CONFIG)
    keep_items_as_json(session)
