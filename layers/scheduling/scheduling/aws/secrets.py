"""Secrets, read when first asked for and again when they may have been rotated."""

import time
from collections.abc import Callable

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from scheduling.domain.errors import Unavailable

_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3})
MAX_AGE_SECONDS = 300.0


class Secret:
    """One secret's current value, at most five minutes old."""

    def __init__(
        self, session: Session, secret_id: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = boto3.Session(botocore_session=session).client("secretsmanager", config=_CONFIG)
        self._secret_id = secret_id
        self._monotonic = monotonic
        self._value: str | None = None
        self._read_at = 0.0

    def value(self) -> str:
        """The value. Raises Unavailable where Secrets Manager does not answer."""
        if self._value is None or self._monotonic() - self._read_at > MAX_AGE_SECONDS:
            try:
                answer = self._client.get_secret_value(SecretId=self._secret_id)
            except (ClientError, BotoCoreError) as error:
                raise Unavailable("The secret store is not available, please try again") from error
            self._value, self._read_at = answer["SecretString"], self._monotonic()
        return self._value
