from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from local.cloudformation.deploy import deploy_resources, pseudo_parameters
from local.cloudformation.template import Template, expand_template
from local.errors import StackError
from local.queue.consumer import QueueMapping
from local.queue.mapping import read_queue_mapping
from tests.local.support import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from local.cloudformation.clients import AwsClients

MAPPING = """
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref EchoFunction
      EventSourceArn: !GetAtt Queue.Arn
      BatchSize: 1
      FunctionResponseTypes: [ReportBatchItemFailures]
      ScalingConfig: {MaximumConcurrency: 7}
"""


def deploy(aws: AwsClients, folder: Path, **parameters: str) -> Template:
    template = expand_template(folder / "template.yaml", parameters, pseudo_parameters(aws))
    deploy_resources(template, aws, {})
    return template


def append_to_template(project: Path, text: str) -> None:
    path = project / "template.yaml"
    path.write_text(path.read_text() + text)


def test_mapping_is_read_from_the_template(aws: AwsClients, project: Path) -> None:
    append_to_template(project, MAPPING)
    template = deploy(aws, project)
    assert read_queue_mapping(template) == QueueMapping(
        queue_url=template.attributes["Queue"]["Ref"],
        queue_arn=template.attributes["Queue"]["Arn"],
        function_arn=template.attributes["EchoFunction"]["Arn"],
        max_concurrency=7,
        visibility_timeout=timedelta(seconds=30),
    )


def test_mapping_of_the_service_has_the_parameter_for_its_concurrency(aws: AwsClients) -> None:
    template = deploy(aws, PROJECT, RunnerBaseUrl="http://runner", MaximumConcurrency="12")
    mapping = read_queue_mapping(template)
    assert mapping.max_concurrency == 12
    assert mapping.function_arn == template.attributes["ExecuteFunction"]["Arn"]
    execute = template.properties_by_type("AWS::Lambda::Function")["ExecuteFunction"]
    assert mapping.visibility_timeout > timedelta(seconds=execute["Timeout"])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("", "0 event source mappings of queues", id="none"),
        pytest.param(
            MAPPING + MAPPING.replace("Mapping:", "Other:", 1), "2 event source mappings of queues", id="two"
        ),
        pytest.param(
            MAPPING.replace("BatchSize: 1", "BatchSize: 10"),
            "the batches of the event source mapping Mapping",
            id="batch",
        ),
        pytest.param(
            MAPPING.replace("ReportBatchItemFailures", ""),
            "the batches of the event source mapping Mapping",
            id="whole batches",
        ),
        pytest.param(
            MAPPING + "      MaximumBatchingWindowInSeconds: 1\n",
            "MaximumBatchingWindowInSeconds of the event source mapping Mapping",
            id="unknown property",
        ),
    ],
)
def test_unsupported_mapping_is_refused(aws: AwsClients, project: Path, text: str, error: str) -> None:
    append_to_template(project, text)
    template = deploy(aws, project)
    with pytest.raises(StackError, match=f"^the local stack has no rule for {re.escape(error)}$"):
        read_queue_mapping(template)
