"""Quota, names and the rate limit under concurrency, and responses near Lambda's size limit."""

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.stacks.local_stack import HOURLY_SCHEDULE, ApiInstall, LocalStack, start_local_stack


def create_when_free(install: ApiInstall, **fields: object) -> httpx.Response:
    """Create a schedule; on a machine so busy that all retries end, do it again as the response asks for."""
    for _ in range(10):
        response = install.call_callback("create", **HOURLY_SCHEDULE, **fields)
        if response.status_code != 503:
            break
        assert response.headers["retry-after"] == "1"
    return response


def create_concurrently(install: ApiInstall, count: int, **fields: object) -> list[httpx.Response]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: create_when_free(install, **fields), range(count)))


def read_rows_of_type(install: ApiInstall, kind: str) -> list[dict[str, dict[str, str]]]:
    return [row for row in install.read_rows() if row["type"]["S"] == kind]


def test_sixty_four_concurrent_creates_create_exactly_fifty(install: ApiInstall) -> None:
    responses = create_concurrently(install, 64)

    refused = [response for response in responses if response.status_code != 201]
    assert [response.status_code for response in refused] == [400] * 14
    assert {response.json()["error"] for response in refused} == {
        "Too many schedules (max 50 per extension install)"
    }
    created = {response.json()["scheduleId"] for response in responses if response.status_code == 201}
    assert len(created) == 50
    assert len(read_rows_of_type(install, "schedule")) == 50
    assert all(install.read_timer(schedule_id) for schedule_id in created)
    (row,) = read_rows_of_type(install, "install")
    assert row["scheduleCount"] == {"N": "50"}


def test_one_of_forty_concurrent_creates_of_a_name_succeeds(install: ApiInstall) -> None:
    responses = create_concurrently(install, 40, name="nightly")

    assert sorted(response.status_code for response in responses) == [201] + [400] * 39
    errors = {response.json()["error"] for response in responses if response.status_code == 400}
    assert errors == {"Schedule name already in use for this extension"}
    assert len(read_rows_of_type(install, "schedule")) == len(read_rows_of_type(install, "name")) == 1


@pytest.mark.local_only("one test of the quota is enough in containers")
def test_quota_is_freed_by_a_delete(install: ApiInstall) -> None:
    schedules = [install.create_schedule(enabled=False) for _ in range(50)]
    assert install.call_callback("create", **HOURLY_SCHEDULE).status_code == 400

    install.call_callback("delete", scheduleId=schedules[7])

    assert install.call_callback("create", **HOURLY_SCHEDULE).status_code == 201


class TestFiftyLargePayloads:
    QUOTES = '"' * 49_998

    @pytest.fixture
    def full_install(self, install: ApiInstall) -> ApiInstall:
        for _ in range(50):
            install.create_schedule(enabled=False, payload=[self.QUOTES])
        return install

    def test_list_is_complete_or_refused(self, stack: LocalStack, full_install: ApiInstall) -> None:
        body = {"operation": "list"}
        compressed = stack.api.post(
            full_install.callback_path, json=body, headers={"accept-encoding": "gzip"}
        )
        assert compressed.headers["content-encoding"] == "gzip"
        schedules = compressed.json()["schedules"]
        assert len(schedules) == 50
        assert all(schedule["payload"] == [self.QUOTES] for schedule in schedules)

        refused = stack.api.post(
            full_install.callback_path, json=body, headers={"accept-encoding": "identity"}
        )
        assert refused.status_code == 413
        assert refused.json()["code"] == "ANSWER_TOO_LARGE"
        assert f"GET /v1/installs/{full_install.id}/schedules" in refused.json()["error"]

        listed, cursor = [], ""
        while cursor is not None:
            query = {"cursor": cursor} if cursor else {}
            page = stack.api.get(
                f"{full_install.path}/schedules", params=query, headers={"accept-encoding": "identity"}
            )
            assert page.status_code == 200
            assert len(json.dumps(page.text)) < 6_000_000
            listed += page.json()["schedules"]
            cursor = page.json()["nextCursor"]
        assert listed == schedules


@pytest.fixture(scope="module")
def limited_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    limits = {
        "WRITES_PER_MINUTE": "10",
        "MAX_SCHEDULES_PER_INSTALL": "11",
        "MIN_INTERVAL_MINUTES": "30",
        "MAX_PAYLOAD_BYTES": "10",
    }
    with start_local_stack(tmp_path_factory.mktemp("limited"), **limits) as stack:
        yield stack


@pytest.mark.local_only("it starts its own stack")
def test_eleventh_write_within_a_minute_has_retry_after(limited_stack: LocalStack) -> None:
    install = limited_stack.register_install()
    schedule_id = install.create_schedule()
    limited_stack.advance_clock("PT20S")
    for number in range(8):
        assert install.call_callback("update", scheduleId=schedule_id, payload=[number]).status_code == 200
    assert install.call_callback("update", scheduleId=schedule_id, cron="* * * * *").status_code == 400
    other = install.create_schedule()

    for response in (
        install.call_callback("create", **HOURLY_SCHEDULE),
        install.call_callback("update", scheduleId=schedule_id, enabled=True),
        install.call_callback("delete", scheduleId=other),
    ):
        assert response.status_code == 429
        assert response.headers["retry-after"] == "40"
        assert response.json() == {
            "success": False,
            "error": "Too many requests, please try again later",
            "code": "RATE_LIMITED",
        }
    rest = limited_stack.api.post(f"{install.path}/schedules", json=HOURLY_SCHEDULE)
    assert (rest.status_code, rest.headers["retry-after"], rest.json()["code"]) == (429, "40", "RATE_LIMITED")
    assert install.call_callback("list").status_code == 200

    limited_stack.advance_clock("PT39S")
    assert install.call_callback("create", **HOURLY_SCHEDULE).headers["retry-after"] == "1"
    limited_stack.advance_clock("PT1S")
    assert install.call_callback("create", **HOURLY_SCHEDULE).status_code == 201
    assert install.call_callback("create", **HOURLY_SCHEDULE).headers["retry-after"] == "20"


@pytest.mark.local_only("it starts its own stack")
def test_rate_limit_is_per_install(limited_stack: LocalStack) -> None:
    busy, idle = limited_stack.register_install(), limited_stack.register_install()
    for _ in range(10):
        busy.create_schedule()

    assert busy.call_callback("create", **HOURLY_SCHEDULE).status_code == 429
    idle.create_schedule()


@pytest.mark.local_only("it starts its own stack")
def test_ten_of_twenty_four_concurrent_writes_succeed(limited_stack: LocalStack) -> None:
    responses = create_concurrently(limited_stack.register_install(), 24)

    assert sorted(response.status_code for response in responses) == [201] * 10 + [429] * 14
    assert {response.headers["retry-after"] for response in responses if response.status_code == 429} == {
        "60"
    }


@pytest.mark.local_only("it starts its own stack")
def test_limits_are_parameters(limited_stack: LocalStack) -> None:
    install = limited_stack.register_install()
    too_frequent = install.call_callback("create", endpoint="/api/sync", cron="*/15 * * * *")
    assert too_frequent.json()["error"] == "Cron too frequent (minimum interval is 30 minutes)"
    too_large = install.call_callback("create", **HOURLY_SCHEDULE, payload=[1, 2, 3, 4, 5])
    assert too_large.json()["error"] == "Payload too large"
    for _ in range(10):
        install.create_schedule(payload=[1])
    limited_stack.advance_clock("PT1M")
    install.create_schedule()
    refused = install.call_callback("create", **HOURLY_SCHEDULE)
    assert refused.json()["error"] == "Too many schedules (max 11 per extension install)"


def test_compressed_response_is_valid_gzip(install: ApiInstall) -> None:
    """Reads the raw bytes; the client of the tests above decodes by itself."""
    for _ in range(40):
        install.create_schedule(enabled=False, payload=["\\" * 49_998])
    api = install.stack.api
    url, headers = api.base_url.join(install.callback_path), api.headers
    with httpx.stream("POST", url, headers=headers, json={"operation": "list"}, timeout=60) as response:
        raw = b"".join(response.iter_raw())

    assert len(json.loads(gzip.decompress(raw))["schedules"]) == 40
