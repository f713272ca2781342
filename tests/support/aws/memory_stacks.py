"""CloudFormation's stacks in memory: each is described as its template says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.aws.memory_table import ServiceError, require_known_arguments

Arguments = Mapping[str, Any]


@dataclass
class MemoryStacks:
    """The descriptions of the stacks by name."""

    descriptions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def create_stack(self, arguments: Arguments) -> dict[str, Any]:
        """CreateStack, without resources, from a template in JSON whose outputs are plain values."""
        require_known_arguments(arguments, {"StackName", "TemplateBody", "Parameters"})
        outputs = json.loads(arguments["TemplateBody"])["Outputs"]
        self.descriptions[arguments["StackName"]] = {
            "StackName": arguments["StackName"],
            "StackStatus": "CREATE_COMPLETE",
            "Parameters": list(arguments["Parameters"]),
            "Outputs": [
                {"OutputKey": key, "OutputValue": output["Value"]} for key, output in outputs.items()
            ],
            "Tags": [],
        }
        return {}

    def describe_stacks(self, arguments: Arguments) -> dict[str, Any]:
        """DescribeStacks of one stack."""
        require_known_arguments(arguments, {"StackName"})
        name = arguments["StackName"]
        if name not in self.descriptions:
            raise ServiceError("ValidationError", f"Stack with id {name} does not exist")
        return {"Stacks": [self.descriptions[name]]}
