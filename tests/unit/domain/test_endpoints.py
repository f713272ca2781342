import pytest
from scheduling.domain.endpoints import normalize_path, resolve_endpoint
from scheduling.domain.errors import RuleViolation

from tests.unit.builders import endpoint

ENDPOINTS = (
    endpoint("GET", "/"),
    endpoint("GET", "/both"),
    endpoint("POST", "/both"),
    endpoint("GET", "/get"),
    endpoint("POST", "/post"),
    endpoint("PUT", "/put"),
    endpoint("PUT", "/get"),
    endpoint("GET", "/items/:id"),
    endpoint("POST", "/items/{id}/run"),
    endpoint("GET", "/Case"),
    endpoint("GET", "/a/b/"),
    endpoint("GET", "/mixed/:id"),
    endpoint("GET", "/mixed"),
)


@pytest.mark.parametrize(
    ("selector", "with_payload", "expected"),
    [
        pytest.param("/get", False, "GET /get", id="bare path"),
        pytest.param("/get", True, "GET /get", id="bare path, GET only, with a payload"),
        pytest.param("/post", False, "POST /post", id="bare path, POST only, without a payload"),
        pytest.param("/both", False, "GET /both", id="ambiguous without a payload"),
        pytest.param("/both", True, "POST /both", id="ambiguous with a payload"),
        pytest.param("GET /both", True, "GET /both", id="method before payload"),
        pytest.param("POST /both", False, "POST /both", id="method without a payload"),
        pytest.param("post /both", False, "POST /both", id="method in lower case"),
        pytest.param("POST  \t/both", False, "POST /both", id="wide spacing"),
        pytest.param("  GET /get \n", False, "GET /get", id="spaces around"),
        pytest.param("get", False, "GET /get", id="no leading slash"),
        pytest.param("POST post", False, "POST /post", id="method and no leading slash"),
        pytest.param("//a///b//", False, "GET /a/b/", id="doubled slashes"),
        pytest.param("GET ///get", False, "GET /get", id="method and doubled slashes"),
        pytest.param("/", False, "GET /", id="the root"),
        pytest.param("/mixed", False, "GET /mixed", id="beside a path with a parameter"),
    ],
)
def test_selector_is_resolved_to_its_endpoint(selector: str, with_payload: bool, expected: str) -> None:
    assert resolve_endpoint(selector, ENDPOINTS, with_payload=with_payload).id == expected


@pytest.mark.parametrize(
    "selector",
    [
        pytest.param("", id="empty"),
        pytest.param("  ", id="blank"),
        pytest.param("/unknown", id="unknown path"),
        pytest.param("POST /get", id="another method"),
        pytest.param("PUT /put", id="PUT"),
        pytest.param("/put", id="bare path of a PUT"),
        pytest.param("/items/:id", id="colon parameter"),
        pytest.param("GET /items/:id", id="method and colon parameter"),
        pytest.param("/items/{id}/run", id="brace parameter"),
        pytest.param("/items/1", id="a parameter's value"),
        pytest.param("/case", id="path in another case"),
        pytest.param("/a/b", id="trailing slash omitted"),
        pytest.param("GET/get", id="no space after the method"),
        pytest.param("GET", id="method alone"),
        pytest.param("GET /get x", id="extra word"),
        pytest.param("GET POST /both", id="two methods"),
        pytest.param("/get?x=1", id="with a query"),
        pytest.param("/get\n/post", id="two lines"),
    ],
)
@pytest.mark.parametrize("with_payload", [False, True], ids=["bare", "payload"])
def test_unresolvable_selector_is_refused(selector: str, with_payload: bool) -> None:
    with pytest.raises(RuleViolation) as refused:
        resolve_endpoint(selector, ENDPOINTS, with_payload=with_payload)

    assert str(refused.value) == "Endpoint not found or not schedulable"


@pytest.mark.parametrize(
    ("method", "path", "schedulable"),
    [
        ("GET", "/a", True),
        ("POST", "/a", True),
        ("PUT", "/a", False),
        ("DELETE", "/a", False),
        ("HEAD", "/a", False),
        ("GET", "/a/:id", False),
        ("GET", "/:id/a", False),
        ("POST", "/a/{id}", False),
        ("POST", "/{proxy+}", False),
    ],
)
def test_get_and_post_without_parameters_are_schedulable(method: str, path: str, schedulable: bool) -> None:
    assert endpoint(method, path).schedulable is schedulable


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        pytest.param("a", "/a", id="slash added"),
        pytest.param("/a/", "/a/", id="trailing slash kept"),
        pytest.param("//a////b", "/a/b", id="slashes collapsed"),
        pytest.param("", "/", id="empty"),
        pytest.param("///", "/", id="slashes alone"),
        pytest.param(" /a ", "/a", id="trimmed"),
        pytest.param("/é", "/é", id="unicode"),
    ],
)
def test_path_is_normalized(path: str, normal: str) -> None:
    assert normalize_path(path) == normal
    assert normalize_path(normal) == normal
