"""The project's rules for template.yaml, and how the local stack resolves a template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from local.cloudformation.template import Template, expand_template
from local.errors import StackError
from tests.local.support import PROJECT, PSEUDO

if TYPE_CHECKING:
    from pathlib import Path


LOG_ACTIONS = {"logs:CreateLogStream", "logs:PutLogEvents"}
SOURCE_FUNCTIONS = [
    name
    for name, resource in yaml_parse((PROJECT / "template.yaml").read_text())["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
]


def create_resolvable(template: Template) -> Template:
    """Set attributes for every resource, as if it were deployed."""
    for name, resource in template.resources.items():
        template.attributes[name] = {"Ref": f"{name}-id", "Arn": f"arn:aws:local:::{name}"}
        template.attributes[name] |= {
            "QueueName": f"{name}-name",
            "StreamArn": f"{name}-stream",
            "Version": "1",
        }
        if resource.type == "AWS::Lambda::Alias":
            template.attributes[name]["Ref"] = f"arn:aws:local:::{name}"
        if resource.type == "AWS::Lambda::Function":
            template.attributes[name]["Ref"] = template.resolve(resource.properties.get("FunctionName", name))
    return template


@pytest.fixture(scope="module")
def template() -> Template:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        return create_resolvable(
            expand_template(PROJECT / "template.yaml", {"RunnerBaseUrl": "http://runner"}, PSEUDO)
        )


def find_functions(template: Template) -> dict[str, dict[str, Any]]:
    return template.properties_by_type("AWS::Lambda::Function")


def test_every_function_has_its_own_log_group_with_retention(template: Template) -> None:
    groups = template.properties_by_type("AWS::Logs::LogGroup")
    used_groups = [spec["LoggingConfig"]["LogGroup"] for spec in find_functions(template).values()]
    assert sorted([*used_groups, "ApiLogGroup-id"]) == sorted(f"{name}-id" for name in groups)
    for group in groups.values():
        assert group["RetentionInDays"] == 30


def test_log_group_folder_and_names_derive_from_the_operation(template: Template) -> None:
    for name, spec in find_functions(template).items():
        operation = template.code_folders[name].name
        dashed = operation.replace("_", "-")
        assert name == "".join(part.capitalize() for part in operation.split("_")) + "Function"
        group = spec["LoggingConfig"]["LogGroup"].removesuffix("-id")
        log_group = template.properties_by_type("AWS::Logs::LogGroup")[group]["LogGroupName"]
        assert log_group == f"/aws/lambda/{PSEUDO['AWS::StackName']}-{dashed}"


def test_every_api_function_times_out_before_the_api(template: Template) -> None:
    timeouts = {name: spec["Timeout"] for name, spec in find_functions(template).items()}
    assert timeouts.pop("ExecuteFunction") > 30
    assert timeouts.pop("ReconcileFunction") > 15 + 50
    assert set(timeouts.values()) == {29}


def test_every_function_has_its_own_role(template: Template) -> None:
    roles = [spec["Role"] for spec in find_functions(template).values()]
    assert len(roles) == len(set(roles)) == len(list(PROJECT.glob("functions/*/app.py")))


def policy_statements(template: Template) -> list[tuple[str, dict[str, Any]]]:
    policies = [
        (name, policy["PolicyDocument"])
        for name, role in template.properties_by_type("AWS::IAM::Role").items()
        for policy in role.get("Policies", [])
    ]
    managed_policies = template.properties_by_type("AWS::IAM::ManagedPolicy").items()
    policies += [(name, policy["PolicyDocument"]) for name, policy in managed_policies]
    return [(name, statement) for name, document in policies for statement in document["Statement"]]


def statement_actions(statement: dict[str, Any]) -> list[str]:
    return as_list(statement["Action"])


def as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_no_statement_allows_every_resource_or_a_wildcard_action(template: Template) -> None:
    for name, statement in policy_statements(template):
        assert statement["Resource"] != "*", name
        assert not [action for action in statement_actions(statement) if "*" in action], name


def find_readers(template: Template, resource: str) -> list[str]:
    return [
        name for name, statement in policy_statements(template) if resource in as_list(statement["Resource"])
    ]


@pytest.mark.parametrize("name", SOURCE_FUNCTIONS)
def test_function_logs_to_its_own_group_only(template: Template, name: str) -> None:
    role = template.properties_by_type("AWS::IAM::Role")[f"{name}Role"]
    (statement,) = [
        statement
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if any(action.startswith("logs:") for action in as_list(statement["Action"]))
    ]
    assert set(statement["Action"]) == LOG_ACTIONS
    assert statement["Resource"] == f"arn:aws:local:::{name.removesuffix('Function')}LogGroup"
    assert not [arn for arn in role["ManagedPolicyArns"] if ":aws:policy/" in arn]


def test_only_the_authorizer_reads_the_runner_token(template: Template) -> None:
    assert find_readers(template, "RunnerToken-id") == ["AuthorizerFunctionRole"]


def test_only_signer_and_verifier_read_the_callback_key(template: Template) -> None:
    signer_and_verifier = ["AuthorizerFunction", "ExecuteFunction"]
    assert sorted(find_readers(template, "CallbackKey-id")) == [f"{name}Role" for name in signer_and_verifier]
    for name, spec in find_functions(template).items():
        variables = spec["Environment"]["Variables"]
        assert ("CALLBACK_KEY_SECRET_ID" in variables) is (name in signer_and_verifier)
        assert variables.get("STACK_NAME") == (
            PSEUDO["AWS::StackName"] if name in signer_and_verifier else None
        )


def test_generated_secrets_are_long_enough(template: Template) -> None:
    secrets = template.properties_by_type("AWS::SecretsManager::Secret")
    assert {name: spec["GenerateSecretString"]["PasswordLength"] for name, spec in secrets.items()} == {
        "RunnerToken": 48,
        "CallbackKey": 64,
    }


def test_api_gateway_calls_the_authorizer_for_every_request(template: Template) -> None:
    """A result cached by header would be reused for the paths of other installs."""
    schemes = template.properties_by_type("AWS::ApiGatewayV2::Api")["Api"]["Body"]["components"][
        "securitySchemes"
    ]
    authorizer = schemes["RunnerAuthorizer"]["x-amazon-apigateway-authorizer"]
    assert authorizer["authorizerResultTtlInSeconds"] == 0
    assert authorizer["identitySource"] == ["$context.routeKey"]


@pytest.mark.parametrize("name", ["List", "Get", "Endpoints", "Runs", "InstallGet"])
def test_read_only_function_cannot_write(template: Template, name: str) -> None:
    role = template.properties_by_type("AWS::IAM::Role")[f"{name}FunctionRole"]
    allowed = {
        action
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement_actions(statement)
    }
    assert allowed <= {"dynamodb:Query", "dynamodb:BatchGetItem", *LOG_ACTIONS}
    assert role["ManagedPolicyArns"] == []


def test_timer_role_is_passed_to_the_scheduler_only(template: Template) -> None:
    passing = [
        statement
        for _, statement in policy_statements(template)
        if "iam:PassRole" in statement_actions(statement)
    ]
    assert [statement["Resource"] for statement in passing] == ["arn:aws:local:::TimerRole"]
    condition = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    assert passing[0]["Condition"] == condition


def test_service_token_permission_exists_only_with_a_secret() -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:service"
    parameters = {"RunnerBaseUrl": "http://runner", "RunnerServiceTokenSecretArn": arn}
    template = create_resolvable(expand_template(PROJECT / "template.yaml", parameters, PSEUDO))
    assert find_readers(template, arn) == ["ExecuteFunctionRole"]
    variables = find_functions(template)["ExecuteFunction"]["Environment"]["Variables"]
    assert variables["RUNNER_SERVICE_TOKEN_SECRET_ID"] == arn


def test_timers_send_to_the_queue_of_occurrences(template: Template) -> None:
    variables = find_functions(template)["CreateFunction"]["Environment"]["Variables"]
    assert variables["OCCURRENCE_QUEUE_URL"] == template.attributes["OccurrenceQueue"]["Ref"]
    assert variables["TIMER_DLQ_ARN"] == template.attributes["TimerDeadLetterQueue"]["Arn"]


def test_table_is_retained_when_the_stack_is_deleted(template: Template) -> None:
    source = yaml_parse((PROJECT / "template.yaml").read_text())["Resources"]["Table"]
    assert (source["DeletionPolicy"], source["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = template.properties_by_type("AWS::DynamoDB::Table")["Table"]
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def write_template(folder: Path, resources: str) -> Path:
    path = folder / "template.yaml"
    path.write_text(f"Transform: AWS::Serverless-2016-10-31\nResources:\n{resources}\n")
    return path


def test_unknown_parameter_is_an_error() -> None:
    with pytest.raises(StackError, match="no parameter Typo"):
        expand_template(PROJECT / "template.yaml", {"Typo": "1", "RunnerBaseUrl": "http://x"}, PSEUDO)


def test_parameter_without_a_value_is_an_error() -> None:
    with pytest.raises(StackError, match="RunnerBaseUrl needs a value"):
        expand_template(PROJECT / "template.yaml", {}, PSEUDO)


def test_template_refused_by_sam_is_reported(tmp_path: Path) -> None:
    path = write_template(tmp_path, "  F: {Type: AWS::Serverless::Function, Properties: {Handler: 5}}")
    with pytest.raises(StackError, match=r"template\.yaml: .*F"):
        expand_template(path, {}, PSEUDO)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Fn::GetAtt": ["T", "Arn"]}, "arn:t"),
        ({"Fn::Sub": "${T}/${T.Arn}/${!literal}/${AWS::AccountId}"}, "t/arn:t/${literal}/123456789012"),
        ({"Fn::Sub": ["${stage}-${T}", {"stage": {"Ref": "Stage"}}]}, "dev-t"),
        ({"Fn::If": ["IsDev", "yes", "no"]}, "yes"),
        ([1, {"Fn::If": ["IsDev", {"Ref": "AWS::NoValue"}, 2]}, 3], [1, 3]),
        ({"Fn::If": ["IsDevAndHere", "yes", "no"]}, "yes"),
        ({"Fn::If": ["IsElsewhere", "yes", "no"]}, "no"),
        ({"Fn::Split": [",", {"Ref": "Stage"}]}, ["dev"]),
        ({"Fn::Select": [1, {"Fn::Split": ["/", "table/name"]}]}, "name"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": {"c": [{"Ref": "T"}]}}, {"b": {"c": ["t"]}}),
    ],
)
def test_intrinsic_function_is_resolved(value: object, expected: object) -> None:
    here = {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}
    conditions = {
        "IsDev": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Stage"}, "prod"]}]},
        "IsDevAndHere": {"Fn::And": [{"Condition": "IsDev"}, here]},
        "IsElsewhere": {"Fn::Or": [{"Fn::Not": [{"Condition": "IsDev"}]}, {"Fn::Not": [here]}]},
    }
    template = Template({}, conditions, {**PSEUDO, "Stage": "dev"}, {}, {"T": {"Ref": "t", "Arn": "arn:t"}})
    assert template.resolve(value) == expected


@pytest.mark.parametrize("value", [{"Fn::Cidr": []}, {"Ref": "Nobody"}, {"Fn::GetAtt": ["T", "Color"]}])
def test_unresolvable_value_is_an_error(value: object) -> None:
    with pytest.raises(StackError, match="no rule for"):
        Template({}, {}, {}, {}, {"T": {}}).resolve(value)
