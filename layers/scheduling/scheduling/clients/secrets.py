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
SECRET_MAX_STALE_SECONDS = 3600.0
"""How long a value is used while Secrets Manager does not respond."""
_RETRY_SECONDS = 30.0
"""How long a process waits after a failed read, which delays a request by up to nine seconds."""
ROTATION_GRACE = timedelta(seconds=SECRET_MAX_STALE_SECONDS + 60)
"""How long after a rotation every process has certainly read the new value."""
_DEFINITE_ERROR_CODES = frozenset(
    {
        "AccessDeniedException",
        "DecryptionFailure",
        "InvalidParameterException",
        "InvalidRequestException",
        "ResourceNotFoundException",
        "ValidationException",
    }
)
"""Responses, not outages: the secret was deleted or withdrawn, so its last value must not be used on."""
CURRENT_STAGE, PREVIOUS_STAGE = "AWSCURRENT", "AWSPREVIOUS"


_UNAVAILABLE_TEXT = "The secret store is not available, please try again"


class _Outage(Exception):
    """Secrets Manager does not respond."""


@dataclass(frozen=True, slots=True)
class _SecretVersion:
    text: str
    created_at: datetime


def _system_clock() -> datetime:
    return datetime.now(UTC)


def _ignore(_secret_id: str, _age_seconds: float | None) -> None:
    """Report no outage."""


class Secret:
    """The values of one secret at some stages, cached for five minutes, and for an hour in an outage.

    Args:
        session: The session of the client.
        secret_id: The secret's name or ARN.
        stages: The stages whose values are read.
        monotonic: Returns seconds that never go back.
        clock: Returns the current time as an aware UTC time.
        report_outage: Called for each read that failed because Secrets Manager does not respond, with the secret's id
            and the age of the value that is used instead, None if there is none.
    """

    def __init__(
        self,
        session: Session,
        secret_id: str,
        stages: Sequence[str] = (CURRENT_STAGE,),
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = _system_clock,
        report_outage: Callable[[str, float | None], None] = _ignore,
    ) -> None:
        self._client: Any = session.create_client("secretsmanager", config=_CONFIG)
        self._secret_id = secret_id
        self._stages = stages
        self._monotonic = monotonic
        self._clock = clock
        self._report_outage = report_outage
        self._versions: Sequence[_SecretVersion] = ()
        self._read_at = self._next_read_at = 0.0

    def read_value(self) -> str:
        """Return the value at the first stage.

        Raises:
            Unavailable: There is no such secret, or Secrets Manager has not responded for an hour or at the first read.
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
        now = self._monotonic()
        if not self._versions or now > self._next_read_at:
            try:
                versions = [self._read_version(stage) for stage in self._stages]
            except _Outage as outage:
                self._use_last_versions(now, outage)
            else:
                self._versions = [version for version in versions if version]
                self._read_at, self._next_read_at = now, now + SECRET_MAX_AGE_SECONDS
        return self._versions

    def _use_last_versions(self, now: float, outage: "_Outage") -> None:
        age = now - self._read_at if self._versions else None
        self._report_outage(self._secret_id, age)
        if age is None or age > SECRET_MAX_STALE_SECONDS:
            raise Unavailable(_UNAVAILABLE_TEXT) from outage
        self._next_read_at = now + _RETRY_SECONDS

    def _read_version(self, stage: str) -> _SecretVersion | None:
        try:
            response = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
        except self._client.exceptions.ResourceNotFoundException as error:
            if stage == PREVIOUS_STAGE:
                return None
            raise Unavailable(_UNAVAILABLE_TEXT) from error
        except ClientError as error:
            if error.response["Error"]["Code"] in _DEFINITE_ERROR_CODES:
                raise Unavailable(_UNAVAILABLE_TEXT) from error
            raise _Outage from error
        except BotoCoreError as error:
            raise _Outage from error
        return _SecretVersion(response["SecretString"], response["CreatedDate"])
