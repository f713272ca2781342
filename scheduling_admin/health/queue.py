"""The depth and the age of the queue of occurrences, for the whole stack's health and for one overdue occurrence."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from scheduling_admin.health.metrics import read_oldest_message_age
from scheduling_admin.health.model import QueueDepth, QueueState
from scheduling_admin.stack.session import AdminSession

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def read_queue_depth(session: AdminSession) -> QueueDepth:
    """Return how many messages the queue has.

    One GetQueueAttributes.
    """
    sqs: SQSClient = session.boto_session.client("sqs")
    attributes = sqs.get_queue_attributes(
        QueueUrl=session.stack.occurrence_queue_url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )["Attributes"]
    return QueueDepth(
        ready=int(attributes["ApproximateNumberOfMessages"]),
        running=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(attributes["ApproximateNumberOfMessagesDelayed"]),
    )


def read_queue_state(session: AdminSession) -> QueueState:
    """Return the queue's depth, and its age if CloudWatch responds.

    One GetQueueAttributes, and one GetMetricData of one metric.
    """
    depth = read_queue_depth(session)
    try:
        cloudwatch = session.boto_session.client("cloudwatch")
        return QueueState(depth, read_oldest_message_age(cloudwatch, session.stack.queue_name, session.now))
    except (BotoCoreError, ClientError):  # the depth is worth as much without it
        return QueueState(depth, None)
