"""Records of a table's stream as Lambda delivers them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

Record = Mapping[str, Any]


def stream_record(moment: datetime, number: int, old: Any, new: Any) -> Record:
    """Build the record of one item's change."""
    images = {"OldImage": old, "NewImage": new}
    either = old or new
    return {
        "eventID": f"event-{number}",
        "eventName": "MODIFY" if old and new else "INSERT" if new else "REMOVE",
        "dynamodb": {
            "ApproximateCreationDateTime": moment.timestamp(),
            "Keys": {name: either[name] for name in ("pk", "sk")},
            "SequenceNumber": str(number),
            **{name: image for name, image in images.items() if image},
        },
    }
