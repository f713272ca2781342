"""Secrets, read at first use and again when they may have been rotated."""

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
SECRET_MAX_AGE_SECONDS = 300.0
ROTATION_GRACE = timedelta(seconds=SECRET_MAX_AGE_SECONDS + 60)
"""How long after a rotation every process has certainly read the new value."""
CURRENT_STAGE, PREVIOUS_STAGE = "AWSCURRENT", "AWSPREVIOUS"


@dataclass(frozen=True, slots=True)
class _SecretVersion:
    text: str
    created_at: datetime


def _system_clock() -> datetime:
    return datetime.now(UTC)


class Secret:
    """The values of one secret at some stages, cached for at most five minutes."""

    def __init__(
        self,
        session: Session,
        secret_id: str,
        stages: Sequence[str] = (CURRENT_STAGE,),
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = _system_clock,
    ) -> None:
        self._client: Any = session.create_client("secretsmanager", config=_CONFIG)
        self._secret_id = secret_id
        self._stages = stages
        self._monotonic = monotonic
        self._clock = clock
        self._versions: Sequence[_SecretVersion] = ()
        self._read_at = 0.0

    def read_value(self) -> str:
        """Return the value at the first stage.

        Raises:
            Unavailable: Secrets Manager does not respond.
        """
        return self.read_values()[0]

    def read_values(self) -> Sequence[str]:
        """Return the values, in the order of the stages; AWSPREVIOUS has none before the first rotation."""
        return tuple(version.text for version in self._load_versions())

    def read_propagated_value(self) -> str:
        """Return the first value that every process has read: for a while after a rotation, the previous one.

        The age of a value is by Secrets Manager's clock, so by the real one.
        """
        versions = self._load_versions()
        propagated_before = self._clock() - ROTATION_GRACE
        return next(
            (version.text for version in versions if version.created_at <= propagated_before),
            versions[-1].text,
        )

    def _load_versions(self) -> Sequence[_SecretVersion]:
        if not self._versions or self._monotonic() - self._read_at > SECRET_MAX_AGE_SECONDS:
            read_at = self._monotonic()
            versions = [self._read_version(stage) for stage in self._stages]
            self._versions, self._read_at = [version for version in versions if version], read_at
        return self._versions

    def _read_version(self, stage: str) -> _SecretVersion | None:
        try:
            response = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
        except self._client.exceptions.ResourceNotFoundException as error:
            if stage == PREVIOUS_STAGE:
                return None
            raise Unavailable("The secret store is not available, please try again") from error
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("The secret store is not available, please try again") from error
        return _SecretVersion(response["SecretString"], response["CreatedDate"])
