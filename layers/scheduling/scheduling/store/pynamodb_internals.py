"""All uses of private or undocumented parts of pynamodb, each with the version that it is written for.

The tests in tests/unit/store/test_pynamodb_internals.py fail when pynamodb changes such a part, or when it no longer
needs to be worked around.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import Session
from pynamodb.attributes import Attribute, NumberAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

_Reader = tuple[str, Callable[[Any], Any], str]


def table_connection(model: type[Model]) -> TableConnection:
    """Return the connection that the model and all its subclasses share once this has been called for the model.

    6.1.0: `Model._get_connection` is private. It stores the connection in the class that it is called on, so that
    each subclass that is used before its base class gets a connection, and a client, of its own.
    """
    return model._get_connection()


def use_session(connection: Connection, session: Session) -> None:
    """Make the connection create its client, which must not exist yet, from the session.

    6.1.0: `Connection` has no parameter for a session. It creates one per thread in the private `_local`, and its one
    client from that of the thread that uses the connection first.
    """
    connection._local.session = session


def update_item(
    model: type[Model], hash_key: str, range_key: str, actions: Sequence[Action], condition: Condition
) -> None:
    """Update an item without reading it in the response.

    6.1.0: `Model.update` makes DynamoDB return the whole item, and deserializes it.
    """
    table_connection(model).update_item(hash_key, range_key=range_key, actions=actions, condition=condition)


def query_rows(
    model: type[Model], hash_key: str, range_key_condition: Condition | None, **options: Any
) -> Iterator[Any]:
    """Yield the rows of a query, whatever their types; the options are those of `query_items`.

    6.1.0: `Model.query` adds a filter by the types that the model knows, so that an item without a type is invisible.
    """
    return map(model.from_raw_data, query_items(model, hash_key, range_key_condition, **options))


def query_items(
    model: type[Model],
    hash_key: str,
    range_key_condition: Condition | None,
    *,
    page_size: int | None = None,
    limit: int | None = None,
    **options: object,
) -> Iterator[dict[str, Any]]:
    """Yield the items of a query as DynamoDB has them.

    6.1.0: no documented way leaves the items of a query as they are.
    """
    arguments = {"range_key_condition": range_key_condition, "limit": page_size or limit, **options}
    items: Iterator[dict[str, Any]] = ResultIterator(
        table_connection(model).query, (hash_key,), arguments, limit=limit
    )
    return items


def batch_get_items(
    model: type[Model], keys: Sequence[Mapping[str, Any]]
) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    """Return the items with these keys, and the keys that DynamoDB has left unprocessed, by one request.

    6.1.0: `Model.batch_get` asks for unprocessed keys again at once, and without end. The connection's method takes
    keys as DynamoDB has them, which its annotation does not say.
    """
    connection: Any = table_connection(model)
    response = connection.batch_get_item(keys, consistent_read=True)
    unprocessed = response.get("UnprocessedKeys", {}).get(connection.table_name, {})
    return response["Responses"].get(connection.table_name, []), unprocessed.get("Keys", [])


def model_from_item(
    discriminator: Attribute[Any], item: Mapping[str, Mapping[str, Any]]
) -> type[Model] | None:
    """Return the class that the discriminator of a DynamoDB item names; None if it names none.

    6.1.0: `DiscriminatorAttribute.deserialize` raises ValueError for an unknown name.
    """
    try:
        model: type[Model] = discriminator.deserialize(item[discriminator.attr_name][discriminator.attr_type])
    except (KeyError, ValueError):
        return None
    return model


def row_from_item(model: type[Model], item: Mapping[str, Mapping[str, Any]]) -> tuple[Any, dict[str, str]]:
    """Return the row of a DynamoDB item, and why attributes of it cannot be read, by their names in the item.

    6.1.0: `Model.from_raw_data` goes through all attributes that a row could have, calls the constructor, and raises
    for an attribute that it cannot read. This goes through those of the item, and fills the undocumented
    `attribute_values` of an instance.
    """
    readers = _attribute_readers(model)
    problems: dict[str, str] = {}
    row = model.__new__(model)
    row.attribute_values = {}
    for attribute_name, typed_value in item.items():
        if attribute_name in readers:
            field_name, deserialize, type_key = readers[attribute_name]
            try:
                row.attribute_values[field_name] = deserialize(typed_value[type_key])
            except KeyError:
                problems[attribute_name] = f"is not of type {type_key}"
            except (ValueError, TypeError, OverflowError):
                problems[attribute_name] = "is malformed"
    return row, problems


@cache
def _attribute_readers(model: type[Model]) -> Mapping[str, _Reader]:
    """Return the field name, the deserializer and DynamoDB's type key of each attribute, by its name in an item."""
    return {
        attribute.attr_name: (name, _choose_deserializer(attribute), attribute.attr_type)
        for name, attribute in model.get_attributes().items()
    }


def _choose_deserializer(attribute: Attribute[Any]) -> Callable[[Any], Any]:
    """Choose `int` for numbers, which are all whole here.

    6.1.0: `NumberAttribute.deserialize` reads each as a JSON document, in a sixth of the time that a list takes.
    """
    return int if type(attribute) is NumberAttribute else attribute.deserialize


def row_values(row: Model) -> Mapping[str, Any]:
    """Return the values of a row by field name, without those that the item lacks.

    6.1.0: `attribute_values` is undocumented. Each documented access to a field takes a descriptor's call.
    """
    return row.attribute_values


def error_code(error: PynamoDBException) -> str | None:
    """Return DynamoDB's code of the error, or None where DynamoDB did not respond.

    6.1.0: `cause_response_code` fails where the connection was closed: the response of botocore's error is None.
    """
    return error.cause_response_code if isinstance(error.cause, ClientError) else None
