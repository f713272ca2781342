"""Requests made from docs/openapi.json, valid and invalid: each response of the local stack is as described.

`make api-test` runs it. What it sends is the same each time; SEED chooses other requests, EXAMPLES how many per route.
"""

import os
from collections.abc import Mapping, MutableMapping
from typing import Any
from zlib import crc32

import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from schemathesis.checks import (
    content_type_conformance,
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

from tests.openapi.conftest import Target
from tests.support.oracles.api_description import find_response_faults, load_description
from tests.support.stacks.local_stack import RUNNER_TOKEN

EXAMPLES, SEED = int(os.environ.get("EXAMPLES", "25")), int(os.environ.get("SEED", "1"))
CHECKS = [
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
schema = schemathesis.openapi.from_dict(load_description(), config=_config)


def use_valid_values(case: schemathesis.Case[Any], target: Target) -> None:
    """Let three of four requests name what exists, and have a valid rule, so that they reach more than the checks."""
    existing = {
        "installId": target.install.id,
        "scheduleId": target.schedule_id,
        "tenantId": target.tenant_id,
    }
    valid_fields = {"endpoint": "POST /api/sync", "cron": "0 * * * *"}
    _replace(case.path_parameters, existing)
    _replace(case.headers, {"If-Match": "*"})
    if isinstance(case.body, dict):
        _replace(case.body, valid_fields)


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
    response = case.call_and_validate(base_url=url, headers=headers, checks=CHECKS, timeout=60)
    headers = {name: values[0] for name, values in response.headers.items()}
    faults = find_response_faults(case.operation.label, response.status_code, headers, response.content)
    assert not faults, "\n".join(faults)
