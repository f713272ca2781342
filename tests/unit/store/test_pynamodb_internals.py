"""The private parts of pynamodb are as `pynamodb_internals` expects, and still need to be worked around."""

import inspect
import json
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.session import Session
from pynamodb.attributes import NumberAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.exceptions import GetError
from pynamodb.models import Model
from scheduling.store import pynamodb_internals
from scheduling.store.models import Row, RunRow, ScheduleRow

ITEM: Mapping[str, Mapping[str, Any]] = {
    "pk": {"S": "INSTALL#1#SCHEDULE#1"},
    "sk": {"S": "RUN#2026-11-23T09:00:00Z"},
    "type": {"S": "run"},
    "status": {"S": "success"},
    "attempt": {"N": "2"},
    "startedAt": {"S": "2026-11-23T09:00:00.000000+0000"},
    "retryable": {"BOOL": False},
    "unknown": {"S": "of another release"},
}


@pytest.fixture(autouse=True)
def keep_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the connection of the process after each test."""
    monkeypatch.setattr(Row, "_connection", None)
    monkeypatch.setattr(Row.Meta, "table_name", "table")


def test_subclasses_share_the_connection_of_their_base_class() -> None:
    connection = pynamodb_internals.table_connection(Row)

    assert isinstance(connection, TableConnection)
    assert pynamodb_internals.table_connection(RunRow) is connection


def test_pynamodb_still_gives_each_subclass_its_own_connection() -> None:
    with patch.object(RunRow, "_connection", None), patch.object(ScheduleRow, "_connection", None):
        assert RunRow._get_connection() is not ScheduleRow._get_connection()


def test_a_connection_creates_its_client_from_the_session() -> None:
    session = Session()
    session.set_credentials("from-the-session", "testing")
    connection = Connection(region="eu-central-1")

    pynamodb_internals.use_session(connection, session)

    client: Any = connection.client
    assert client._request_signer._credentials.access_key == "from-the-session"
    assert "session" not in inspect.signature(Connection).parameters


def test_pynamodb_still_requests_the_whole_item_of_an_update() -> None:
    row = RunRow("pk", "sk")
    response = {"Attributes": dict(ITEM)}

    with patch.object(TableConnection, "update_item", return_value=response) as update_item:
        row.update([RunRow.attempt.set(2)])
        pynamodb_internals.update_item(Row, "pk", "sk", [RunRow.attempt.set(2)], RunRow.pk.exists())

    by_pynamodb, by_us = update_item.call_args_list
    assert by_pynamodb.kwargs["return_values"] == "ALL_NEW"
    assert "return_values" not in by_us.kwargs


def test_pynamodb_still_asks_for_unprocessed_keys_at_once_and_without_end() -> None:
    key = {"pk": {"S": "1"}, "sk": {"S": "1"}}
    unprocessed = {"Responses": {"table": []}, "UnprocessedKeys": {"table": {"Keys": [key]}}}
    processed: Mapping[str, Any] = {"Responses": {"table": []}, "UnprocessedKeys": {}}
    responses = [*[unprocessed] * 20, processed]

    with patch.object(TableConnection, "batch_get_item", side_effect=responses) as batch_get_item:
        assert list(Row.batch_get([("1", "1")])) == []

    assert batch_get_item.call_count == 21


def test_batch_returns_items_and_unprocessed_keys_of_one_request() -> None:
    key = {"pk": {"S": "1"}, "sk": {"S": "1"}}
    response = {"Responses": {"table": [ITEM]}, "UnprocessedKeys": {"table": {"Keys": [key]}}}

    with patch.object(TableConnection, "batch_get_item", return_value=response) as batch_get_item:
        assert pynamodb_internals.batch_get_items(Row, [key]) == ([ITEM], [key])

    batch_get_item.assert_called_once_with([key], consistent_read=True)


def test_a_row_equals_the_one_that_pynamodb_creates() -> None:
    row = Row.from_raw_data(ITEM)
    by_pynamodb = Model.from_raw_data.__func__(Row, dict(ITEM))  # type: ignore[attr-defined]

    assert type(row) is type(by_pynamodb) is RunRow
    values = dict(pynamodb_internals.row_values(row))
    assert values == {
        name: value for name, value in pynamodb_internals.row_values(by_pynamodb).items() if name in values
    }
    assert set(values) == {"pk", "sk", "type", "status", "attempt", "started_at", "retryable"}
    assert values["attempt"] == 2
    assert row.error is None


def test_an_attribute_that_cannot_be_read_is_noted() -> None:
    damages: dict[str, Any] = {
        "attempt": {"N": "1.5"},
        "startedAt": {"S": "soon"},
        "status": {"S": "paused"},
        "retryable": {"S": "no"},
        "error": {"NULL": True},
    }

    row = Row.from_raw_data({**ITEM, **damages})

    assert row.unreadable_attributes == {
        "attempt": "is malformed",
        "startedAt": "is malformed",
        "status": "is malformed",
        "retryable": "is not of type BOOL",
        "error": "is not of type S",
    }
    assert set(pynamodb_internals.row_values(row)) == {"pk", "sk", "type"}


@pytest.mark.parametrize(
    ("row_type", "problem"),
    [(None, "is missing"), ({"S": "future"}, "is unknown"), ({"N": "1"}, "is unknown")],
    ids=["none", "unknown", "number"],
)
def test_a_row_without_a_type_is_of_the_kind_of_its_key(
    row_type: Mapping[str, Any] | None, problem: str
) -> None:
    item = {name: value for name, value in ITEM.items() if name != "type"}

    row = Row.from_raw_data({**item, **({"type": row_type} if row_type else {})})

    assert type(row) is RunRow
    assert row.unreadable_attributes == {"type": problem}


def test_a_row_of_an_unknown_key_is_of_no_kind() -> None:
    assert type(Row.from_raw_data({"pk": {"S": "PLAN#1"}, "sk": {"S": "PLAN"}})) is Row


def test_pynamodb_still_filters_a_query_by_type() -> None:
    response = {"Items": [], "Count": 0, "ScannedCount": 0}

    with patch.object(TableConnection, "query", return_value=response) as query:
        list(Row.query("pk"))
        list(pynamodb_internals.query_rows(Row, "pk", None))

    by_pynamodb, by_us = query.call_args_list
    assert by_pynamodb.kwargs["filter_condition"] is not None
    assert "filter_condition" not in by_us.kwargs


class RecordingItem(dict[str, Any]):
    """An item that records which attributes are read from it."""

    def __init__(self, item: Mapping[str, Any]) -> None:
        super().__init__(item)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def test_pynamodb_still_goes_through_absent_attributes() -> None:
    item = RecordingItem(ITEM)

    Model.from_raw_data.__func__(Row, item)  # type: ignore[attr-defined]

    assert "durationMs" in item.names


def test_pynamodb_still_reads_numbers_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    documents: list[str] = []
    monkeypatch.setattr(json, "loads", documents.append)

    NumberAttribute().deserialize("12")

    assert documents == ["12"]


CONNECTION_CLOSED = ConnectionClosedError(endpoint_url="http://dynamodb")


def test_pynamodb_still_fails_to_read_the_code_of_a_closed_connection() -> None:
    with pytest.raises(AttributeError):
        _ = GetError("failed", CONNECTION_CLOSED).cause_response_code


def test_error_code_is_dynamodbs_or_none() -> None:
    throttled = ClientError({"Error": {"Code": "ThrottlingException"}}, "GetItem")

    assert pynamodb_internals.error_code(GetError("failed", throttled)) == "ThrottlingException"
    assert pynamodb_internals.error_code(GetError("failed", CONNECTION_CLOSED)) is None
