"""The template's own EventBridge rules, which invoke a function every minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from local.clock import format_instant
from local.errors import StackError
from local.lambda_.functions import FunctionError

if TYPE_CHECKING:
    from local.clock import LocalClock
    from local.cloudformation.template import Template
    from local.lambda_.endpoint import LambdaEndpoint
    from local.lambda_.functions import LocalFunctions


class MinuteRules:
    """Invokes the targets of the template's rules; the only supported rate is one minute."""

    def __init__(
        self, template: Template, functions: LocalFunctions | LambdaEndpoint, clock: LocalClock
    ) -> None:
        self._lambda = functions
        self._clock = clock
        self.last_results: dict[str, Any] = {}
        """The results of the last run, by rule name."""
        self.last_run_at: str | None = None
        rules = template.properties_by_type("AWS::Events::Rule")
        self._functions = {name: target["Arn"] for name, rule in rules.items() for target in rule["Targets"]}
        if unsupported := [
            name for name, rule in rules.items() if rule["ScheduleExpression"] != "rate(1 minute)"
        ]:
            raise StackError(f"the local stack has no rule for the rate of {', '.join(unsupported)}")

    def invoke_rules(self) -> dict[str, Any]:
        """Invoke every function once and return the results, by rule name."""
        results = {name: self._invoke_function(arn) for name, arn in self._functions.items()}
        self.last_results, self.last_run_at = results, format_instant(self._clock.now())
        return results

    def _invoke_function(self, arn: str) -> Any:
        try:
            return self._lambda.invoke_function(arn, self._build_event())
        except FunctionError as failure:
            return {"errorType": failure.error_type, "errorMessage": str(failure)}

    def _build_event(self) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "time": format_instant(self._clock.now()),
            "resources": [],
            "detail": {},
        }
