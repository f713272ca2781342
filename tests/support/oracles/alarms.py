"""The alarms of template.yaml, and whether what the functions have printed would raise them."""

import ast
import json
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from local.cloudformation.template import Template
from scripts.iam_table import PSEUDO_PARAMETERS, expand_with_logical_ids

STACK = PSEUDO_PARAMETERS["AWS::StackName"]
OWN_NAMESPACE = "ExtensionScheduler"
_STATISTICS: Mapping[str, Callable[[Iterable[float]], float]] = {"Sum": sum, "Maximum": max}
_OPERATORS: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.GtE: operator.ge,
}


@dataclass(frozen=True)
class Datapoint:
    """One value of a metric, as CloudWatch reads it from a line of a log."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Alarm:
    """One alarm, by its name in the template; its properties refer to resources by their logical ids."""

    name: str
    properties: Mapping[str, Any]

    @property
    def suffix(self) -> str:
        """The alarm's name without the stack's."""
        return str(self.properties["AlarmName"]).removeprefix(f"{STACK}-")

    @property
    def resources(self) -> Sequence[str]:
        """The resources of AWS's own metric; none for a metric of this service."""
        if self.is_own:
            return []
        return [each["Value"] for each in self.properties["Dimensions"]]

    @property
    def is_own(self) -> bool:
        """Whether the metrics are this service's."""
        return all(each["Namespace"] == OWN_NAMESPACE for each in self._list_metrics().values())

    def is_raised_by(self, datapoints: Sequence[Datapoint]) -> bool:
        """Return whether these values, all of one period, are beyond the threshold."""
        values = {
            name: _aggregate(metric, statistic, datapoints)
            for name, (metric, statistic) in self._list_statistics().items()
        }
        if None in values.values():
            return False
        expression = next((each["Expression"] for each in self._list_parts() if "Expression" in each), "only")
        assert self.properties["ComparisonOperator"] == "GreaterThanThreshold"
        value = _evaluate(ast.parse(expression, mode="eval").body, values)
        return value > float(self.properties["Threshold"])

    def _list_parts(self) -> Sequence[Mapping[str, Any]]:
        parts: Sequence[Mapping[str, Any]] = self.properties.get("Metrics", [])
        return parts

    def _list_metrics(self) -> Mapping[str, Mapping[str, Any]]:
        return {name: metric for name, (metric, _) in self._list_statistics().items()}

    def _list_statistics(self) -> Mapping[str, tuple[Mapping[str, Any], str]]:
        parts = [each for each in self._list_parts() if "MetricStat" in each]
        if not parts:
            return {"only": (self.properties, self.properties["Statistic"])}
        return {each["Id"]: (each["MetricStat"]["Metric"], each["MetricStat"]["Stat"]) for each in parts}


@cache
def _read_template() -> Template:
    template = expand_with_logical_ids()
    for name in template.resources:
        template.attributes[name] |= {"QueueName": name, "StreamArn": name}
    return template


def read_properties(resource: str) -> Any:
    """Return the properties of a resource, which refer to others by their logical ids."""
    template = _read_template()
    return template.resolve(template.resources[resource].properties)


@cache
def list_alarms() -> Mapping[str, Alarm]:
    """Return the alarms of the template by their logical ids."""
    resources = _read_template().resources.items()
    names = [name for name, resource in resources if resource.type == "AWS::CloudWatch::Alarm"]
    return {name: Alarm(name, read_properties(name)) for name in names}


def parse_datapoints(output: str) -> list[Datapoint]:
    """Return the values in the lines that functions have printed."""
    return [each for line in output.splitlines() for each in _parse_line(json.loads(line))]


def _parse_line(line: Mapping[str, Any]) -> Iterator[Datapoint]:
    for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
        for names in directive["Dimensions"]:
            dimensions = {name: line[name] for name in names}
            for metric in directive["Metrics"]:
                for value in line[metric["Name"]]:
                    yield Datapoint(directive["Namespace"], metric["Name"], dimensions, value)


def _aggregate(metric: Mapping[str, Any], statistic: str, datapoints: Sequence[Datapoint]) -> float | None:
    dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
    values = [
        each.value
        for each in datapoints
        if (each.namespace, each.name) == (metric["Namespace"], metric["MetricName"])
        and each.dimensions == dimensions
    ]
    return _STATISTICS[statistic](values) if values else None


def _evaluate(node: ast.expr, values: Mapping[str, float | None]) -> float:
    """Return the value of an expression of CloudWatch's metric math, which looks like Python."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name):
            return values[name] or 0
        case ast.BinOp(left=left, op=operation, right=right):
            return _OPERATORS[type(operation)](_evaluate(left, values), _evaluate(right, values))
        case ast.Compare(left=left, ops=[operation], comparators=[right]):
            return _OPERATORS[type(operation)](_evaluate(left, values), _evaluate(right, values))
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise]):
            return _evaluate(then if _evaluate(condition, values) else otherwise, values)
    raise AssertionError(f"no rule for {ast.dump(node)}")
