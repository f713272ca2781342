"""Single DynamoDB requests: reads, combined writes, and their errors by code."""

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from scheduling.domain.errors import Conflict, Unavailable
from scheduling.store.keys import Key
from scheduling.store.models import Row
from scheduling.store.pynamodb_internals import batch_get_items, error_code, update_item

_RowT = TypeVar("_RowT", bound=Row)
_LOST_RACE_REASONS = frozenset({"ConditionalCheckFailed", "TransactionConflict", "None"})
_CONFLICT_CODES = frozenset({"ConditionalCheckFailedException", "TransactionConflictException"})
_NOT_RETRYABLE_CODES = frozenset(
    {"ValidationException", "AccessDeniedException", "ResourceNotFoundException"}
)
_INVALID_REASONS = frozenset({"ValidationError", "ItemCollectionSizeLimitExceeded"})
"""Reasons why a transaction is cancelled that the same transaction would always meet, such as an item too large."""
_UNAVAILABLE_TEXT = "The table is not available, please try again"
MAX_READ_KEYS = 100
"""Keys of one BatchGetItem, by DynamoDB's limit."""

_MAX_READS = 5
_FIRST_BACKOFF_SECONDS = 0.05
"""Bounds of a read whose keys DynamoDB leaves unprocessed; the waits, up to 0.75 s, double."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate the errors of DynamoDB into those of operations.

    An error that means a bug is raised as it is: the same request would always meet it.

    Raises:
        Conflict: A condition was not met, or a concurrent write came first.
        Unavailable: DynamoDB does not respond, or throttles.
    """
    try:
        yield
    except PynamoDBException as error:
        code, reasons = error_code(error), _cancellation_reasons(error)
        if code in _NOT_RETRYABLE_CODES or reasons & _INVALID_REASONS:
            raise
        lost_race = code == "TransactionCanceledException" and reasons <= _LOST_RACE_REASONS
        if lost_race or code in _CONFLICT_CODES:
            raise Conflict from error
        raise Unavailable(_UNAVAILABLE_TEXT) from error


def _cancellation_reasons(error: PynamoDBException) -> frozenset[str]:
    if not isinstance(error, TransactWriteError):
        return frozenset()
    return frozenset(reason.code if reason else "None" for reason in error.cancellation_reasons)


class Items:
    """The rows of one read."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = list(rows)

    def find_item(self, row_class: type[_RowT]) -> _RowT | None:
        """Return the one row of that kind, or None."""
        return next((row for row in self._rows if isinstance(row, row_class)), None)

    def find_items(self, row_class: type[_RowT]) -> Sequence[_RowT]:
        """Return all rows of that kind, in any order."""
        return [row for row in self._rows if isinstance(row, row_class)]


def read_items(*keys: Key | None) -> Items:
    """Return the rows with these keys, by one strongly consistent read.

    Raises:
        Unavailable: DynamoDB does not respond.
    """
    unread_keys: Sequence[Mapping[str, Any]] = [
        {"pk": {"S": key["hash_key"]}, "sk": {"S": key["range_key"]}} for key in keys if key
    ]
    rows: list[Row] = []
    for attempt in range(_MAX_READS):
        if attempt:
            ceiling = _FIRST_BACKOFF_SECONDS * 2 ** (attempt - 1)
            time.sleep(random.uniform(ceiling / 2, ceiling))  # noqa: S311 - spreads load, guards nothing
        with translate_errors():
            items, unread_keys = batch_get_items(Row, unread_keys)
        rows += map(Row.from_raw_data, items)
        if not unread_keys:
            return Items(rows)
    raise Unavailable(_UNAVAILABLE_TEXT)


class TransactWriter:
    """Puts, updates and deletes that are applied all or none; a single one needs no transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._steps: list[tuple[str, tuple[Any, ...]]] = []

    def put_row(self, row: Row, condition: Condition | None = None) -> None:
        """Put the whole row."""
        self._steps.append(("save", (row, condition)))

    def update_row(self, row: Row, actions: Sequence[Action], condition: Condition) -> None:
        """Update some attributes of the row with this key."""
        self._steps.append(("update", (row, list(actions), condition)))

    def delete_row(self, row: Row, condition: Condition | None = None) -> None:
        """Delete the row with this key."""
        self._steps.append(("delete", (row, condition)))

    def check_row(self, row: Row, condition: Condition) -> None:
        """Check the row with this key, together with other steps."""
        self._steps.append(("condition_check", (type(row), row.pk, row.sk, condition)))

    def commit(self) -> None:
        """Apply the steps, if there are any.

        Raises:
            Conflict: A condition was not met, or a concurrent write came first.
            Unavailable: DynamoDB does not respond.
        """
        if not self._steps:
            return
        with translate_errors():
            if len(self._steps) == 1:
                method_name, arguments = self._steps[0]
                if method_name == "update":
                    row, actions, condition = arguments
                    update_item(Row, row.pk, row.sk, actions, condition)
                else:
                    getattr(arguments[0], method_name)(*arguments[1:])
                return
            with TransactWrite(connection=self._connection) as transaction:
                for method_name, arguments in self._steps:
                    getattr(transaction, method_name)(*arguments)
