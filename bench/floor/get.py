from aws import install_key, payload_key, read_items, schedule_key
from responses import (
    http_handler,
    parse_install_id,
    parse_schedule_id,
    require_active,
    require_manageable,
    schedule_response,
)


@http_handler
def handler(event):
    install_id, schedule_id = parse_install_id(event), parse_schedule_id(event)
    keys = schedule_key(install_id, schedule_id), payload_key(install_id, schedule_id)
    items = read_items(install_key(install_id), *keys)
    require_manageable(items.get("INSTALL"))
    return schedule_response(200, require_active(items.get(f"SCHEDULE#{schedule_id}")))
