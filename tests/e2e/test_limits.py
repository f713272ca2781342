"""Quota, names and the window under concurrency, and answers near Lambda's limit."""

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.local_stack import ApiInstall, LocalStack, local_stack

WANTED = {"endpoint": "/api/sync", "cron": "0 * * * *"}


def at_once(install: ApiInstall, count: int, **fields: object) -> list[httpx.Response]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: install.call("create", **WANTED, **fields), range(count)))


def stored(install: ApiInstall, kind: str) -> list[dict[str, dict[str, str]]]:
    return [row for row in install.rows() if row["type"]["S"] == kind]


def test_sixty_four_creates_at_once_make_exactly_fifty(install: ApiInstall) -> None:
    answers = at_once(install, 64)

    refused = [answer for answer in answers if answer.status_code != 201]
    assert [answer.status_code for answer in refused] == [400] * 14
    assert {answer.json()["error"] for answer in refused} == {
        "Too many schedules (max 50 per extension install)"
    }
    created = {answer.json()["scheduleId"] for answer in answers if answer.status_code == 201}
    assert len(created) == 50
    assert len(stored(install, "schedule")) == 50
    assert all(install.timer(schedule_id) for schedule_id in created)
    (row,) = stored(install, "install")
    assert row["scheduleCount"] == {"N": "50"}


def test_of_forty_creates_of_one_name_at_once_exactly_one_succeeds(install: ApiInstall) -> None:
    answers = at_once(install, 40, name="nightly")

    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 39
    errors = {answer.json()["error"] for answer in answers if answer.status_code == 400}
    assert errors == {"Schedule name already in use for this extension"}
    assert len(stored(install, "schedule")) == len(stored(install, "name")) == 1


@pytest.mark.local_only("one test of the quota is enough there")
def test_a_place_is_free_again_after_a_delete(install: ApiInstall) -> None:
    schedules = [install.created(enabled=False) for _ in range(50)]
    assert install.call("create", **WANTED).status_code == 400

    install.call("delete", scheduleId=schedules[7])

    assert install.call("create", **WANTED).status_code == 201


class TestFiftyLargePayloads:
    QUOTES = '"' * 49_998

    @pytest.fixture
    def full(self, install: ApiInstall) -> ApiInstall:
        for _ in range(50):
            install.created(enabled=False, payload=[self.QUOTES])
        return install

    def test_the_list_is_answered_whole_or_refused_clearly(self, stack: LocalStack, full: ApiInstall) -> None:
        body = {"operation": "list"}
        compressed = stack.api.post(full.callback_path, json=body, headers={"accept-encoding": "gzip"})
        assert compressed.headers["content-encoding"] == "gzip"
        schedules = compressed.json()["schedules"]
        assert len(schedules) == 50
        assert all(schedule["payload"] == [self.QUOTES] for schedule in schedules)

        refused = stack.api.post(full.callback_path, json=body, headers={"accept-encoding": "identity"})
        assert refused.status_code == 413
        assert refused.json()["code"] == "ANSWER_TOO_LARGE"
        assert f"GET /v1/installs/{full.id}/schedules" in refused.json()["error"]

        seen, cursor = [], ""
        while cursor is not None:
            query = {"cursor": cursor} if cursor else {}
            page = stack.api.get(
                f"{full.path}/schedules", params=query, headers={"accept-encoding": "identity"}
            )
            assert page.status_code == 200
            assert len(json.dumps(page.text)) < 6_000_000
            seen += page.json()["schedules"]
            cursor = page.json()["nextCursor"]
        assert seen == schedules


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    limits = {
        "WRITES_PER_MINUTE": "10",
        "MAX_SCHEDULES_PER_INSTALL": "11",
        "MIN_INTERVAL_MINUTES": "30",
        "MAX_PAYLOAD_BYTES": "10",
    }
    with local_stack(tmp_path_factory.mktemp("narrow"), **limits) as stack:
        yield stack


@pytest.mark.local_only("it has a stack of its own")
def test_the_eleventh_write_within_a_minute_is_told_when_to_come_back(narrow: LocalStack) -> None:
    install = narrow.register()
    schedule_id = install.created()
    narrow.travel("PT20S")
    for number in range(8):
        assert install.call("update", scheduleId=schedule_id, payload=[number]).status_code == 200
    assert install.call("update", scheduleId=schedule_id, cron="* * * * *").status_code == 400
    other = install.created()

    for answer in (
        install.call("create", **WANTED),
        install.call("update", scheduleId=schedule_id, enabled=True),
        install.call("delete", scheduleId=other),
    ):
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "40"
        assert answer.json() == {
            "success": False,
            "error": "Too many requests, please try again later",
            "code": "RATE_LIMITED",
        }
    rest = narrow.api.post(f"{install.path}/schedules", json=WANTED)
    assert (rest.status_code, rest.headers["retry-after"], rest.json()["code"]) == (429, "40", "RATE_LIMITED")
    assert install.call("list").status_code == 200

    narrow.travel("PT39S")
    assert install.call("create", **WANTED).headers["retry-after"] == "1"
    narrow.travel("PT1S")
    assert install.call("create", **WANTED).status_code == 201
    assert install.call("create", **WANTED).headers["retry-after"] == "20"


@pytest.mark.local_only("it has a stack of its own")
def test_the_window_is_the_installs_own(narrow: LocalStack) -> None:
    busy, idle = narrow.register(), narrow.register()
    for _ in range(10):
        busy.created()

    assert busy.call("create", **WANTED).status_code == 429
    idle.created()


@pytest.mark.local_only("it has a stack of its own")
def test_twenty_four_writes_at_once_let_ten_through(narrow: LocalStack) -> None:
    answers = at_once(narrow.register(), 24)

    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [429] * 14
    assert {answer.headers["retry-after"] for answer in answers if answer.status_code == 429} == {"60"}


@pytest.mark.local_only("it has a stack of its own")
def test_the_limits_are_parameters(narrow: LocalStack) -> None:
    install = narrow.register()
    often = install.call("create", endpoint="/api/sync", cron="*/15 * * * *")
    assert often.json()["error"] == "Cron too frequent (minimum interval is 30 minutes)"
    large = install.call("create", **WANTED, payload=[1, 2, 3, 4, 5])
    assert large.json()["error"] == "Payload too large"
    for _ in range(10):
        install.created(payload=[1])
    narrow.travel("PT1M")
    install.created()
    many = install.call("create", **WANTED)
    assert many.json()["error"] == "Too many schedules (max 11 per extension install)"


def test_a_compressed_answer_is_valid_gzip(install: ApiInstall) -> None:
    """The client above decodes by itself; this one looks at the bytes."""
    for _ in range(40):
        install.created(enabled=False, payload=["\\" * 49_998])
    with install.stack.api.stream("POST", install.callback_path, json={"operation": "list"}) as answer:
        raw = b"".join(answer.iter_raw())

    assert len(json.loads(gzip.decompress(raw))["schedules"]) == 40
