"""The project's rules for template.yaml: versions and settings, limits, alarms, the dashboard, production."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]
from scheduling.clients.lambda_ import MAX_SECONDS
from scheduling.domain.install import QUEUE_RETENTION
from scheduling.operations.maintenance import reconcile, sweep
from scheduling.settings import RunnerSettings

from local.cloudformation.template import expand_template
from tests.local.cloudformation.test_template import create_resolvable, find_functions
from tests.local.support import PROJECT, PSEUDO

if TYPE_CHECKING:
    from local.cloudformation.template import Template

TOPIC = "arn:aws:sns:us-east-1:123456789012:pager"
FUNCTIONS_WITHOUT_API = {"ExecuteFunction", "ReconcileFunction", "AuditFunction"}
SOURCE = yaml_parse((PROJECT / "template.yaml").read_text())


def expand_service_template(**parameters: str) -> Template:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        parameter_values = {"RunnerBaseUrl": "http://runner", **parameters}
        return create_resolvable(expand_template(PROJECT / "template.yaml", parameter_values, PSEUDO))


@pytest.fixture(scope="module")
def template() -> Template:
    return expand_service_template()


def single_resource(template: Template, kind: str) -> dict[str, Any]:
    (resource,) = template.properties_by_type(kind).values()
    return resource


def test_function_resources_are_ordered_like_routes() -> None:
    names = list(SOURCE["Resources"])
    functions = [name for name in names if SOURCE["Resources"][name]["Type"] == "AWS::Serverless::Function"]
    kinds = []
    for name in functions:
        role, log_group = f"{name}Role", name.replace("Function", "LogGroup")
        assert names[names.index(name) + 1 : names.index(name) + 3] == [role, log_group]
        events = SOURCE["Resources"][name]["Properties"].get("Events", {})
        path = events["Route"]["Properties"]["Path"] if "Route" in events else ""
        kinds.append(
            next(
                kind for kind, start in enumerate(("/api/", "/v1/", "/admin/", "")) if path.startswith(start)
            )
        )
    assert kinds == sorted(kinds)


def test_api_invokes_a_published_version_with_snapstart(template: Template) -> None:
    aliases = {alias["FunctionName"] for alias in template.properties_by_type("AWS::Lambda::Alias").values()}
    api_functions = {
        template.attributes[name]["Ref"]
        for name in find_functions(template)
        if name not in FUNCTIONS_WITHOUT_API
    }
    assert aliases == api_functions
    assert {spec["SnapStart"]["ApplyOn"] for spec in find_functions(template).values()} == {
        "PublishedVersions"
    }
    body = json.dumps(template.resources["Api"].properties["Body"])
    assert (
        body.count("Aliaslive") + body.count("-authorizer:live")
        == body.count("/functions/")
        == len(api_functions)
    )


def test_old_versions_are_deleted() -> None:
    assert SOURCE["Globals"]["Function"]["VersionDeletionPolicy"] == "Delete"


def list_settings() -> list[str]:
    """Return the parameters that are environment variables of every function, and so of published versions."""
    variables = SOURCE["Globals"]["Function"]["Environment"]["Variables"].values()
    names = [value.get("Ref") for value in variables if isinstance(value, dict)]
    return [name for name in names if name and name in SOURCE["Parameters"]]


OTHER_VALUES = {
    "LogLevel": "DEBUG",
    "Tracing": "Active",
    "VpcSubnetIds": ",".join(f"subnet-{number:017}" for number in range(6)),
    "VpcSecurityGroupIds": ",".join(f"sg-{number:017}" for number in range(5)),
    "VpcFunctions": "all",
    "TableArn": f"arn:aws-us-gov:dynamodb:us-gov-west-1:123456789012:table/{'t' * 128}",
}
"""Values that the parameters accept, as long as they can be; those of other parameters are their default and a 1."""


@pytest.mark.parametrize("name", [*list_settings(), *OTHER_VALUES])
def test_setting_change_alone_publishes_new_versions(name: str) -> None:
    def layer(template: Template) -> str:
        (layer_id,) = (
            name for name, each in template.resources.items() if each.type == "AWS::Lambda::LayerVersion"
        )
        return layer_id

    default = SOURCE["Parameters"][name]["Default"]
    changed = expand_service_template(**{name: OTHER_VALUES.get(name, f"{default}1")})
    assert layer(changed) != layer(expand_service_template())
    versions = [each for each in changed.resources.values() if each.type == "AWS::Lambda::Version"]
    assert versions
    for version in versions:
        assert version.properties["Description"] == {"Ref": layer(changed)}


def test_version_description_fits_256_characters() -> None:
    longest = expand_service_template(
        Stage="s" * 16, LogLevel="WARNING", MaxPayloadBytes="300000", MaxSchedulesPerInstall="9" * 9
    )
    assert len(single_resource(longest, "AWS::Lambda::LayerVersion")["Description"]) <= 256
    all_values = expand_service_template(**OTHER_VALUES)
    assert len(single_resource(all_values, "AWS::Lambda::LayerVersion")["LicenseInfo"]) <= 512


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_longest_values_are_accepted(name: str) -> None:
    parameter, value = SOURCE["Parameters"][name], OTHER_VALUES[name]
    assert value in parameter.get("AllowedValues", [value])
    assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value)


def test_api_is_throttled_and_logs_no_secret(template: Template) -> None:
    stage = single_resource(template, "AWS::ApiGatewayV2::Stage")
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 100, "ThrottlingBurstLimit": 200}
    assert stage["AccessLogSettings"]["DestinationArn"] == "arn:aws:local:::ApiLogGroup"
    log_format = parse_access_log(stage["AccessLogSettings"]["Format"])
    assert {"requestId", "route", "status", "error"} <= log_format.keys()
    assert not [value for value in log_format.values() if "header" in value.lower()]


def parse_access_log(text: str, message: str = "-") -> dict[str, str]:
    """Return a line of the access log, in which only API Gateway's messages can hold any character."""
    quoted = text.replace("$context.error.messageString", json.dumps(message))
    return dict(json.loads(quoted.replace("$context.error.message", message)))


@pytest.mark.parametrize("message", ["-", 'a "quoted" \\ message', "two\nlines"])
def test_access_log_is_json_whatever_a_message_holds(template: Template, message: str) -> None:
    text = single_resource(template, "AWS::ApiGatewayV2::Stage")["AccessLogSettings"]["Format"]
    assert parse_access_log(text, message)["error"] == message
    assert set(re.findall(r"\$context\.([\w.]+)", text)) == {
        "requestId",
        "integration.requestId",
        "requestTime",
        "routeKey",
        "status",
        "responseLatency",
        "identity.sourceIp",
        "identity.caller",
        "error.messageString",
        "integration.integrationStatus",
        "authorizer.status",
    }


def test_access_log_has_the_request_id_that_functions_log(template: Template) -> None:
    text = single_resource(template, "AWS::ApiGatewayV2::Stage")["AccessLogSettings"]["Format"]
    assert parse_access_log(text)["correlation_id"] == "$context.integration.requestId"


def test_the_platforms_routes_alone_have_a_throttle_of_their_own(template: Template) -> None:
    """The routes are in the API's body, so they exist before the stage that names them, at the first deployment too."""
    paths = template.resources["Api"].properties["Body"]["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    stage = single_resource(template, "AWS::ApiGatewayV2::Stage")

    assert stage["RouteSettings"] == {
        route: {"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100}
        for route in routes
        if route.split(" ")[1].startswith("/admin/")
    }


def test_an_install_may_make_half_of_the_calls_that_a_route_accepts(template: Template) -> None:
    accepted = single_resource(template, "AWS::ApiGatewayV2::Stage")["DefaultRouteSettings"]
    environment = find_functions(template)["ListFunction"]["Environment"]["Variables"]

    assert int(environment["CALLS_PER_MINUTE"]) == accepted["ThrottlingRateLimit"] * 60 / 2


def test_occurrences_reach_the_executor_one_by_one_in_every_stage(template: Template) -> None:
    mapping = template.properties_by_type("AWS::Lambda::EventSourceMapping")["OccurrenceMapping"]
    execute = find_functions(template)["ExecuteFunction"]
    assert mapping == {
        "FunctionName": template.attributes["ExecuteFunction"]["Ref"],
        "EventSourceArn": "arn:aws:local:::OccurrenceQueue",
        "BatchSize": 1,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 5},
    }
    assert "ReservedConcurrentExecutions" not in execute


def test_concurrency_is_what_an_event_source_mapping_accepts() -> None:
    parameter = SOURCE["Parameters"]["MaximumConcurrency"]
    assert (parameter["MinValue"], parameter["MaxValue"]) == (2, 1000)
    assert "cores x RunnerOverheadSeconds / 20" in parameter["Description"]


def test_queues_keep_occurrences_as_long_as_sqs_does(template: Template) -> None:
    queues = template.properties_by_type("AWS::SQS::Queue")
    occurrences = queues["OccurrenceQueue"]
    for name in ("OccurrenceQueue", "DeadLetterQueue", "TimerDeadLetterQueue"):
        assert timedelta(seconds=queues[name]["MessageRetentionPeriod"]) == QUEUE_RETENTION
        assert "FifoQueue" not in queues[name]
    assert occurrences["RedrivePolicy"]["deadLetterTargetArn"] == "arn:aws:local:::DeadLetterQueue"
    # SQS accepts 1 to 1,000; neither cfn-lint nor moto refuses another number.
    assert 1 <= occurrences["RedrivePolicy"]["maxReceiveCount"] <= 1000
    assert occurrences["RedrivePolicy"]["maxReceiveCount"] == 10


def test_timers_may_send_occurrences_and_still_invoke_the_function(template: Template) -> None:
    role = template.properties_by_type("AWS::IAM::Role")["TimerRole"]
    (policy,) = role["Policies"]
    allowed = [(each["Action"], each["Resource"]) for each in policy["PolicyDocument"]["Statement"]]
    execute = find_functions(template)["ExecuteFunction"]["FunctionName"]
    assert allowed[0] == (
        "sqs:SendMessage",
        ["arn:aws:local:::OccurrenceQueue", "arn:aws:local:::TimerDeadLetterQueue"],
    )
    assert allowed[1][0] == "lambda:InvokeFunction"
    assert allowed[1][1].endswith(f":function:{execute}")
    assert allowed[2] == ("sqs:SendMessage", "arn:aws:local:::DeadLetterQueue")


@pytest.mark.parametrize(("stage", "protected"), [("prod", True), ("dev", False), ("staging", False)])
def test_table_is_protected_from_deletion_in_production(stage: str, protected: bool) -> None:
    assert (
        single_resource(expand_service_template(Stage=stage), "AWS::DynamoDB::Table")[
            "DeletionProtectionEnabled"
        ]
        is protected
    )


@pytest.mark.parametrize(("stage", "allowed"), [("dev", True), ("local-2", True), ("local", False)])
def test_only_the_local_stack_has_the_stage_that_accepts_well_known_tokens(stage: str, allowed: bool) -> None:
    assert bool(re.fullmatch(SOURCE["Parameters"]["Stage"]["AllowedPattern"], stage)) is allowed


@pytest.mark.parametrize(("parameters", "actions"), [({}, None), ({"AlarmTopicArn": TOPIC}, [TOPIC])])
def test_every_alarm_notifies_the_topic_if_set(parameters: dict[str, str], actions: list[str] | None) -> None:
    alarms = expand_service_template(**parameters).properties_by_type("AWS::CloudWatch::Alarm")
    assert len(alarms) == 16
    for alarm in alarms.values():
        assert alarm.get("AlarmActions") == actions
        assert alarm["AlarmDescription"]
        assert alarm["TreatMissingData"]


def test_missing_reconciler_metrics_raise_an_alarm(template: Template) -> None:
    alarm = template.properties_by_type("AWS::CloudWatch::Alarm")["PendingRowsAlarm"]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("OldestPendingSeconds", 600)
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Dimensions"] == [{"Name": "service", "Value": PSEUDO["AWS::StackName"]}]
    variables = find_functions(template)["ReconcileFunction"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_SERVICE_NAME"] == PSEUDO["AWS::StackName"]


def test_reconciler_has_time_for_the_longest_part_of_the_sweep(template: Template) -> None:
    function = find_functions(template)["ReconcileFunction"]
    assert function["Timeout"] > reconcile.TIME_BUDGET + sweep.TIME_BUDGET + MAX_SECONDS


def test_reconciler_may_invoke_itself_by_a_policy_that_is_not_in_its_role(template: Template) -> None:
    """Within the role, it would be a circular dependency, which CloudFormation refuses."""
    policy = template.resources["SweepPartsPolicy"].properties
    role = template.resources["ReconcileFunctionRole"].properties
    assert policy["Roles"] == [{"Ref": "ReconcileFunctionRole"}]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == {"Fn::GetAtt": ["ReconcileFunction", "Arn"]}
    assert '"ReconcileFunction"' not in json.dumps(role)


def test_executor_has_time_for_the_slowest_runner(template: Template) -> None:
    limits = {
        field: SOURCE["Parameters"][name]
        for name, field in (
            ("RunnerTimeoutMs", "runner_timeout_ms"),
            ("RunnerOverheadSeconds", "runner_overhead_seconds"),
        )
    }
    settings = {"stack_name": "stack", "runner_base_url": "http://runner"}
    defaults = RunnerSettings.model_validate(settings)
    largest = RunnerSettings.model_validate(
        settings | {field: limit["MaxValue"] for field, limit in limits.items()}
    )

    execute = find_functions(template)["ExecuteFunction"]
    assert timedelta(seconds=execute["Timeout"]) == largest.function_timeout
    queue = template.properties_by_type("AWS::SQS::Queue")["OccurrenceQueue"]
    assert timedelta(seconds=queue["VisibilityTimeout"]) == largest.visibility_timeout
    for field, limit in limits.items():
        assert getattr(defaults, field) == limit["Default"]
        assert limit["Default"] == execute["Environment"]["Variables"][field.upper()]
        for value in (limit["MinValue"] - 1, limit["MaxValue"] + 1):
            with pytest.raises(ValidationError):
                RunnerSettings.model_validate(settings | {field: value})


@pytest.mark.parametrize(
    ("alarm_name", "metric", "function"),
    [
        ("RunnerRefusalsAlarm", "RunnerRefusals", "ExecuteFunction"),
        ("UnreadableItemsAlarm", "UnreadableItems", "ReconcileFunction"),
        ("UnreadableItemsAlarm", "UnreadableItems", "ListFunction"),
        ("SecretReadsAlarm", "SecretReadFailures", "ExecuteFunction"),
        ("SecretReadsAlarm", "SecretReadFailures", "AuthorizerFunction"),
    ],
)
def test_failure_of_another_service_raises_an_alarm_of_its_own(
    template: Template, alarm_name: str, metric: str, function: str
) -> None:
    alarm = template.properties_by_type("AWS::CloudWatch::Alarm")[alarm_name]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("ExtensionScheduler", metric)
    assert alarm["Dimensions"] == [{"Name": "service", "Value": PSEUDO["AWS::StackName"]}]
    variables = find_functions(template)[function]["Environment"]["Variables"]
    assert variables["POWERTOOLS_SERVICE_NAME"] == PSEUDO["AWS::StackName"]


def test_audit_receives_every_change_and_retries_for_six_hours(template: Template) -> None:
    mapping = template.properties_by_type("AWS::Lambda::EventSourceMapping")["AuditMapping"]
    assert single_resource(template, "AWS::DynamoDB::Table")["StreamSpecification"] == {
        "StreamViewType": "NEW_AND_OLD_IMAGES"
    }
    assert mapping["EventSourceArn"] == "Table-stream"
    assert mapping["FunctionName"] == template.attributes["AuditFunction"]["Ref"]
    assert (mapping["StartingPosition"], mapping["MaximumBatchingWindowInSeconds"]) == ("TRIM_HORIZON", 1)
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRecordAgeInSeconds"] == 6 * 3600
    assert "MaximumRetryAttempts" not in mapping
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == "arn:aws:local:::UnpublishedQueue"


@pytest.mark.parametrize(
    ("alarm", "metric", "threshold"),
    [
        ("WaitingAlarm", "WaitingSeconds", 600),
        ("OccurrencesAgeAlarm", "ApproximateAgeOfOldestMessage", 1800),
        ("TimerDeadLettersAlarm", "ApproximateNumberOfMessagesVisible", 0),
        ("DeadLettersAlarm", "ApproximateNumberOfMessagesVisible", 0),
        ("RunnerOverloadAlarm", "RunnerResponses", 5),
        ("LatenessAlarm", "Lateness", 1800),
    ],
)
def test_occurrences_that_wait_or_fail_raise_an_alarm(
    template: Template, alarm: str, metric: str, threshold: int
) -> None:
    properties = template.properties_by_type("AWS::CloudWatch::Alarm")[alarm]
    assert (properties["MetricName"], properties["Threshold"]) == (metric, threshold)


@pytest.mark.parametrize(
    ("alarm", "metric", "dimensions"),
    [
        ("AuditAgeAlarm", "IteratorAge", {"Name": "FunctionName", "Value": "AuditFunction"}),
        (
            "UnpublishedAlarm",
            "ApproximateNumberOfMessagesVisible",
            {"Name": "QueueName", "Value": "UnpublishedQueue-name"},
        ),
    ],
)
def test_late_or_failed_audit_raises_an_alarm(
    template: Template, alarm: str, metric: str, dimensions: dict[str, str]
) -> None:
    resource = template.properties_by_type("AWS::CloudWatch::Alarm")[alarm]
    assert (resource["MetricName"], resource["Dimensions"]) == (metric, [dimensions])


def test_dashboard_shows_every_function_and_alarm_metric(template: Template) -> None:
    text = single_resource(template, "AWS::CloudWatch::Dashboard")["DashboardBody"]
    widgets = [widget["properties"] for widget in json.loads(text)["widgets"]]
    assert len({widget["title"] for widget in widgets}) == len(widgets)
    for name in find_functions(template):
        assert text.count(f'"{template.attributes[name]["Ref"]}"') >= 3
    for alarm in template.properties_by_type("AWS::CloudWatch::Alarm").values():
        metrics = [part["MetricStat"]["Metric"] for part in alarm.get("Metrics", []) if "MetricStat" in part]
        for metric in metrics or [alarm]:
            assert f'"{metric["Namespace"]}", "{metric["MetricName"]}"' in text


def test_stateful_resources_are_tagged(template: Template) -> None:
    tags = [{"Key": "application", "Value": "extension-scheduler"}, {"Key": "stage", "Value": "dev"}]
    for name in (
        "Table",
        "RunnerToken",
        "CallbackKey",
        "ScheduleGroup",
        "OccurrenceQueue",
        "DeadLetterQueue",
        "TimerDeadLetterQueue",
        "EventBus",
        "ExecuteFunction",
    ):
        tags_value = template.resolve(template.resources[name].properties["Tags"])
        assert [tag for tag in tags_value if tag["Key"] in ("application", "stage")] == tags, name


@pytest.mark.parametrize("name", SOURCE["Parameters"])
def test_every_parameter_has_a_description_and_bounds_and_all_but_the_runner_url_a_default(name: str) -> None:
    parameter = SOURCE["Parameters"][name]
    assert parameter["Description"]
    assert {"AllowedPattern", "AllowedValues", "MinValue"} & parameter.keys()
    assert ("Default" in parameter) is (name != "RunnerBaseUrl")


def evaluate_condition(condition: Any, parameters: dict[str, str]) -> Any:
    """Evaluate a condition of a CloudFormation rule."""
    if not isinstance(condition, dict):
        return condition
    ((function, arguments),) = condition.items()
    if function == "Ref":
        return parameters[arguments]
    values = [evaluate_condition(each, parameters) for each in arguments]
    match function:
        case "Fn::Equals":
            return values[0] == values[1]
        case "Fn::Not":
            return not values[0]
        case "Fn::Or":
            return any(values)
    raise AssertionError(function)


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        pytest.param({"Stage": "dev"}, None, id="development"),
        pytest.param({"Stage": "dev", "VpcSubnetIds": "s"}, "set VpcSecurityGroupIds", id="no groups"),
        pytest.param({"Stage": "dev", "VpcSubnetIds": "s", "VpcSecurityGroupIds": "g"}, None, id="groups"),
        pytest.param({"Stage": "dev", "TableArn": "t"}, "set TableStreamArn", id="no stream"),
        pytest.param({"Stage": "dev", "TableArn": "t", "TableStreamArn": "s"}, None, id="stream"),
        pytest.param({}, "set RunnerServiceTokenSecretArn", id="no token"),
        pytest.param({"AllowRunnerWithoutToken": "true"}, None, id="token not required"),
        pytest.param({"RunnerServiceTokenSecretArn": "arn"}, None, id="with a token"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(
    parameters: dict[str, str], refusal: str | None
) -> None:
    defaults = {name: str(spec.get("Default", "")) for name, spec in SOURCE["Parameters"].items()}
    chosen = {**defaults, "Stage": "prod", **parameters}

    refusals = [
        assertion["AssertDescription"]
        for rule in SOURCE["Rules"].values()
        if evaluate_condition(rule["RuleCondition"], chosen)
        for assertion in rule["Assertions"]
        if not evaluate_condition(assertion["Assert"], chosen)
    ]

    assert len(refusals) == (refusal is not None)
    assert refusal is None or refusal in refusals[0]
