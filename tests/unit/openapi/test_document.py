"""docs/openapi.json: up to date, valid, and complete."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import create_model
from scheduling.api.parsing import ScheduleBody
from scheduling.domain import errors

from scripts.iam_table import ROOT
from scripts.openapi import document, operations, requests
from scripts.openapi.errors import find_sample, read_error_classes
from scripts.openapi.examples import read_examples
from scripts.openapi.parameters import PARAMETERS
from scripts.openapi.routes import read_limits, read_routes
from scripts.openapi.schemas import Undescribed
from tests.support.oracles.api_description import DESCRIPTION, find_faults, load_description
from tests.support.oracles.api_description import operations as described_operations

_READ_PARAMETER = re.compile(r'\.(?:query_parameter|header)\(\s*"([\w-]+)"')
_INTERNAL_HEADERS = {"accept-encoding", "content-type"}


def test_description_is_up_to_date() -> None:
    assert DESCRIPTION.read_text(encoding="utf-8") == document.render_document(), "run `make docs`"


def test_description_is_valid_openapi() -> None:
    spec = json.loads(DESCRIPTION.read_text(encoding="utf-8"))

    assert [error.message for error in OpenAPIV31SpecValidator(spec).iter_errors()] == []


def test_every_route_is_described() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    routes = re.findall(r"^ +Method: (\w+)\n +Path: (\S+)$", template, re.MULTILINE)

    assert {f"{method} {path}" for method, path in routes} == described_operations().keys()


def test_every_error_is_described_with_its_statuses() -> None:
    described = {each["error"]: each for each in load_description()["x-errors"]}
    used = {each for operation in operations.OPERATIONS.values() for each in operation.errors}

    assert described.keys() == {each.__name__ for each in read_error_classes()}
    assert used == set(read_error_classes()), (
        "an operation of scripts/openapi/operations.py must name each error"
    )
    assert described["ScheduleNotFound"]["status"] == 404
    assert described["ScheduleNotFound"]["callbackStatus"] == 400


def test_every_limit_is_described() -> None:
    described = {each["name"]: each["default"] for each in load_description()["x-limits"]}

    assert described == {each.name: each.default for each in read_limits()}
    assert described["MaxSchedulesPerInstall"] == 50


def test_every_field_has_a_description() -> None:
    fields = {
        f"{schema}.{name}": field
        for schema, each in load_description()["components"]["schemas"].items()
        for name, field in each.get("properties", {}).items()
    }

    undescribed = {
        name for name, field in fields.items() if "description" not in field and "$ref" not in field
    }
    assert {name for name in undescribed if not name.startswith("Callback")} == set()


def test_every_parameter_that_the_service_reads_is_described() -> None:
    api = ROOT / "layers" / "scheduling" / "scheduling" / "api"
    read = {name for path in api.glob("*.py") for name in _READ_PARAMETER.findall(path.read_text("utf-8"))}
    missing = {"the API": read - PARAMETERS.keys() - _INTERNAL_HEADERS - {"authorization", "x-runner-auth"}}
    for route in read_routes():
        handler = (ROOT / "functions" / route.operation / "app.py").read_text("utf-8")
        described = set(operations.OPERATIONS[route.operation].parameters)
        missing[route.operation] = set(_READ_PARAMETER.findall(handler)) - described

    assert {place: names for place, names in missing.items() if names} == {}


def _examples() -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield each example of the description with its schema."""
    shared = load_description()["components"]["examples"]
    for key, operation in described_operations().items():
        responses = [(status, each.get("content", {})) for status, each in operation["responses"].items()]
        for label, contents in [("body", operation.get("requestBody", {}).get("content", {})), *responses]:
            for content in contents.values():
                for name, each in content.get("examples", {}).items():
                    example = shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
                    yield f"{key}, {label}, {name}", content["schema"], example["value"]


def test_every_example_is_as_described() -> None:
    examples = list(_examples())

    assert [fault for label, schema, value in examples for fault in find_faults(schema, value, label)] == []
    assert len(examples) > 100


def test_every_operation_has_an_example_of_its_success() -> None:
    missing = [
        f"{key}, {status}"
        for key, operation in described_operations().items()
        for status, response in operation["responses"].items()
        if status < "300"
        and response.get("content")
        and not response["content"]["application/json"].get("examples")
    ]

    # A tenant with more installs than one request reaches is in no event.
    assert missing == [f"POST /admin/v1/tenants/{{tenantId}}/{verb}, 202" for verb in ("pause", "resume")]


def _forget_route(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(operations.OPERATIONS, "get")


def _add_field(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        requests, "ScheduleBody", create_model("ScheduleBody", __base__=ScheduleBody, color=(str, ""))
    )


def _remove_field(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(requests._SCHEDULE_TEXTS, "color", {"description": "Its color."})


def _forget_parameter(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(PARAMETERS, "cursor")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        pytest.param(
            _forget_route,
            "the route GET /v1/installs/{installId}/schedules/{scheduleId} (function get) is not described: "
            "add it in scripts/openapi/operations.py",
            id="route",
        ),
        pytest.param(
            _add_field,
            "the field color of ScheduleBody is not described: add it in scripts/openapi/requests.py",
            id="field",
        ),
        pytest.param(
            _remove_field,
            "ScheduleBody has no field color: remove it from scripts/openapi/requests.py",
            id="old field",
        ),
        pytest.param(
            _forget_parameter,
            "the parameter cursor is not described: add it in scripts/openapi/parameters.py",
            id="parameter",
        ),
    ],
)
def test_what_is_not_described_is_named(
    change: Callable[[pytest.MonkeyPatch], None], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch)

    with pytest.raises(Undescribed) as raised:
        document.build_document()
    assert str(raised.value) == text


def test_error_without_a_sample_is_named() -> None:
    new_error = type("TooLate", (errors.ServiceError,), {})

    with pytest.raises(
        Undescribed, match=r"^the error TooLate has no sample: add one in scripts/openapi/errors\.py$"
    ):
        find_sample(new_error)


def test_function_without_an_example_is_named() -> None:
    with pytest.raises(
        Undescribed, match=r"^the function color has no example: add events/color/<case>\.json$"
    ):
        read_examples("color")
