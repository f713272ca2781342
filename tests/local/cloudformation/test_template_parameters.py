"""The template's parameters for an account's rules: network, encryption, permissions, tracing, an adopted table."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from samtranslator.translator.transform import transform  # type: ignore[import-untyped]

from local.cloudformation.template import Template
from tests.local.cloudformation.test_service_template import SOURCE, expand_service_template
from tests.local.cloudformation.test_template import as_list, find_functions, policy_statements

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/restored"
STREAM = f"{TABLE}/stream/2026-11-28T00:00:00.000"
NETWORK = {"VpcSubnetIds": "subnet-00000001,subnet-00000002", "VpcSecurityGroupIds": "sg-00000001"}
VPC_CONFIG = {"SubnetIds": ["subnet-00000001", "subnet-00000002"], "SecurityGroupIds": ["sg-00000001"]}
SENDERS = {
    "RunFunctionRole",
    "ExecuteFunctionRole",
    "ReconcileFunctionRole",
    "AuditFunctionRole",
    "BackfillFunctionRole",
    "TimerRole",
}


def read_roles(template: Template) -> dict[str, dict[str, Any]]:
    return template.properties_by_type("AWS::IAM::Role")


def read_managed_statements(template: Template, role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, policy in template.properties_by_type("AWS::IAM::ManagedPolicy").items():
        if template.attributes[name]["Ref"] in role.get("ManagedPolicyArns", ()):
            yield from policy["PolicyDocument"]["Statement"]


def allowed_actions(template: Template, role: dict[str, Any], resource: str) -> set[str]:
    return {
        action
        for statement in read_managed_statements(template, role)
        if resource in as_list(statement["Resource"])
        for action in as_list(statement["Action"])
    }


def test_template_translates_with_no_parameter_values() -> None:
    """As `sam validate` does without the project's settings, and a transform before parameters are known."""
    source = deepcopy(SOURCE)
    for resource in source["Resources"].values():
        for key in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][key] = "s3://bucket/key"

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        expanded = transform(source, {}, type("NoPolicies", (), {"load": staticmethod(dict)}))

    assert len(expanded["Resources"]) > len(SOURCE["Resources"])


@pytest.mark.parametrize("parameters", [{}, {"VpcFunctions": "all"}])
def test_without_subnets_no_function_is_in_a_vpc(parameters: dict[str, str]) -> None:
    template = expand_service_template(**parameters)
    assert not [name for name, spec in find_functions(template).items() if "VpcConfig" in spec]
    assert not [name for name, statement in policy_statements(template) if "ec2:" in str(statement)]


@pytest.mark.parametrize("chosen", ["execute", "all"])
def test_functions_in_the_vpc_may_have_network_interfaces_and_no_others(chosen: str) -> None:
    template = expand_service_template(**NETWORK, VpcFunctions=chosen)
    for name, spec in find_functions(template).items():
        inside = chosen == "all" or name == "ExecuteFunction"
        assert spec.get("VpcConfig") == (VPC_CONFIG if inside else None)
        actions = allowed_actions(template, read_roles(template)[f"{name}Role"], "*")
        assert ("ec2:CreateNetworkInterface" in actions) is inside
    assert not allowed_actions(template, read_roles(template)["TimerRole"], "*")


def test_code_of_functions_has_no_right_on_network_interfaces() -> None:
    template = expand_service_template(**NETWORK)
    policy = template.properties_by_type("AWS::IAM::ManagedPolicy")["NetworkPolicy"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Condition"] == {"Null": {"lambda:SourceFunctionArn": True}}


def test_key_encrypts_table_queues_secrets_and_logs() -> None:
    template = expand_service_template(KmsKeyArn=KEY)
    table = template.properties_by_type("AWS::DynamoDB::Table")["Table"]
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}
    for queue in template.properties_by_type("AWS::SQS::Queue").values():
        assert queue["KmsMasterKeyId"] == KEY
        assert "SqsManagedSseEnabled" not in queue  # SQS refuses both
    for secret in template.properties_by_type("AWS::SecretsManager::Secret").values():
        assert secret["KmsKeyId"] == KEY
    for group in template.properties_by_type("AWS::Logs::LogGroup").values():
        assert group["KmsKeyId"] == KEY


def test_key_is_usable_by_every_role_and_by_senders_to_send() -> None:
    template = expand_service_template(KmsKeyArn=KEY)
    actions = {name: allowed_actions(template, role, KEY) for name, role in read_roles(template).items()}
    assert {name for name, allowed in actions.items() if "kms:GenerateDataKey" in allowed} == SENDERS
    assert {name for name, allowed in actions.items() if "kms:Decrypt" not in allowed} == set()
    queues = {f"arn:aws:local:::{name}" for name in template.properties_by_type("AWS::SQS::Queue")}
    senders = {
        name
        for name, statement in policy_statements(template)
        if "sqs:SendMessage" in as_list(statement["Action"]) and queues & set(as_list(statement["Resource"]))
    }
    assert senders == SENDERS


def test_without_a_key_aws_own_keys_are_used() -> None:
    template = expand_service_template()
    for queue in template.properties_by_type("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
        assert "KmsMasterKeyId" not in queue
    assert not [name for name, statement in policy_statements(template) if "kms:" in str(statement)]


@pytest.mark.parametrize(
    ("parameters", "boundary"), [({}, None), ({"PermissionsBoundaryArn": BOUNDARY}, BOUNDARY)]
)
def test_every_role_has_the_permissions_boundary(parameters: dict[str, str], boundary: str | None) -> None:
    roles = read_roles(expand_service_template(**parameters))
    assert {role.get("PermissionsBoundary") for role in roles.values()} == {boundary}


@pytest.mark.parametrize(("tracing", "traced"), [("PassThrough", False), ("Active", True)])
def test_tracing_of_every_function(tracing: str, traced: bool) -> None:
    template = expand_service_template(Tracing=tracing)
    for name, spec in find_functions(template).items():
        assert spec["TracingConfig"] == {"Mode": tracing}
        actions = allowed_actions(template, read_roles(template)[f"{name}Role"], "*")
        assert actions == ({"xray:PutTraceSegments", "xray:PutTelemetryRecords"} if traced else set())


def test_adopted_table_replaces_the_stacks_own_everywhere() -> None:
    template = expand_service_template(TableArn=TABLE, TableStreamArn=STREAM)

    assert template.properties_by_type("AWS::DynamoDB::Table") == {}
    for spec in find_functions(template).values():
        assert spec["Environment"]["Variables"]["TABLE_NAME"] == "restored"
    mapping = template.properties_by_type("AWS::Lambda::EventSourceMapping")["AuditMapping"]
    assert mapping["EventSourceArn"] == STREAM
    tables = {
        resource
        for _, statement in policy_statements(template)
        if "dynamodb:" in str(statement["Action"])
        for resource in as_list(statement["Resource"])
    }
    indexes = {f"{TABLE}/index/{name}" for name in ("pending", "installs", "tenants")}
    assert tables == {TABLE, *indexes, f"{TABLE}/stream/*"}
    assert template.resolve(template.outputs["TableName"]["Value"]) == "restored"
    assert '"TableName", "restored"' in str(template.properties_by_type("AWS::CloudWatch::Dashboard"))


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("VpcSubnetIds", "subnet-00000001", True),
        ("VpcSubnetIds", "subnet-00000001, subnet-00000002", False),
        ("VpcSecurityGroupIds", "subnet-00000001", False),
        ("KmsKeyArn", KEY, True),
        ("KmsKeyArn", "alias/mine", False),
        ("PermissionsBoundaryArn", BOUNDARY, True),
        ("PermissionsBoundaryArn", "boundary", False),
        ("TableArn", TABLE, True),
        ("TableArn", STREAM, False),
        ("TableStreamArn", STREAM, True),
        ("TableStreamArn", TABLE, False),
        ("RunnerCaSecretArn", "arn:aws:secretsmanager:us-east-1:123456789012:secret:ca", True),
        ("RunnerCaSecretArn", "-----BEGIN CERTIFICATE-----", False),
    ],
)
def test_values_of_parameters(name: str, value: str, accepted: bool) -> None:
    pattern = SOURCE["Parameters"][name]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, value)) is accepted
    assert re.fullmatch(pattern, "")


def test_every_parameter_is_in_one_group_of_the_console() -> None:
    groups = SOURCE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(SOURCE["Parameters"])
