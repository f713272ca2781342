"""The rules of a schedule, on both sides of each limit, with their exact texts (contract, section 4)."""

import pytest

from tests.support.stacks.local_stack import ApiInstall

CRON_TOO_OFTEN = "Cron too frequent (minimum interval is 5 minutes)"
NOT_SCHEDULABLE = "Endpoint not found or not schedulable"


def payload_of_size(size: int) -> list[str]:
    return ["x" * (size - 4)]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"endpoint": "/api/sync"}, id="a bare path"),
        pytest.param({"endpoint": "post api//sync"}, id="slashes normalized, method in any case"),
        pytest.param({"endpoint": "GET /api/both"}, id="a declared method"),
        pytest.param({"cron": "*/5 * * * *"}, id="every 5 minutes"),
        pytest.param({"cron": "0,5 * * * *"}, id="5 minutes apart"),
        pytest.param({"cron": "57,2 9,10 * * *"}, id="5 minutes apart across the hour"),
        pytest.param({"cron": "0 0 29 2 *"}, id="the leap day"),
        pytest.param({"cron": "0 9 * jan-MAR mon-Fri"}, id="names in any case"),
        pytest.param({"cron": "0 9 * * 7"}, id="Sunday as 7"),
        pytest.param({"cron": "0 9 * * 5-7"}, id="Friday to Sunday"),
        pytest.param({"cron": "  0  9  * * *  "}, id="more spaces"),
        pytest.param({"cron": "0\t9 \t* * *"}, id="tabs"),
        pytest.param({"cron": "0 0,0" + ",0" * 58 + " * * *"}, id="128 characters"),
        pytest.param({"timezone": "America/New_York"}, id="an IANA zone"),
        pytest.param({"timezone": "America/Argentina/ComodRivadavia"}, id="a long zone"),
        pytest.param({"timezone": "europe/BERLIN"}, id="a zone in another case"),
        pytest.param({"timezone": ""}, id="an empty zone"),
        pytest.param({"timezone": None}, id="a null zone"),
        pytest.param({"name": "n" * 128}, id="a name of 128"),
        pytest.param({"name": " " * 50 + "é" * 128 + " " * 50}, id="128 after trimming"),
        pytest.param({"name": "  "}, id="an empty name"),
        pytest.param({"name": None, "payload": None}, id="no name and payload"),
        pytest.param({"payload": {}}, id="an empty object"),
        pytest.param({"payload": []}, id="an empty array"),
        pytest.param({"payload": payload_of_size(100_000)}, id="100,000 bytes"),
        pytest.param({"payload": ["é" * 49_998]}, id="100,000 bytes in UTF-8, sent as escapes"),
    ],
)
def test_valid_schedule_is_accepted(install: ApiInstall, fields: dict[str, object]) -> None:
    install.create_schedule(**fields)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        pytest.param({"endpoint": "/api/none"}, NOT_SCHEDULABLE, id="an unknown path"),
        pytest.param({"endpoint": "GET /api/sync"}, NOT_SCHEDULABLE, id="another method"),
        pytest.param({"endpoint": "DELETE /api/both"}, NOT_SCHEDULABLE, id="neither GET nor POST"),
        pytest.param({"endpoint": "/api/items/:id"}, NOT_SCHEDULABLE, id="path parameters"),
        pytest.param({"endpoint": ""}, NOT_SCHEDULABLE, id="no endpoint"),
        pytest.param({"cron": "0,4 * * * *"}, CRON_TOO_OFTEN, id="4 minutes apart"),
        pytest.param({"cron": "0,1 * * * *"}, CRON_TOO_OFTEN, id="a minute apart"),
        pytest.param({"cron": "*/4 9 * * *"}, CRON_TOO_OFTEN, id="every 4 minutes of one hour"),
        pytest.param({"cron": "*/7 * * * *"}, CRON_TOO_OFTEN, id="56 to 00"),
        pytest.param({"cron": "2,58 9,10 * * *"}, CRON_TOO_OFTEN, id="9:58 to 10:02"),
        pytest.param({"cron": "2,58 0,23 * * *"}, CRON_TOO_OFTEN, id="23:58 to 0:02"),
        pytest.param({"cron": "* * * * *"}, CRON_TOO_OFTEN, id="every minute"),
        pytest.param(
            {"cron": "0 0 1 * 1"}, "Cron cannot set both day-of-month and day-of-week", id="both kinds of day"
        ),
        pytest.param({"cron": "0 0 30 2 *"}, "Cron never fires in the next 8 years", id="30 February"),
        pytest.param({"cron": "0 " * 63 + "0"}, "Invalid cron expression (expected 5 fields", id="64 fields"),
        pytest.param({"cron": "0" * 129}, "Cron expression too long", id="129 characters"),
        pytest.param({"cron": ""}, "Invalid cron expression", id="empty"),
        pytest.param({"cron": "@daily"}, "Invalid cron expression", id="a macro"),
        pytest.param({"cron": "0 0 * * * *"}, "Invalid cron expression", id="six fields"),
        pytest.param({"cron": "60 * * * *"}, "Invalid cron expression", id="minute 60"),
        pytest.param({"cron": "0 24 * * *"}, "Invalid cron expression", id="hour 24"),
        pytest.param({"cron": "0 0 0 * *"}, "Invalid cron expression", id="day 0"),
        pytest.param({"cron": "0 0 1 13 *"}, "Invalid cron expression", id="month 13"),
        pytest.param({"cron": "0 0 * * 8"}, "Invalid cron expression", id="weekday 8"),
        pytest.param({"cron": "0 22-2 * * *"}, "Invalid cron expression", id="a wrapped range"),
        pytest.param({"cron": "*/0 * * * *"}, "Invalid cron expression", id="step 0"),
        pytest.param({"cron": "*/100 * * * *"}, "Invalid cron expression", id="step beyond the field"),
        pytest.param({"cron": "0 0 L * *"}, "Invalid cron expression", id="the last day"),
        pytest.param({"cron": "0\n0 * * *"}, "Invalid cron expression", id="a line end"),
        pytest.param({"cron": "\u0660 0 * * *"}, "Invalid cron expression", id="digits of another script"),
        pytest.param({"timezone": "Mars/Olympus"}, "Invalid timezone", id="an unknown zone"),
        pytest.param({"timezone": "utc+1"}, "Invalid timezone", id="an offset"),
        pytest.param({"timezone": "../../etc/passwd"}, "Invalid timezone", id="a path"),
        pytest.param({"timezone": "A" * 51}, "Invalid timezone", id="51 characters"),
        pytest.param({"name": "n" * 129}, "Name too long", id="a name of 129"),
        pytest.param({"payload": "text"}, "Payload must be a JSON object or array", id="text"),
        pytest.param({"payload": '{"a":1}'}, "Payload must be a JSON object or array", id="JSON in text"),
        pytest.param({"payload": 1}, "Payload must be a JSON object or array", id="a number"),
        pytest.param({"payload": False}, "Payload must be a JSON object or array", id="false"),
        pytest.param({"payload": payload_of_size(100_001)}, "Payload too large", id="100,001 bytes"),
        pytest.param({"payload": ["é" * 49_999]}, "Payload too large", id="100,002 bytes in UTF-8"),
    ],
)
def test_invalid_schedule_is_refused(install: ApiInstall, fields: dict[str, object], error: str) -> None:
    response = install.call_callback("create", **{"endpoint": "/api/sync", "cron": "0 * * * *", **fields})

    assert response.status_code == 400
    body = response.json()
    (field,) = fields
    assert body["error"].startswith(error)
    assert body["fieldErrors"] == {field: body["error"]}
    assert body["code"] == "VALIDATION_FAILED"


@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        pytest.param({"timezone": "europe/BERLIN"}, {"timezone": "Europe/Berlin"}, id="zone in another case"),
        pytest.param({"timezone": ""}, {"timezone": "UTC"}, id="empty zone"),
        pytest.param({"timezone": None}, {"timezone": "UTC"}, id="null zone"),
        pytest.param({"cron": "0\t9 \t*  * *"}, {"cron": "0\t9 \t*  * *"}, id="tabs in the rule"),
        pytest.param({"unknown": {"a": 1}, "operation_": 1}, {"timezone": "UTC"}, id="unknown fields"),
    ],
)
def test_lenient_input_is_stored_in_its_canonical_form(
    install: ApiInstall, fields: dict[str, object], stored: dict[str, object]
) -> None:
    schedule_id = install.create_schedule(**fields)

    assert stored.items() <= install.read_schedule(schedule_id).items()


@pytest.mark.parametrize(
    ("fields", "method"),
    [
        pytest.param({"payload": {"a": 1}}, "POST", id="with a payload"),
        pytest.param({}, "GET", id="without a payload"),
        pytest.param({"payload": None}, "GET", id="with a null payload"),
    ],
)
def test_bare_path_with_two_methods_is_resolved_by_payload(
    install: ApiInstall, fields: dict[str, object], method: str
) -> None:
    schedule_id = install.create_schedule(endpoint="/api/both", **fields)

    assert install.read_schedule(schedule_id)["endpointMethod"] == method


@pytest.mark.parametrize(
    ("cron", "expression"),
    [
        ("*/15 9-17 * * mon-fri", "cron(0,15,30,45 9-17 ? * MON-FRI *)"),
        ("0 0 * * 0,7", "cron(0 0 ? * SUN *)"),
        ("30 6 1,15 */3 *", "cron(30 6 1,15 1,4,7,10 ? *)"),
        ("0 12 * * *", "cron(0 12 * * ? *)"),
    ],
)
def test_timer_has_six_fields_with_one_question_mark(install: ApiInstall, cron: str, expression: str) -> None:
    schedule_id = install.create_schedule(cron=cron, timezone="America/New_York")

    timer = install.read_timer(schedule_id)
    assert timer is not None
    assert (timer["ScheduleExpression"], timer["ScheduleExpressionTimezone"]) == (
        expression,
        "America/New_York",
    )


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param('{"n":1e400}', id="beyond a double"),
        pytest.param('{"n":12345678901234567890123}', id="beyond 64 bits"),
        pytest.param('{"n":1.0,"m":-0,"o":1.10}', id="digits as written"),
        pytest.param("[" * 200 + "]" * 200, id="200 deep"),
        pytest.param('{"":"\\u0000","𝄞":"é","a\\"b":"\\\\"}', id="odd names"),
        pytest.param('{"b":1,"a":2}', id="order of names"),
        pytest.param('{"__proto__":{},"constructor":null}', id="names of other languages"),
    ],
)
def test_payload_is_stored_exactly(install: ApiInstall, payload: str) -> None:
    body = f'{{"operation":"create","endpoint":"/api/sync","cron":"0 * * * *","payload":{payload}}}'
    schedule_id = install.stack.api.post(install.callback_path, content=body.encode()).json()["scheduleId"]

    by_callback = install.call_callback("get", scheduleId=schedule_id).text
    by_rest = install.stack.api.get(f"{install.path}/schedules/{schedule_id}").text

    assert f'"payload":{payload}' in by_callback
    assert f'"payload":{payload}' in by_rest


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        pytest.param('{"a":1,"a":1}', "The body is not valid: An object has the name", id="a name twice"),
        pytest.param(
            '["\\udc00"]', "The body is not valid: Text with a lone surrogate", id="a lone surrogate"
        ),
        pytest.param("[Infinity]", "The body is not valid: Not valid JSON", id="not a JSON number"),
        pytest.param("[" * 300 + "]" * 300, "The body is not valid: Nested deeper than 256", id="300 deep"),
        pytest.param("[01]", "The body is not valid: Not valid JSON", id="a leading zero"),
    ],
)
def test_invalid_payload_is_refused_with_the_reason(install: ApiInstall, payload: str, error: str) -> None:
    body = f'{{"operation":"create","endpoint":"/api/sync","cron":"0 * * * *","payload":{payload}}}'

    response = install.stack.api.post(install.callback_path, content=body.encode())

    assert response.status_code == 400
    assert response.json()["error"].startswith(error)
