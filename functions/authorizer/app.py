"""Lambda authorizer of all routes except the platform's own."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from scheduling import bootstrap

authorizer = bootstrap.authorizer()


def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, object]:
    """Return, as API Gateway's simple response, whether the request has a token that is valid for its path."""
    return authorizer.authorize(event)
