"""Create, list and delete a schedule by the generated client; a script in the environment of that client.

Its arguments are the folder of the client, the API's URL, the runners' token and the install.
"""

import json
import sys

folder, url, token, install_id = sys.argv[1:]
sys.path.insert(0, folder)

from scheduler_client import AuthenticatedClient  # noqa: E402
from scheduler_client.api.schedules import create_schedule, delete_schedule, list_schedules  # noqa: E402
from scheduler_client.models import NewSchedule, Problem, Schedule, SchedulePage  # noqa: E402

client = AuthenticatedClient(base_url=url, token=token, prefix="", auth_header_name="x-runner-auth")

body = NewSchedule.from_dict(
    {"endpoint": "POST /api/sync", "cron": "0 9 * * *", "name": "daily", "payload": {"n": 1}}
)
created = create_schedule.sync_detailed(install_id, client=client, body=body)
assert isinstance(created.parsed, Schedule), created
schedule = created.parsed

refused = create_schedule.sync_detailed(install_id, client=client, body=body)
assert isinstance(refused.parsed, Problem), refused

page = list_schedules.sync_detailed(install_id, client=client, limit=10)
assert isinstance(page.parsed, SchedulePage), page

deleted = delete_schedule.sync_detailed(install_id, schedule.id, client=client)
after = list_schedules.sync(install_id, client=client)
assert isinstance(after, SchedulePage), after

json.dump(
    {
        "created": [
            created.status_code,
            schedule.name,
            schedule.payload.to_dict(),
            schedule.next_fire_at.minute,
        ],
        "refused": [refused.status_code, refused.parsed.code.value, refused.parsed.field_errors.to_dict()],
        "listed": [str(each.id) == str(schedule.id) for each in page.parsed.schedules],
        "deleted": deleted.status_code,
        "left": len(after.schedules),
    },
    sys.stdout,
)
