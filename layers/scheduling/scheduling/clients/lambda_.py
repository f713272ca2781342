"""Lambda: the sweep's invocations of its own function."""

import json
from collections.abc import Mapping
from functools import cached_property
from threading import Lock
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError
from botocore.session import Session

from scheduling.domain.errors import PartFailed, Unavailable

MAX_SECONDS = 300
"""How long an invocation may take: that of an install with 10,000 schedules is the longest."""


class FunctionClient:
    """Invokes one function, several times at once, and waits for the results."""

    def __init__(self, session: Session, function_arn: str, max_connections: int) -> None:
        self._session = session
        self._function_arn = function_arn
        self._config = Config(
            connect_timeout=1,
            read_timeout=MAX_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=max_connections,
        )
        self._lock = Lock()

    @property
    def _client(self) -> Any:
        with self._lock:
            return self._cached_client

    @cached_property
    def _cached_client(self) -> Any:
        return self._session.create_client("lambda", config=self._config)

    def invoke_function(self, event: Mapping[str, Any]) -> Any:
        """Return the function's result.

        One call.

        Raises:
            Unavailable: The function was not invoked.
            PartFailed: It was invoked, but has failed or not answered.
        """
        try:
            response = self._client.invoke(
                FunctionName=self._function_arn, Payload=json.dumps(event, separators=(",", ":")).encode()
            )
            body = response["Payload"].read()
        except ReadTimeoutError as error:
            raise PartFailed(str(error)) from error
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(str(error)) from error
        if "FunctionError" in response:
            raise PartFailed(body.decode(errors="replace")[:1_000])
        return json.loads(body)
