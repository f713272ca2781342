"""All uses of private or undocumented parts of botocore, each with the version that it is written for.

The tests in tests/unit/store/test_botocore_internals.py fail when botocore changes such a part, or when it no longer
needs to be worked around.
"""

from pathlib import Path
from typing import Any

import botocore
from botocore.parsers import JSONParser, ResponseParserFactory
from botocore.session import Session

TRIM_MARKER = Path(botocore.__file__).with_name("TRIMMED")
"""Exists if the build has removed the rules for endpoints from botocore (layers/scheduling/trim_botocore.py)."""


def keep_items_as_json(session: Session) -> None:
    """Make the clients of the session, which must not exist yet, return DynamoDB's items as the JSON has them.

    1.44.5: `response_parser_factory` is an undocumented component. The default one walks every attribute of every
    item, which takes half of the time of a list and converts nothing but bytes, which no row has.
    """
    session.register_component("response_parser_factory", _RawItemParserFactory())


class _RawItemParser(JSONParser):
    """A parser that returns maps of attribute values as they are."""

    def _handle_map(self, shape: Any, value: Any) -> Any:
        """1.44.5: private; `BaseJSONParser` calls it for each map of a response."""
        if shape.value.name == "AttributeValue":
            return value
        return super()._handle_map(shape, value)  # type: ignore[misc]


class _RawItemParserFactory(ResponseParserFactory):
    """A factory of `_RawItemParser` for DynamoDB's protocol, and of botocore's parsers for the others."""

    def create_parser(self, protocol_name: str) -> Any:
        """1.44.5: `_defaults` holds the arguments of `set_parser_defaults`."""
        if protocol_name == "json":
            return _RawItemParser(**self._defaults)  # type: ignore[attr-defined]
        return super().create_parser(protocol_name)
