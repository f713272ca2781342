from typing import Any

import pytest

from local.cloudformation.template import expand_template
from local.errors import StackError
from local.gateway.routes import Authorizer, Route, Routes, read_routes
from tests.local.cloudformation.test_template import create_resolvable
from tests.local.support import PROJECT, PSEUDO


@pytest.mark.parametrize(
    ("path", "function", "parameters"),
    [
        ("/v1/a/schedules", "list", {"i": "a"}),
        ("/v1/a/schedules/b", "get", {"i": "a", "s": "b"}),
        ("/v1/a/schedules/preview", "preview", {"i": "a"}),
        ("/v1/schedules/schedules/%7Bs%7D", "get", {"i": "schedules", "s": "{s}"}),
    ],
)
def test_static_segment_takes_precedence_over_a_parameter(
    path: str, function: str, parameters: dict[str, str]
) -> None:
    routes = Routes(
        [
            Route("GET", "/v1/{i}/schedules/{s}", "get", None),
            Route("GET", "/v1/{i}/schedules", "list", None),
            Route("GET", "/v1/{i}/schedules/preview", "preview", None),
        ]
    )
    match = routes.find_route("GET", path)
    assert match is not None
    assert (match[0].function_arn, match[1]) == (function, parameters)


@pytest.mark.parametrize(
    "path", ["/v1", "/v1//schedules", "/v1/a/schedules/", "/v1/a/schedules/b/c", "", "*"]
)
def test_unmatched_path_has_no_route(path: str) -> None:
    assert Routes([Route("GET", "/v1/{i}/schedules", "list", None)]).find_route("GET", path) is None


def test_project_routes_each_have_their_own_function() -> None:
    template = create_resolvable(
        expand_template(PROJECT / "template.yaml", {"RunnerBaseUrl": "http://runner"}, PSEUDO)
    )
    routes = read_routes(template).routes
    without_route = {"audit", "authorizer", "execute", "reconcile"}
    operations = {path.parent.name for path in PROJECT.glob("functions/*/app.py")} - without_route
    assert len({route.function_arn for route in routes}) == len(routes) == len(operations)
    for route in routes:
        admin = route.path.startswith("/admin/")
        name = f"{PSEUDO['AWS::StackName']}-authorizer:live"
        check = Authorizer(f"arn:aws:lambda:us-east-1:123456789012:function:{name}", ("$context.routeKey",))
        assert (route.requires_iam, route.authorizer) == (admin, None if admin else check)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"identitySource": ["$request.querystring.token"]}, id="unsupported identity source"),
        pytest.param({"authorizerResultTtlInSeconds": 60}, id="cached results"),
        pytest.param({"enableSimpleResponses": False}, id="policies"),
    ],
)
def test_unsupported_authorizer_is_an_error(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]) -> None:
    template = create_resolvable(
        expand_template(PROJECT / "template.yaml", {"RunnerBaseUrl": "http://runner"}, PSEUDO)
    )
    schemes: dict[str, Any] = template.resources["Api"].properties["Body"]["components"]["securitySchemes"]
    spec = schemes["RunnerAuthorizer"]["x-amazon-apigateway-authorizer"]
    for name, value in changes.items():
        monkeypatch.setitem(spec, name, value)
    with pytest.raises(StackError, match="no rule for the authorizer"):
        read_routes(template)


def test_unsupported_route_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    template = create_resolvable(
        expand_template(PROJECT / "template.yaml", {"RunnerBaseUrl": "http://runner"}, PSEUDO)
    )
    paths: dict[str, Any] = template.resources["Api"].properties["Body"]["paths"]
    monkeypatch.setitem(paths, "/{all+}", paths["/v1/installs/{installId}/endpoints"])
    with pytest.raises(StackError, match=r"no rule for the route get /\{all\+\}"):
        read_routes(template)
