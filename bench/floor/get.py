from answers import answering, install_id_of, managed, one_schedule, schedule_id_of, visible
from aws import install_key, read, schedule_key


@answering
def handler(event):
    install_id, schedule_id = install_id_of(event), schedule_id_of(event)
    found = read(install_key(install_id), schedule_key(install_id, schedule_id))
    managed(found.get("INSTALL"))
    return one_schedule(200, visible(found.get(f"SCHEDULE#{schedule_id}")))
