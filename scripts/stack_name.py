"""Refuse a name for a stack that AWS would refuse halfway through a deployment: `python -m scripts.stack_name NAME`.

CloudFormation checks the names of resources only when it creates them, and its rules cannot measure a text.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from local.cloudformation.template import Template
from scripts.iam_table import PSEUDO_PARAMETERS, expand_with_logical_ids

MAX_LENGTHS = {
    ("AWS::ApiGatewayV2::Api", "Name"): 128,
    ("AWS::CloudWatch::Alarm", "AlarmName"): 255,
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
    ("AWS::Events::EventBus", "Name"): 256,
    ("AWS::Lambda::Function", "FunctionName"): 64,
    ("AWS::Lambda::LayerVersion", "LayerName"): 140,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
}
"""How long AWS allows the names to be that contain the stack's."""
MAX_STACK_NAME_LENGTH = 128
_STACK_NAME_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_MARKER = "stack-name-marker"


@dataclass(frozen=True)
class DerivedName:
    """A resource's name that contains the stack's, as `{}`."""

    logical_id: str
    pattern: str
    max_length: int

    @property
    def max_stack_name_length(self) -> int:
        """How long the stack's name may be."""
        return self.max_length - len(self.pattern.format(""))


@cache
def read_derived_names() -> tuple[DerivedName, ...]:
    """Return the names of the template's resources that contain the stack's name."""
    template = expand_with_logical_ids({**PSEUDO_PARAMETERS, "AWS::StackName": _MARKER})
    return tuple(_find_derived_names(template))


def _find_derived_names(template: Template) -> Iterator[DerivedName]:
    for logical_id, resource in template.resources.items():
        names = {name: value for name, value in resource.properties.items() if name.endswith("Name")}
        if resource.type == "AWS::ApiGatewayV2::Api":
            names["Name"] = resource.properties["Body"]["info"]["title"]
        for name, value in names.items():
            pattern = str(template.resolve(value)).replace(_MARKER, "{}")
            if "{}" in pattern and not pattern.startswith("arn:"):  # a permission's function is no new name
                yield DerivedName(logical_id, pattern, MAX_LENGTHS[resource.type, name])


def find_fault(stack_name: str) -> str | None:
    """Return why AWS would refuse the name, or None."""
    if not _STACK_NAME_PATTERN.fullmatch(stack_name):
        return "it must be letters, digits and hyphens, with a letter first"
    longest = min(read_derived_names(), key=lambda name: name.max_stack_name_length)
    limit = min(longest.max_stack_name_length, MAX_STACK_NAME_LENGTH)
    if len(stack_name) <= limit:
        return None
    return (
        f"it has {len(stack_name)} characters; at most {limit} are possible, since {longest.logical_id} is named "
        f"{longest.pattern.format('<stack name>')} and such a name has at most {longest.max_length}"
    )


def main() -> int:
    """Check the name given as the argument."""
    stack_name = sys.argv[1]
    if fault := find_fault(stack_name):
        sys.stderr.write(f'deploy: the stack name "{stack_name}" is refused: {fault}\n')
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
