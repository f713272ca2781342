"""The private parts of botocore are as `botocore_internals` expects, and still need to be worked around."""

import json
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.parsers import JSONParser, ResponseParserFactory
from botocore.session import Session
from scheduling.store.botocore_internals import keep_items_as_json
from urllib3 import HTTPResponse

ITEM = {"pk": {"S": "1"}, "count": {"N": "7"}, "names": {"SS": ["a"]}, "map": {"M": {"flag": {"BOOL": True}}}}
BINARY_ITEM = {"pk": {"S": "1"}, "bytes": {"B": "YQ=="}}


@pytest.fixture
def session() -> Session:
    session = Session()
    session.set_credentials("testing", "testing")
    return session


@pytest.fixture
def factory(session: Session) -> Any:
    """The session's, once it keeps items as JSON."""
    keep_items_as_json(session)
    return session.get_component("response_parser_factory")


def create_client(session: Session) -> Any:
    return session.create_client("dynamodb", region_name="eu-central-1")


def get_item(session: Session, item: object) -> Any:
    """The item as a client of the session returns it when DynamoDB responds with it."""
    client = create_client(session)
    body = json.dumps({"Item": item}).encode()
    raw = HTTPResponse(BytesIO(body), preload_content=False)
    response = AWSResponse("https://dynamodb", 200, HTTPHeaders(), raw)
    client.meta.events.register("before-send", lambda **_: response)
    return client.get_item(TableName="table", Key={"pk": {"S": "1"}})["Item"]


def test_botocore_still_walks_every_attribute(session: Session) -> None:
    assert get_item(session, BINARY_ITEM)["bytes"] == {"B": b"a"}


@pytest.mark.usefixtures("factory")
def test_a_client_of_the_session_returns_items_as_json(session: Session) -> None:
    assert get_item(session, BINARY_ITEM) == BINARY_ITEM


def output_shape(session: Session) -> Any:
    return create_client(session).meta.service_model.operation_model("BatchGetItem").output_shape


def test_the_parser_returns_the_very_item(session: Session, factory: Any) -> None:
    item_shape = output_shape(session).members["Responses"].value.member

    assert factory.create_parser("json")._handle_map(item_shape, ITEM) is ITEM
    assert JSONParser()._handle_map(item_shape, ITEM) is not ITEM  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(200, {"Responses": {"table": [ITEM]}, "UnprocessedKeys": {}}, id="items"),
        pytest.param(400, {"__type": "x#ThrottlingException", "message": "slow down"}, id="an error"),
    ],
)
def test_a_response_without_bytes_is_parsed_as_botocore_does(
    session: Session, factory: Any, status: int, body: dict[str, Any]
) -> None:
    response = {"status_code": status, "headers": {}, "body": json.dumps(body).encode(), "context": {}}
    shape = output_shape(session)

    by_botocore = ResponseParserFactory().create_parser("json").parse(dict(response), shape)
    assert factory.create_parser("json").parse(dict(response), shape) == by_botocore


def test_parser_defaults_are_passed_on(factory: Any) -> None:
    def parse_blob(text: str) -> str:
        return text.upper()

    factory.set_parser_defaults(blob_parser=parse_blob)

    assert factory.create_parser("json")._blob_parser is parse_blob


def test_other_protocols_have_botocores_parser(factory: Any) -> None:
    by_botocore = ResponseParserFactory().create_parser("rest-json")

    assert type(factory.create_parser("rest-json")) is type(by_botocore)
