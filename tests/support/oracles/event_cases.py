"""The events under events/, the state that they require, and their expected responses."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from scheduling.api.callback_token import issue_token
from scheduling.domain.ids import InstallId, ScheduleId
from scheduling.domain.runs import Execution, Outcome, RunStatus
from scheduling.operations.services import Services

EVENTS = Path(__file__).parents[3] / "events"
CASES = sorted(
    f"{path.parent.name}/{path.stem}"
    for path in EVENTS.glob("*/*.json")
    if not path.name.endswith(".expected.json")
)
DATED_CASES = frozenset({"backfill/all", "backfill/dry_run"})
"""The cases that name a period, which is no longer in the history 30 days later: a stack in real time refuses them."""
TIMELESS_CASES = [case for case in CASES if case not in DATED_CASES]
INSTALL_ID = InstallId("5a3d1e0c-9c1b-4f0e-8d55-0d2f6a1c7e11")
SCHEDULE_ID = ScheduleId("01a20745-4897-4f81-a91e-a0d09962b8d6")
DAILY = {"endpoint": "POST /api/sync", "cron": "0 9 * * *", "name": "daily"}
LAST_FIRE = "2026-11-22T09:00:00Z"


class _SucceedingRunner:
    """A runner whose runs succeed."""

    def __call__(self, _execution: Execution) -> Outcome:
        return Outcome(status=RunStatus.SUCCESS, http_status=200)


def load_event(case: str, callback_token: str = "") -> dict[str, Any]:
    """Load the event of a case such as `create/hourly` and insert the token; one in the file would expire."""
    text = (EVENTS / f"{case}.json").read_text("utf-8").replace("<callback token>", callback_token)
    return dict(json.loads(text))


def load_expected_response(case: str) -> dict[str, Any]:
    """Load the expected response of the case."""
    return dict(json.loads((EVENTS / f"{case}.expected.json").read_text("utf-8")))


def issue_run_token(services: Services, key: str, issuer: str, now: datetime) -> str:
    """Issue a callback token of the events' install."""
    install = services.schedules.read_snapshot(INSTALL_ID).install
    assert install is not None
    return issue_token(key, issuer, install, now, timedelta(seconds=30))
