"""`events/env.json` names the resources of the local stack for `sam local`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local.cloudformation.deploy import STACK_NAME
from local.settings import read_settings
from local.stack import deploy_template
from tests.local.support import PROJECT

if TYPE_CHECKING:
    from local.cloudformation.clients import AwsClients


def test_container_environment_covers_every_resource_of_the_local_stack(aws: AwsClients) -> None:
    # As containers need it. The stack makes a service token then.
    settings = read_settings({"LISTEN_ADDRESS": "0.0.0.0"})  # noqa: S104
    functions = deploy_template(settings, aws).properties_by_type("AWS::Lambda::Function").values()
    variables = {
        name: value
        for function in functions
        for name, value in function["Environment"]["Variables"].items()
        if f"{STACK_NAME}-" in str(value)
    }
    parameters = json.loads((PROJECT / "events" / "env.json").read_text())["Parameters"]

    for name in ("RUNNER_TOKEN_SECRET_ID", "CALLBACK_KEY_SECRET_ID", "RUNNER_SERVICE_TOKEN_SECRET_ID"):
        secret = aws.secrets.describe_secret(SecretId=parameters[name])
        assert secret["ARN"] == variables.pop(name)
    assert parameters["STACK_NAME"] == STACK_NAME
    assert {"TABLE_NAME", "SCHEDULE_GROUP_NAME"} < variables.keys()
    for name in [name for name in variables if name.endswith("_QUEUE_URL")]:
        assert urlsplit(parameters[name]).path == urlsplit(variables.pop(name)).path
    assert variables == {name: parameters.get(name) for name in variables}
