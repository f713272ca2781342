"""The resource API (contract, section 2)."""

from uuid import UUID

import pytest

from tests.support.stacks.local_stack import HOURLY_SCHEDULE, ApiInstall, LocalStack, assert_problem
from tests.support.stacks.world import UNKNOWN_SCHEDULE_ID


def test_create_returns_schedule_location_and_etag(stack: LocalStack, install: ApiInstall) -> None:
    response = stack.api.post(f"{install.path}/schedules", json=HOURLY_SCHEDULE)

    assert response.status_code == 201
    schedule = response.json()
    assert UUID(schedule["id"]).version == 4
    assert response.headers["location"] == f"{install.path}/schedules/{schedule['id']}"
    fetched = stack.api.get(response.headers["location"])
    assert (fetched.status_code, fetched.json()) == (200, schedule)
    assert fetched.headers["etag"] == response.headers["etag"] == '"1"'


def test_patch_returns_the_changed_schedule(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule(name="nightly")

    response = stack.api.patch(
        f"{install.path}/schedules/{schedule_id}", json={"cron": "5 * * * *", "name": None}
    )

    assert response.status_code == 200
    assert (response.json()["cron"], response.json()["name"]) == ("5 * * * *", None)
    assert response.headers["etag"] == '"2"'


def test_delete_returns_no_content(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule()
    path = f"{install.path}/schedules/{schedule_id}"

    response = stack.api.delete(path)

    assert (response.status_code, response.content) == (204, b"")
    assert_problem(stack.api.get(path), 404, "NOT_FOUND")
    assert_problem(stack.api.delete(path), 404, "NOT_FOUND")
    assert install.read_timer(schedule_id) is None


def test_endpoints_equal_those_of_the_callback(stack: LocalStack, install: ApiInstall) -> None:
    response = stack.api.get(f"{install.path}/endpoints")

    assert response.status_code == 200
    assert response.json() == install.call_callback("getEndpoints").json()


def test_pages_are_oldest_first_and_complete(stack: LocalStack, install: ApiInstall) -> None:
    created = []
    for minute in range(7):
        created.append(install.create_schedule(cron=f"{minute} * * * *"))
        stack.advance_clock("PT1S")

    listed, cursor = [], None
    for _ in range(4):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = stack.api.get(f"{install.path}/schedules", params=query).json()
        listed += [schedule["id"] for schedule in page["schedules"]]
        cursor = page["nextCursor"]

    assert listed == created
    assert cursor is None


@pytest.mark.parametrize("count", [2, 3])
def test_last_page_has_no_next_cursor(stack: LocalStack, install: ApiInstall, count: int) -> None:
    for _ in range(count):
        install.create_schedule()

    page = stack.api.get(f"{install.path}/schedules", params={"limit": 2}).json()

    assert len(page["schedules"]) == 2
    assert (page["nextCursor"] is None) == (count == 2)


@pytest.mark.parametrize("limit", ["0", "51", "-1", "1.5", "ten", "", "٣"])
def test_limit_outside_1_to_50_is_refused(stack: LocalStack, install: ApiInstall, limit: str) -> None:
    response = stack.api.get(f"{install.path}/schedules", params={"limit": limit})

    problem = assert_problem(response, 400, "VALIDATION_FAILED")
    assert problem["fieldErrors"] == {"limit": "limit must be a whole number from 1 to 50"}


@pytest.mark.parametrize("cursor", ["", "x", "!!!!", "bm90IGFuIGlk", "é"])
@pytest.mark.parametrize("collection", ["", f"/{UNKNOWN_SCHEDULE_ID}/runs"])
def test_forged_cursor_is_refused(
    stack: LocalStack, install: ApiInstall, cursor: str, collection: str
) -> None:
    response = stack.api.get(f"{install.path}/schedules{collection}", params={"cursor": cursor})

    problem = assert_problem(response, 400, "VALIDATION_FAILED")
    assert problem["fieldErrors"] == {"cursor": "Invalid cursor"}


def test_all_broken_fields_are_reported_together(stack: LocalStack, install: ApiInstall) -> None:
    body = {
        "endpoint": "/none",
        "cron": "* * * * *",
        "timezone": "Mars/Olympus",
        "enabled": "yes",
        "name": "n" * 129,
        "payload": 1,
        "colour": "red",
    }

    problem = assert_problem(stack.api.post(f"{install.path}/schedules", json=body), 400, "VALIDATION_FAILED")

    assert problem["fieldErrors"] == {
        "endpoint": "Endpoint not found or not schedulable",
        "cron": "Cron too frequent (minimum interval is 5 minutes)",
        "timezone": "Invalid timezone",
        "enabled": "enabled must be true or false",
        "name": "Name too long",
        "payload": "Payload must be a JSON object or array",
        "colour": "colour is not a known field",
    }


def test_taken_name_is_a_conflict(stack: LocalStack, install: ApiInstall) -> None:
    install.create_schedule(name="nightly")

    response = stack.api.post(f"{install.path}/schedules", json={**HOURLY_SCHEDULE, "name": "nightly"})

    text = "Schedule name already in use for this extension"
    assert assert_problem(response, 409, "NAME_TAKEN")["fieldErrors"] == {"name": text}


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_taken_name_is_reported_with_the_other_broken_fields(
    stack: LocalStack, install: ApiInstall, method: str
) -> None:
    install.create_schedule(name="nightly")
    collection = f"{install.path}/schedules"
    path = {"POST": collection, "PATCH": f"{collection}/{install.create_schedule()}"}[method]

    response = stack.api.request(method, path, json={**HOURLY_SCHEDULE, "name": "nightly", "timezone": "x"})

    assert assert_problem(response, 400, "VALIDATION_FAILED")["fieldErrors"] == {
        "timezone": "Invalid timezone",
        "name": "Schedule name already in use for this extension",
    }


@pytest.mark.local_only("one test of the quota is enough in containers")
def test_exceeded_quota_is_a_conflict(stack: LocalStack, install: ApiInstall) -> None:
    for _ in range(50):
        install.create_schedule(enabled=False)

    response = stack.api.post(f"{install.path}/schedules", json=HOURLY_SCHEDULE)

    detail = assert_problem(response, 409, "QUOTA_EXCEEDED")["detail"]
    assert detail == "Too many schedules (max 50 per extension install)"


class TestIdempotencyKey:
    def test_same_key_and_body_return_the_first_result(self, stack: LocalStack, install: ApiInstall) -> None:
        body = '{"endpoint":"/api/sync","cron":"0 * * * *","payload":{"a":1e400,"b":1.0}}'
        spaced = '{ "cron":"0 * * * *", "endpoint":"/api/sync", "payload":{"b":1.0,"a":1e400} }'
        headers = {"idempotency-key": "k" * 64}

        first = stack.api.post(f"{install.path}/schedules", content=body, headers=headers)
        stack.api.patch(first.headers["location"], json={"enabled": False, "cron": "5 * * * *"})
        second = stack.api.post(f"{install.path}/schedules", content=body, headers=headers)
        reordered = stack.api.post(f"{install.path}/schedules", content=spaced, headers=headers)

        assert (second.status_code, second.text) == (201, first.text)
        assert second.headers["location"] == first.headers["location"]
        assert reordered.json()["id"] == first.json()["id"]
        assert len(stack.api.get(f"{install.path}/schedules").json()["schedules"]) == 1

    def test_another_body_is_a_conflict(self, stack: LocalStack, install: ApiInstall) -> None:
        headers = {"Idempotency-Key": "one"}
        stack.api.post(f"{install.path}/schedules", json=HOURLY_SCHEDULE, headers=headers)

        response = stack.api.post(
            f"{install.path}/schedules", json={**HOURLY_SCHEDULE, "enabled": False}, headers=headers
        )

        assert_problem(response, 409, "IDEMPOTENCY_MISMATCH")

    def test_keys_are_per_install(self, stack: LocalStack, install: ApiInstall) -> None:
        headers = {"idempotency-key": "shared"}

        responses = [
            stack.api.post(f"{each.path}/schedules", json=HOURLY_SCHEDULE, headers=headers)
            for each in (install, stack.register_install())
        ]

        assert responses[0].json()["id"] != responses[1].json()["id"]

    @pytest.mark.parametrize("key", ["", "k" * 65])
    def test_key_outside_1_to_64_characters_is_refused(
        self, stack: LocalStack, install: ApiInstall, key: str
    ) -> None:
        response = stack.api.post(
            f"{install.path}/schedules", json=HOURLY_SCHEDULE, headers={"idempotency-key": key}
        )

        assert_problem(response, 400, "VALIDATION_FAILED")

    def test_refused_request_does_not_consume_the_key(self, stack: LocalStack, install: ApiInstall) -> None:
        headers = {"idempotency-key": "again"}
        refused = stack.api.post(f"{install.path}/schedules", json={"cron": "0 * * * *"}, headers=headers)

        response = stack.api.post(f"{install.path}/schedules", json=HOURLY_SCHEDULE, headers=headers)

        assert (refused.status_code, response.status_code) == (400, 201)


class TestIfMatch:
    @pytest.mark.parametrize("tag", ['"1"', "*", '"7", "1"'])
    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    def test_current_etag_is_accepted(
        self, stack: LocalStack, install: ApiInstall, tag: str, method: str
    ) -> None:
        path = f"{install.path}/schedules/{install.create_schedule()}"

        response = stack.api.request(method, path, json={"enabled": False}, headers={"if-match": tag})

        assert response.status_code in (200, 204)

    @pytest.mark.parametrize("tag", ['"2"', 'W/"1"', "1", '""', '"x"'])
    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    def test_other_etags_are_refused(
        self, stack: LocalStack, install: ApiInstall, tag: str, method: str
    ) -> None:
        schedule_id = install.create_schedule()
        before = install.read_schedule(schedule_id)

        response = stack.api.request(
            method,
            f"{install.path}/schedules/{schedule_id}",
            json={"enabled": False},
            headers={"if-match": tag},
        )

        assert_problem(response, 412, "PRECONDITION_FAILED")
        assert install.read_schedule(schedule_id) == before


def test_empty_patch_changes_nothing_visible(stack: LocalStack, install: ApiInstall) -> None:
    schedule_id = install.create_schedule(name="nightly", payload=[1])
    before = install.read_schedule(schedule_id)

    response = stack.api.patch(f"{install.path}/schedules/{schedule_id}", json={})

    assert (response.status_code, response.json()) == (200, before)
    assert install.read_timer(schedule_id) is not None
