"""The template's own EventBridge rules, which invoke a function every minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from local.clock import iso
from local.errors import StackError
from local.lambda_.functions import FunctionFailed

if TYPE_CHECKING:
    from local.clock import LocalClock
    from local.cloudformation.template import Template
    from local.lambda_.asynchronous import AsynchronousInvoker


class MinuteRules:
    """Invokes what the template's rules invoke; the only rate they may have is a minute."""

    def __init__(self, template: Template, invoker: AsynchronousInvoker, clock: LocalClock) -> None:
        self._invoker = invoker
        self._clock = clock
        rules = template.of_type("AWS::Events::Rule")
        self._functions = {name: target["Arn"] for name, rule in rules.items() for target in rule["Targets"]}
        if others := [name for name, rule in rules.items() if rule["ScheduleExpression"] != "rate(1 minute)"]:
            raise StackError(f"the local stack has no rule for the rate of {', '.join(others)}")

    def invoke(self) -> dict[str, Any]:
        """Invoke every function once; the answers by the name of the rule."""
        return {name: self._invoke(arn) for name, arn in self._functions.items()}

    def _invoke(self, arn: str) -> Any:
        try:
            return self._invoker.invoke(arn, self._event())
        except FunctionFailed as failure:
            return {"errorType": failure.type, "errorMessage": str(failure)}

    def _event(self) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "time": iso(self._clock.now()),
            "resources": [],
            "detail": {},
        }
