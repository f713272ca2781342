"""Lambda authorizer of all but the platform's own routes."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling import bootstrap

authorizer = bootstrap.authorizer()


def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, bool]:
    """API Gateway's simple response: whether the request shows a token that is good for its path."""
    return {"isAuthorized": authorizer.is_authorized(event)}
