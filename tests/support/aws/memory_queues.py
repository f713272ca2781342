"""SQS's SendMessage in memory; refuses requests by the rules of its documentation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.aws.memory_table import ServiceError, require_known_arguments

Arguments = Mapping[str, Any]
_GROUP = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_BODY = re.compile(r"[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")


@dataclass
class MemoryQueues:
    """The sent messages by the queue's URL; any URL is a queue."""

    sent: dict[str, list[Arguments]] = field(default_factory=dict)

    def send_message(self, arguments: Arguments) -> dict[str, Any]:
        """SendMessage to a standard queue."""
        require_known_arguments(
            arguments, {"QueueUrl", "MessageBody", "MessageGroupId", "DelaySeconds", "MessageAttributes"}
        )
        texts = [each["StringValue"] for each in arguments.get("MessageAttributes", {}).values()]
        rules = {
            "MessageBody": bool(_BODY.fullmatch(arguments["MessageBody"])),
            "MessageGroupId": bool(_GROUP.fullmatch(arguments.get("MessageGroupId", "none"))),
            "DelaySeconds": 0 <= arguments.get("DelaySeconds", 0) <= 900,
            "MessageAttributes": all(map(_BODY.fullmatch, texts)),
        }
        for name, holds in rules.items():
            if not holds:
                raise ServiceError("InvalidParameterValue", f"Value for parameter {name} is invalid")
        messages = self.sent.setdefault(arguments["QueueUrl"], [])
        messages.append(arguments)
        return {"MessageId": f"message-{len(messages)}"}
