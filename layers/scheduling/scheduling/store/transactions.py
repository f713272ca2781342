"""One DynamoDB request at a time: writes put together and sent, errors told apart by their codes."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from botocore.exceptions import ClientError
from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from scheduling.domain.errors import Conflict, Unavailable
from scheduling.store.keys import Key
from scheduling.store.models import Row

_RowT = TypeVar("_RowT", bound=Row)
_LOST_RACE_REASONS = frozenset({"ConditionalCheckFailed", "TransactionConflict", "None"})
_CONFLICT_CODES = frozenset({"ConditionalCheckFailedException", "TransactionConflictException"})
_NOT_RETRYABLE_CODES = frozenset(
    {"ValidationException", "AccessDeniedException", "ResourceNotFoundException"}
)


@contextmanager
def translate_errors() -> Iterator[None]:
    """What DynamoDB answers, in the operations' words: Conflict, Unavailable, or the error itself if it is a bug."""
    try:
        yield
    except PynamoDBException as error:
        code = _error_code(error)
        if code in _CONFLICT_CODES or (code == "TransactionCanceledException" and _is_lost_race(error)):
            raise Conflict from error
        if code in _NOT_RETRYABLE_CODES:
            raise
        raise Unavailable("The table is not available, please try again") from error


def _error_code(error: PynamoDBException) -> str | None:
    """Not `cause_response_code`, which fails on the errors of a connection: their response is None."""
    return error.cause_response_code if isinstance(error.cause, ClientError) else None


def _is_lost_race(error: PynamoDBException) -> bool:
    if not isinstance(error, TransactWriteError):
        return False
    codes = {reason.code if reason else "None" for reason in error.cancellation_reasons}
    return codes <= _LOST_RACE_REASONS


class Items:
    """The rows that a read found, at most one of each kind."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = list(rows)

    def find_item(self, row_class: type[_RowT]) -> _RowT | None:
        """The row of that kind, or None."""
        return next((row for row in self._rows if isinstance(row, row_class)), None)


def read_items(*keys: Key | None) -> Items:
    """The rows with those keys, by one strongly consistent read. Raises Unavailable."""
    key_pairs = [(key["hash_key"], key["range_key"]) for key in keys if key]
    with translate_errors():
        return Items(Row.batch_get(key_pairs, consistent_read=True))


class TransactWriter:
    """Puts, updates and deletes that happen together or not at all; a single one costs no transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._steps: list[tuple[str, tuple[Any, ...]]] = []

    def put_row(self, row: Row, condition: Condition | None = None) -> None:
        """The whole row."""
        self._steps.append(("save", (row, condition)))

    def update_row(self, row: Row, actions: Sequence[Action], condition: Condition) -> None:
        """Some attributes of the row with that key."""
        self._steps.append(("update", (row, list(actions), condition)))

    def delete_row(self, row: Row, condition: Condition | None = None) -> None:
        """The row with that key."""
        self._steps.append(("delete", (row, condition)))

    def check_row(self, row: Row, condition: Condition) -> None:
        """Nothing, of the row with that key, beside other steps."""
        self._steps.append(("condition_check", (type(row), row.pk, row.sk, condition)))

    def commit(self) -> None:
        """Raises Conflict where a condition did not hold or a concurrent write came first, and Unavailable."""
        with translate_errors():
            if len(self._steps) == 1:
                method_name, arguments = self._steps[0]
                if method_name == "update":
                    _update_row(*arguments)
                else:
                    getattr(arguments[0], method_name)(*arguments[1:])
                return
            with TransactWrite(connection=self._connection) as transaction:
                for method_name, arguments in self._steps:
                    getattr(transaction, method_name)(*arguments)


def _update_row(row: Row, actions: Sequence[Action], condition: Condition) -> None:
    """Like `Row.update`, which has DynamoDB answer with the whole item."""
    Row._get_connection().update_item(row.pk, range_key=row.sk, actions=actions, condition=condition)
