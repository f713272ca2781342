"""Records the stack in CloudFormation, so that tools which read a stack's outputs there find the local stack too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from local.cloudformation import deploy

if TYPE_CHECKING:
    from local.cloudformation.clients import AwsClients
    from local.cloudformation.template import Template

CLOCK_TAG = "local-clock"
"""The tag with the URL of the stack's clock, which may differ from real time."""


def record_stack(template: Template, aws: AwsClients, *, clock_url: str) -> None:
    """Create or update a CloudFormation stack with the template's outputs and parameters, but without resources."""
    arguments: dict[str, Any] = {
        "StackName": deploy.STACK_NAME,
        "TemplateBody": json.dumps(_build_stack_template(template)),
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value} for name, value in template.parameters.items()
        ],
        "Tags": [{"Key": CLOCK_TAG, "Value": clock_url}],
    }
    try:
        aws.cloudformation.create_stack(**arguments)
    except aws.cloudformation.exceptions.AlreadyExistsException:
        aws.cloudformation.update_stack(**arguments)


def _build_stack_template(template: Template) -> dict[str, Any]:
    """Return a template of the values only, each unique, since CloudFormation refuses an update without changes."""
    return {
        "Parameters": {name: {"Type": "String"} for name in template.parameters},
        "Resources": {
            "Nothing": {
                "Type": "AWS::CloudFormation::WaitConditionHandle",
                "Metadata": {"recorded": str(uuid4())},
            }
        },
        "Outputs": template.resolve(template.outputs),
    }
