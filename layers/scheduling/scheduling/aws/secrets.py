"""Secrets, read when first asked for and again when they may have been rotated."""

import time
from collections.abc import Callable, Sequence

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from scheduling.domain.errors import Unavailable

_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3})
MAX_AGE_SECONDS = 300.0
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


class Secret:
    """One secret's values at the given stages, known for at most five minutes."""

    def __init__(
        self,
        session: Session,
        secret_id: str,
        stages: Sequence[str] = (CURRENT,),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = boto3.Session(botocore_session=session).client("secretsmanager", config=_CONFIG)
        self._secret_id = secret_id
        self._stages = stages
        self._monotonic = monotonic
        self._values: tuple[str, ...] = ()
        self._read_at = 0.0

    def value(self) -> str:
        """The value at the first stage. Raises Unavailable where Secrets Manager does not answer."""
        return self.values()[0]

    def values(self) -> Sequence[str]:
        """The values, in the stages' order; there is none at AWSPREVIOUS before the first rotation."""
        if not self._values or self._monotonic() - self._read_at > MAX_AGE_SECONDS:
            read_at = self._monotonic()
            read = [self._read(stage) for stage in self._stages]
            self._values, self._read_at = tuple(value for value in read if value is not None), read_at
        return self._values

    def _read(self, stage: str) -> str | None:
        try:
            return self._client.get_secret_value(SecretId=self._secret_id, VersionStage=stage)["SecretString"]
        except self._client.exceptions.ResourceNotFoundException as error:
            if stage == PREVIOUS:
                return None
            raise Unavailable("The secret store is not available, please try again") from error
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("The secret store is not available, please try again") from error
