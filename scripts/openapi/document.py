"""The description as a whole."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from scheduling.api.callback import RULE_ERRORS
from scheduling.api.problems import callback_status, rest_status
from scheduling.domain.errors import SchedulingError

from scripts.iam_table import ROOT
from scripts.openapi.errors import (
    build_error_examples,
    build_error_schemas,
    build_error_table,
    example_name,
    find_sample,
    summarize,
)
from scripts.openapi.examples import Example, read_examples
from scripts.openapi.operations import TAGS, Operation, find_operation
from scripts.openapi.parameters import build_headers, find_parameter
from scripts.openapi.requests import build_request_schemas
from scripts.openapi.responses import build_response_schemas
from scripts.openapi.routes import SECURITY, Route, read_limits, read_routes
from scripts.openapi.schemas import Schema, ref

DESCRIPTION = ROOT / "docs" / "openapi.json"
JSON, PROBLEM_JSON = "application/json", "application/problem+json"
_TEXT = """\
Schedules of third-party extensions: cron rules and one-time schedules of an install, each of which invokes one of the
endpoints of its extension.

Extensions use the resource API or, through a deployed runner, the callback. The platform's own routes, under `/admin`,
require an IAM signature. Clients ignore fields of responses that they do not know, since fields may be added.

The stack's limits, which are its parameters, are in `x-limits`; every error, with its code and statuses, is in
`x-errors` and the schema `ErrorCode`."""
_GATEWAY_STATUSES = {413: "Request Entity Too Large", 429: "Too Many Requests", 500: "Internal Server Error"}
"""What API Gateway itself responds on any route."""
_REFUSALS = {401: "Unauthorized", 403: "Forbidden"}
"""What it responds to a caller without credentials, or with invalid ones."""
_SERVERS: list[Schema] = [
    {
        "url": "https://{api}.execute-api.{region}.amazonaws.com",
        "description": "A stack on AWS; its output ApiUrl is this URL.",
        "variables": {"api": {"default": "example"}, "region": {"default": "eu-central-1"}},
    },
    {
        "url": "http://127.0.0.1:3000",
        "description": "The local stack; admin routes need no signature.",
    },
]


def render_document() -> str:
    """Return the description as JSON text."""
    return json.dumps(build_document(), indent=1, ensure_ascii=False) + "\n"


def build_document() -> dict[str, Any]:
    """Return the description as an OpenAPI 3.1 document.

    Raises:
        Undescribed: A route, field, error or example is missing; the message says where to add it.
    """
    paths: dict[str, dict[str, Any]] = {}
    for route in read_routes():
        paths.setdefault(route.path, {})[route.method] = _build_operation(route)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Extension Scheduler",
            "version": project["version"],
            "description": _TEXT,
            "license": {"name": project["license"], "identifier": project["license"]},
        },
        "servers": _SERVERS,
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {**build_request_schemas(), **build_response_schemas(), **build_error_schemas()},
            "examples": build_error_examples(),
            "securitySchemes": _build_security_schemes(),
        },
        "x-limits": [
            {"name": limit.name, "description": limit.text, "default": limit.default, **limit.rules}
            for limit in read_limits()
        ],
        "x-errors": build_error_table(),
    }


def _build_security_schemes() -> Schema:
    return {
        "runnerToken": {
            "type": "apiKey",
            "in": "header",
            "name": "x-runner-auth",
            "description": "The runners' token, valid for every install.",
        },
        "callbackToken": {
            "type": "http",
            "scheme": "bearer",
            "description": "The token of one run, valid for its install until shortly after the run's deadline.",
        },
        "awsSigV4": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "x-amazon-apigateway-authtype": "awsSigv4",
            "description": "A signature by AWS Signature Version 4 for `execute-api`; see docs/guide-admin-api.md.",
        },
    }


def _build_operation(route: Route) -> Schema:
    operation = find_operation(route.operation, route.key)
    examples = read_examples(route.operation)
    path_names = re.findall(r"\{(\w+)\}", route.path)
    described: Schema = {
        "operationId": operation.id,
        "summary": operation.title,
        "description": route.text,
        "tags": [operation.tag],
        "security": SECURITY[route.authorizer],
        "parameters": [_build_parameter(name, examples) for name in (*path_names, *operation.parameters)],
    }
    if operation.body:
        described["requestBody"] = _build_body(operation, examples)
    return {**described, "responses": _build_responses(operation, examples, route.authorizer)}


def _build_parameter(name: str, examples: Sequence[Example]) -> Schema:
    parameter = find_parameter(name)
    for example in examples:
        value = {**example.path, **example.query, **example.headers}.get(name)
        if value is not None:
            is_number = parameter["schema"].get("type") == "integer"
            return {**parameter, "example": int(value) if is_number else value}
    return parameter


def _build_body(operation: Operation, examples: Sequence[Example]) -> Schema:
    values = {each.name: {"value": each.body} for each in examples if each.body is not None and each.accepted}
    return {"required": True, "content": {JSON: {"schema": ref(operation.body), "examples": values}}}


def _build_responses(operation: Operation, examples: Sequence[Example], authorizer: str) -> Schema:
    responses = {
        str(status): _build_success(status, operation, examples) for status in sorted(operation.responses)
    }
    statuses = _group_by_status(operation)
    gateway_texts = {**_GATEWAY_STATUSES, **_REFUSALS}
    if authorizer == "AWS_IAM":
        del gateway_texts[401]
    for status in sorted({*statuses, *gateway_texts}):
        classes = statuses.get(status, ())
        responses[str(status)] = _build_failure(
            status, classes, gateway_texts.get(status), callback=operation.callback
        )
    return responses


def _build_success(status: int, operation: Operation, examples: Sequence[Example]) -> Schema:
    names = operation.responses[status]
    response: Schema = {"description": HTTPStatus(status).phrase}
    if "CallbackFailure" in names:
        response["description"] += (
            ". With the parameter CallbackRuleErrorStatus at 200, a broken rule as well."
        )
        response["x-codes"] = sorted({each.code for each in RULE_ERRORS})
    if operation.headers:
        response["headers"] = build_headers(operation.headers)
    if not names:
        return response
    schema = ref(names) if isinstance(names, str) else {"anyOf": [ref(name) for name in names]}
    content: Schema = {"schema": schema}
    if values := {each.name: {"value": each.response} for each in examples if each.status == status}:
        content["examples"] = values
    return {**response, "content": {JSON: content}}


def _group_by_status(operation: Operation) -> Mapping[int, list[type[SchedulingError]]]:
    status_of = callback_status if operation.callback else rest_status
    grouped: dict[int, list[type[SchedulingError]]] = {}
    for each in dict.fromkeys(operation.errors):
        grouped.setdefault(status_of(find_sample(each)), []).append(each)
    return grouped


def _build_failure(
    status: int, classes: Sequence[type[SchedulingError]], gateway_text: str | None, *, callback: bool
) -> Schema:
    """Return the response of a status, with the codes that it has."""
    lines = [f"`{each.code}`: {summarize(each)}" for each in classes]
    if gateway_text:
        lines.append("Or API Gateway's own refusal." if lines else "API Gateway's own refusal.")
    response: Schema = {"description": "\n\n".join(lines), "x-codes": sorted({each.code for each in classes})}
    if status in (429, 503):
        response["headers"] = build_headers(("retry-after",))
    samples = {
        each.__name__: {"$ref": f"#/components/examples/{example_name(each, callback=callback)}"}
        for each in classes
    }
    message = {"gateway": {"value": {"message": gateway_text}}} if gateway_text else {}
    if callback:
        names = [*(["CallbackFailure"] if classes else []), *(["GatewayMessage"] if gateway_text else [])]
        schema = ref(names[0]) if len(names) == 1 else {"anyOf": [ref(name) for name in names]}
        return {**response, "content": {JSON: {"schema": schema, "examples": {**samples, **message}}}}
    content = {}
    if classes:
        content[PROBLEM_JSON] = {"schema": ref("Problem"), "examples": samples}
    if gateway_text:
        content[JSON] = {"schema": ref("GatewayMessage"), "examples": message}
    return {**response, "content": content}
