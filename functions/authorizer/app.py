"""Lambda authorizer of all but the platform's own routes."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling import bootstrap
from scheduling.api.authorizer import authorized

token = bootstrap.callback_token()
local = bootstrap.token_settings().local


def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, bool]:
    """API Gateway's simple response: whether the caller shows the callback token, or the one before it."""
    return {"isAuthorized": authorized(event, token.values(), local=local)}
