"""Reads the template's event source mapping of a queue."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from local.errors import StackError
from local.queue.consumer import QueueMapping

if TYPE_CHECKING:
    from local.cloudformation.template import Template

_DEFAULT_VISIBILITY_SECONDS = 30
_KNOWN_PROPERTIES = {
    "FunctionName",
    "EventSourceArn",
    "BatchSize",
    "FunctionResponseTypes",
    "ScalingConfig",
    "Tags",
}


def read_queue_mapping(template: Template) -> QueueMapping:
    """Return the template's one mapping of a queue.

    Raises:
        StackError: There is not exactly one, or it has a property that the local stack does not support.
    """
    specs = {
        name: spec
        for name, spec in template.properties_by_type("AWS::Lambda::EventSourceMapping").items()
        if spec["EventSourceArn"].startswith("arn:aws:sqs:")
    }
    if len(specs) != 1:
        raise StackError(f"the local stack has no rule for {len(specs)} event source mappings of queues")
    ((name, spec),) = specs.items()
    _require_supported(name, spec)
    queue = _find_by_attribute(template, "AWS::SQS::Queue", "Arn", spec["EventSourceArn"])
    function = _find_by_attribute(template, "AWS::Lambda::Function", "Ref", spec["FunctionName"])
    visibility = template.resolve(template.resources[queue].properties).get(
        "VisibilityTimeout", _DEFAULT_VISIBILITY_SECONDS
    )
    return QueueMapping(
        queue_url=template.attributes[queue]["Ref"],
        queue_arn=spec["EventSourceArn"],
        function_arn=template.attributes[function]["Arn"],
        max_concurrency=int(spec["ScalingConfig"]["MaximumConcurrency"]),
        visibility_timeout=timedelta(seconds=int(visibility)),
    )


def _require_supported(name: str, spec: dict[str, Any]) -> None:
    unknown = sorted(spec.keys() - _KNOWN_PROPERTIES)
    if unknown or spec["BatchSize"] != 1 or spec["FunctionResponseTypes"] != ["ReportBatchItemFailures"]:
        text = f"{', '.join(unknown) or 'the batches'} of the event source mapping {name}"
        raise StackError(f"the local stack has no rule for {text}")


def _find_by_attribute(template: Template, resource_type: str, attribute: str, value: str) -> str:
    return next(
        name
        for name, resource in template.resources.items()
        if resource.type == resource_type and template.attributes[name][attribute] == value
    )
