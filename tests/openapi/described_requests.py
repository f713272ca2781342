"""Requests made from docs/openapi.json, valid and invalid: each response of the local stack is as described.

`make api-test` runs it. What it sends is the same each time; SEED chooses other requests, EXAMPLES how many per route.
"""

import json
import os
from collections.abc import Mapping, MutableMapping
from typing import Any
from zlib import crc32

import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from schemathesis.checks import (
    content_type_conformance,
    negative_data_rejection,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.config import (
    CoveragePhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.core.parameters import ParameterLocation

from tests.openapi.conftest import Target
from tests.support.oracles.api_description import DESCRIPTION, find_response_faults
from tests.support.stacks.local_stack import RUNNER_TOKEN

EXAMPLES, SEED = int(os.environ.get("EXAMPLES", "25")), int(os.environ.get("SEED", "1"))
PREVIEW = "POST /v1/installs/{installId}/schedules/preview"
"""It answers an invalid request with 200 and what is wrong with it."""
CHECKS = [
    negative_data_rejection,
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_config = SchemathesisConfig(
    seed=SEED,
    projects=ProjectsConfig(
        default=ProjectConfig(
            generation=GenerationConfig(with_security_parameters=False, database="none"),
            phases=PhasesConfig(coverage=CoveragePhaseConfig(unexpected_methods=set())),
        )
    ),
)
schema = schemathesis.openapi.from_dict(json.loads(DESCRIPTION.read_text(encoding="utf-8")), config=_config)


def use_valid_values(case: schemathesis.Case[Any], target: Target) -> None:
    """Let three of four valid requests name what exists, and have a valid rule, to reach more than the checks."""
    existing = {
        "installId": target.install.id,
        "scheduleId": target.schedule_id,
        "tenantId": target.tenant_id,
    }
    valid_fields = {"endpoint": "POST /api/sync", "cron": "0 * * * *"}
    if is_valid(case, ParameterLocation.PATH):
        _replace(case.path_parameters, existing)
    if is_valid(case, ParameterLocation.HEADER):
        _replace(case.headers, {"If-Match": "*"})
    if is_valid(case, ParameterLocation.BODY) and isinstance(case.body, dict):
        _replace(case.body, valid_fields)


def is_valid(case: schemathesis.Case[Any], place: ParameterLocation) -> bool:
    """Return whether a part of the request is as described, rather than made to be refused."""
    component = case.meta.components.get(place) if case.meta else None
    return component is None or component.mode is schemathesis.GenerationMode.POSITIVE


def _replace(values: MutableMapping[str, Any], valid: Mapping[str, str]) -> None:
    for name in valid.keys() & values.keys():
        if crc32(str(values[name]).encode()) % 4:
            values[name] = valid[name]


@schema.parametrize()
@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_response_is_as_described(case: schemathesis.Case[Any], target: Target) -> None:
    use_valid_values(case, target)
    url, headers = str(target.install.stack.api.base_url), {"x-runner-auth": RUNNER_TOKEN}
    checks = [
        each for each in CHECKS if each is not negative_data_rejection or case.operation.label != PREVIEW
    ]
    response = case.call_and_validate(base_url=url, headers=headers, checks=checks, timeout=60)
    headers = {name: values[0] for name, values in response.headers.items()}
    faults = find_response_faults(case.operation.label, response.status_code, headers, response.content)
    assert not faults, "\n".join(faults)
