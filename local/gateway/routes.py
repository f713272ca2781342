"""The HTTP API's routes, read from the template's expanded OpenAPI document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from local.errors import StackError

if TYPE_CHECKING:
    from local.cloudformation.template import Template
    from local.gateway.messages import Request

_ROUTE_KEY, _HEADER = "$context.routeKey", "$request.header."
_FUNCTION_ARN = re.compile(r"/functions/(arn:.+)/invocations$")
_IAM = "AWS_IAM"


@dataclass(frozen=True)
class Authorizer:
    """A Lambda authorizer with its identity sources, all of which a request needs before the authorizer is called."""

    function_arn: str
    identity_sources: tuple[str, ...]

    def resolve_identity(self, request: Request, route: Route) -> list[str]:
        """Return the value of each identity source in a request; empty where the request lacks it."""
        return [_resolve_identity_source(source, request, route) for source in self.identity_sources]


@dataclass(frozen=True)
class Route:
    """A route: method, path, function, and the authorization it requires."""

    method: str
    path: str
    function_arn: str
    authorizer: Authorizer | None
    requires_iam: bool = False

    @property
    def key(self) -> str:
        """The route key in events."""
        return f"{self.method} {self.path}"

    def match_path(self, segments: list[str]) -> dict[str, str] | None:
        """Return the path parameters if the segments of a path match, else None."""
        pattern_segments = self.path.split("/")
        if len(pattern_segments) != len(segments):
            return None
        parameters = {}
        for pattern, segment in zip(pattern_segments, segments, strict=True):
            if pattern.startswith("{") and segment:
                parameters[pattern[1:-1]] = unquote(segment)
            elif pattern != segment:
                return None
        return parameters


class Routes:
    """All routes of the API; a static segment takes precedence over a parameter."""

    def __init__(self, routes: list[Route]) -> None:
        self.routes = sorted(routes, key=_specificity)

    def find_route(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the route of a request with its path parameters; None if no route matches."""
        segments = path.split("/")
        for route in self.routes:
            if route.method == method and (parameters := route.match_path(segments)) is not None:
                return route, parameters
        return None


def read_routes(template: Template) -> Routes:
    """Read the routes of the template's one HTTP API."""
    (api,) = template.properties_by_type("AWS::ApiGatewayV2::Api").values()
    schemes = api["Body"].get("components", {}).get("securitySchemes", {})
    authorizers = {
        name: _parse_authorizer(scheme["x-amazon-apigateway-authorizer"])
        for name, scheme in schemes.items()
        if scheme.get("x-amazon-apigateway-authorizer")
    }
    return Routes(
        [
            _parse_route(path, method, operation, authorizers)
            for path, operations in api["Body"]["paths"].items()
            for method, operation in operations.items()
        ]
    )


def _parse_route(path: str, method: str, operation: Any, authorizers: dict[str, Authorizer]) -> Route:
    schemes = [name for requirement in operation.get("security", []) for name in requirement]
    unsupported = [name for name in schemes if name != _IAM and name not in authorizers]
    if unsupported or "+}" in path or method.startswith("x-"):
        raise StackError(f"the local stack has no rule for the route {method} {path}")
    return Route(
        method=method.upper(),
        path=path,
        function_arn=_parse_function_arn(operation["x-amazon-apigateway-integration"]["uri"]),
        authorizer=next((authorizers[name] for name in schemes if name in authorizers), None),
        requires_iam=_IAM in schemes,
    )


def _resolve_identity_source(source: str, request: Request, route: Route) -> str:
    if source == _ROUTE_KEY:
        return route.key
    return request.headers.get(source.removeprefix(_HEADER).lower(), "")


def _parse_authorizer(spec: Any) -> Authorizer:
    sources = tuple(spec.get("identitySource", ()))
    unsupported = [source for source in sources if source != _ROUTE_KEY and not source.startswith(_HEADER)]
    caches_result = spec.get("authorizerResultTtlInSeconds") != 0
    if unsupported or caches_result or not spec.get("enableSimpleResponses"):
        raise StackError(f"the local stack has no rule for the authorizer {spec}")
    return Authorizer(_parse_function_arn(spec["authorizerUri"]), sources)


def _parse_function_arn(uri: str) -> str:
    match = _FUNCTION_ARN.search(uri)
    if not match:
        raise StackError(f"the local stack has no rule for an integration with {uri}")
    return match[1]


def _specificity(route: Route) -> list[bool]:
    return [segment.startswith("{") for segment in route.path.split("/")]
