"""Secrets, read when first asked for and again when they may have been rotated."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from scheduling.domain.errors import Unavailable

_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3})
MAX_AGE_SECONDS = 300.0
SETTLED = timedelta(seconds=MAX_AGE_SECONDS + 60)
"""How long after a rotation every process is sure to have read the new value."""
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


@dataclass(frozen=True, slots=True)
class _Version:
    text: str
    created_at: datetime


def _system_clock() -> datetime:
    return datetime.now(UTC)


class Secret:
    """One secret's values at the given stages, known for at most five minutes."""

    def __init__(
        self,
        session: Session,
        secret_id: str,
        stages: Sequence[str] = (CURRENT,),
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = _system_clock,
    ) -> None:
        self._client: Any = session.create_client("secretsmanager", config=_CONFIG)
        self._secret_id = secret_id
        self._stages = stages
        self._monotonic = monotonic
        self._clock = clock
        self._versions: Sequence[_Version] = ()
        self._read_at = 0.0

    def value(self) -> str:
        """The value at the first stage. Raises Unavailable where Secrets Manager does not answer."""
        return self.values()[0]

    def values(self) -> Sequence[str]:
        """The values, in the stages' order; there is none at AWSPREVIOUS before the first rotation."""
        return tuple(version.text for version in self._known())

    def settled(self) -> str:
        """The first value that every other process knows: for a while after a rotation, the one before it.

        By Secrets Manager's clock, so by the real one. Raises Unavailable as the others do.
        """
        versions = self._known()
        since = self._clock() - SETTLED
        return next((known.text for known in versions if known.created_at <= since), versions[-1].text)

    def _known(self) -> Sequence[_Version]:
        if not self._versions or self._monotonic() - self._read_at > MAX_AGE_SECONDS:
            read_at = self._monotonic()
            read = [self._read(stage) for stage in self._stages]
            self._versions, self._read_at = [version for version in read if version], read_at
        return self._versions

    def _read(self, stage: str) -> _Version | None:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
        except self._client.exceptions.ResourceNotFoundException as error:
            if stage == PREVIOUS:
                return None
            raise Unavailable("The secret store is not available, please try again") from error
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("The secret store is not available, please try again") from error
        return _Version(answer["SecretString"], answer["CreatedDate"])
