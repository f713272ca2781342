"""The executor function, invoked as EventBridge Scheduler invokes it."""

import json
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from scheduling.domain.errors import Unavailable
from scheduling.domain.runs import Fire

_CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


class ExecutorClient:
    """The function that runs occurrences."""

    def __init__(self, session: Session, function_arn: str) -> None:
        self._client: Any = session.create_client("lambda", config=_CONFIG)
        self._function_arn = function_arn

    def deliver_fire(self, fire: Fire) -> None:
        """Deliver a fire, to be run asynchronously.

        One call, which returns once Lambda has accepted the event.

        Raises:
            Unavailable: The fire may have been delivered.
        """
        event = {
            "installId": fire.install_id,
            "scheduleId": fire.schedule_id,
            "revision": fire.timer_revision,
            "scheduledTime": fire.scheduled_time,
            "trigger": fire.trigger.value,
            **({"replay": True} if fire.replay else {}),
        }
        payload = json.dumps(event).encode()
        try:
            self._client.invoke(FunctionName=self._function_arn, InvocationType="Event", Payload=payload)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("The run could not be confirmed; it may still start") from error
