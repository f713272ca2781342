"""The message that continues an occurrence, and its dead letter: both are sent before the old message goes."""

from datetime import datetime

from scheduling.domain.deliveries.delivery import Delivery
from scheduling.domain.fire_events import format_fire_event, message_group
from scheduling.domain.ids import new_token
from scheduling.domain.schedule import Schedule
from scheduling.operations.services import Services


def send_continuation(
    services: Services,
    delivery: Delivery,
    schedule: Schedule | None,
    until: datetime,
    wait_token: str | None,
) -> None:
    """Send the message that continues the occurrence at that time, or before it where SQS cannot delay it as long.

    Raises:
        Unavailable: The message may not have been sent.
    """
    now = services.clock()
    event = delivery.next_event(now, wait_token)
    services.queue.send_event(event, _find_group(delivery, schedule), until - now)


def send_dead_letter(services: Services, delivery: Delivery, schedule: Schedule | None, reason: str) -> str:
    """Send the dead letter of the occurrence, which is its own replay; return the token by which the row names it.

    Raises:
        Unavailable: The message may not have been sent.
    """
    token = new_token()
    body = format_fire_event(delivery.dead_letter_event(services.clock(), token))
    services.queue.send_dead_letter(body, _find_group(delivery, schedule), reason)
    return token


def _find_group(delivery: Delivery, schedule: Schedule | None) -> str:
    return delivery.group or (message_group(schedule) if schedule else delivery.fire.install_id)
