import base64
import gzip
import json
import random
from typing import Any

import pytest
from scheduling.api.http import (
    MAX_COMPACT_BODY_BYTES,
    Request,
    Response,
    compress_if_needed,
    empty_response,
    json_response,
)
from scheduling.domain.errors import BodyTooLarge, InstallNotFound, ResponseTooLarge, ValidationFailed
from scheduling.domain.exact_json import Number, RawJson

from tests.unit.builders import http_event

LAMBDA_LIMIT = 6_291_556
LIMIT = 6_000_000
MAX_BYTES = 200_000


def request(accept_encoding: str | None = None) -> Request:
    headers = {} if accept_encoding is None else {"accept-encoding": accept_encoding}
    return Request(http_event(headers=headers))


def encode_base64(data: bytes) -> dict[str, Any]:
    return http_event(base64.b64encode(data).decode(), isBase64Encoded=True)


def plain_response(body: str) -> Response:
    """A response whose body is not encoded, so that its size is exact."""
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}


def response_size(result: Response) -> int:
    """Return the bytes of the response as Lambda's runtime for Python 3.12 and later encodes it."""
    return len(json.dumps(result, ensure_ascii=False).encode())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("{}", {}, id="empty object"),
        pytest.param(' {"a": [1.0]} ', {"a": [Number("1.0")]}, id="numbers kept"),
        pytest.param('{"é": "\U0001f600"}', {"é": "\U0001f600"}, id="unicode"),
    ],
)
def test_body_is_read_plain_or_in_base64(text: str, value: dict[str, object]) -> None:
    assert Request(http_event(text)).parse_json_body(MAX_BYTES) == value
    assert Request(encode_base64(text.encode())).parse_json_body(MAX_BYTES) == value


@pytest.mark.parametrize(
    ("event", "text"),
    [
        pytest.param(
            http_event(None),
            "The body is not valid: Not valid JSON: it ends too early",
            id="no body",
        ),
        pytest.param(
            http_event(""),
            "The body is not valid: Not valid JSON: it ends too early",
            id="empty body",
        ),
        pytest.param(
            http_event("{} x"),
            "The body is not valid: Not valid JSON at character 3",
            id="trailing garbage",
        ),
        pytest.param(
            http_event('{"a":1,"a":2}'),
            'The body is not valid: An object has the name "a" twice',
            id="a name twice",
        ),
        pytest.param(
            http_event('{"a":NaN}'),
            "The body is not valid: Not valid JSON: NaN is no JSON number",
            id="NaN",
        ),
        pytest.param(
            http_event("[" * 100_000),
            "The body is not valid: Nested deeper than 256 levels",
            id="nested too deep",
        ),
        pytest.param(http_event("[]"), "The body must be a JSON object", id="array"),
        pytest.param(http_event('"{}"'), "The body must be a JSON object", id="text"),
        pytest.param(http_event("null"), "The body must be a JSON object", id="null"),
        pytest.param(http_event("1"), "The body must be a JSON object", id="number"),
        pytest.param(
            encode_base64(b'{"a":"\xff"}'),
            "The body is not valid: Not UTF-8",
            id="not UTF-8",
        ),
        pytest.param(
            encode_base64(b"\xef\xbb\xbf{}"),
            "The body is not valid: Not valid JSON: it begins with a byte order mark",
            id="byte order mark",
        ),
    ],
)
def test_body_that_is_no_json_object_is_refused(event: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        Request(event).parse_json_body(MAX_BYTES)

    assert str(refused.value) == text
    assert refused.value.field_errors == {}


@pytest.mark.parametrize("filler", ["x", "é", "\U0001f600"], ids=["1 byte", "2 bytes", "4 bytes"])
@pytest.mark.parametrize("in_base64", [False, True], ids=["plain", "base64"])
def test_body_is_refused_by_its_size_in_bytes(filler: str, in_base64: bool) -> None:
    text = f'{{"a":"{filler * 100}"}}'
    data = text.encode()
    sent = Request(encode_base64(data) if in_base64 else http_event(text))

    assert sent.parse_json_body(len(data)) == {"a": filler * 100}
    for max_bytes in (len(data) - 1, len(text) // 2, 0):
        with pytest.raises(BodyTooLarge) as refused:
            sent.parse_json_body(max_bytes)
        assert str(refused.value) == f"The body is larger than {max_bytes} bytes"


@pytest.mark.parametrize("event", [http_event("x" * 11), encode_base64(b"x" * 11)], ids=["plain", "base64"])
def test_size_is_checked_before_the_body_is_parsed(event: dict[str, Any]) -> None:
    with pytest.raises(BodyTooLarge):
        Request(event).parse_json_body(10)


def test_white_space_and_escapes_do_not_count_as_content() -> None:
    padded = '{"a":"' + r"\u0041" * 600_000 + '"' + " " * MAX_COMPACT_BODY_BYTES + "}"
    assert Request(http_event(padded)).parse_json_body(len(padded)) == {"a": "A" * 600_000}

    dense = "[" + "1," * (MAX_COMPACT_BODY_BYTES // 2) + "1]"
    with pytest.raises(BodyTooLarge) as refused:
        Request(http_event(dense)).parse_json_body(len(dense))
    assert str(refused.value) == "The body is larger than 620000 bytes as compact JSON"


def test_body_that_cannot_be_encoded_is_refused() -> None:
    with pytest.raises(ValidationFailed, match="The body is not valid: Not UTF-8"):
        Request(http_event('{"a":"\ud800"}')).parse_json_body(MAX_BYTES)


@pytest.mark.parametrize("sent", ["if-match", "If-Match", "IF-MATCH"])
@pytest.mark.parametrize("name", ["if-match", "If-Match"])
def test_a_header_is_found_in_any_case(sent: str, name: str) -> None:
    assert Request(http_event(headers={sent: '"1"'})).header(name) == '"1"'


def test_absent_values_are_none_or_empty() -> None:
    bare = Request({"version": "2.0"})

    assert bare.header("if-match") is None
    assert bare.query_parameter("limit") is None
    assert bare.path_parameter("installId") == ""
    assert not bare.accepts_gzip


def test_path_and_query_parameters_are_read() -> None:
    parsed = Request(http_event(path={"scheduleId": "s"}, queryStringParameters={"limit": "2"}))

    assert (parsed.path_parameter("scheduleId"), parsed.query_parameter("limit")) == ("s", "2")


@pytest.mark.parametrize(
    "text",
    ["", " ", "a" * 65, "a/b", "a b", ".a", "é"],
    ids=["empty", "space", "65", "slash", "two", "dot", "é"],
)
def test_invalid_install_id_is_not_found_and_cannot_be_created(text: str) -> None:
    request = Request(http_event(path={"installId": text}))

    with pytest.raises(InstallNotFound):
        _ = request.install_id
    with pytest.raises(ValidationFailed) as refused:
        _ = request.new_install_id
    assert refused.value.field_errors == {
        "installId": "installId must be 1 to 64 letters, digits, dots, underscores and dashes, "
        "the first a letter or a digit"
    }


def test_install_id_is_read_from_the_path() -> None:
    assert Request(http_event()).install_id == Request(http_event()).new_install_id == "install-1"


def test_uuid_as_install_id_is_lowercased() -> None:
    sent = Request(http_event(path={"installId": "12345678-9ABC-4DEF-8123-456789ABCDEF"}))

    assert sent.install_id == sent.new_install_id == "12345678-9abc-4def-8123-456789abcdef"
    assert sent.loggable_install_id == sent.install_id


@pytest.mark.parametrize(
    "accepted",
    [
        "gzip",
        "GZIP",
        "br, gzip",
        "gzip, deflate, br",
        "deflate,gzip ; q=1",
        "gzip;q=1.0, *;q=0",
        "gzip;q=0.8",
        "br;q=1.0, gzip;q=0.5",
        "gzip;q=0.001",
        "identity;q=0, gzip;q=0.1",
        "br;q=0, gzip",
        "*",
        "br, *;q=0.5",
    ],
)
def test_gzip_is_used_where_accepted(accepted: str) -> None:
    assert request(accepted).accepts_gzip


@pytest.mark.parametrize(
    "accepted",
    [
        None,
        "",
        "identity",
        "br, deflate",
        "gzip;q=0",
        "gzip; q=0",
        "gzip;q=0.0",
        "gzip; Q=0.000",
        "br, gzip;q=0",
        "gzipped",
        "*;q=0",
        "*, gzip;q=0",
    ],
)
def test_gzip_is_not_used_where_not_accepted(accepted: str | None) -> None:
    assert not request(accepted).accepts_gzip


def test_response_is_json() -> None:
    assert json_response(201, {"a": ["é", None, RawJson("1.0")]}, {"etag": '"1"'}) == {
        "statusCode": 201,
        "headers": {"content-type": "application/json", "etag": '"1"'},
        "body": '{"a":["é",null,1.0]}',
    }


def test_response_can_set_its_content_type() -> None:
    result = json_response(400, {}, {"content-type": "application/problem+json"})

    assert result["headers"] == {"content-type": "application/problem+json"}


def test_response_without_body_has_no_content_type() -> None:
    assert empty_response(204) == {"statusCode": 204, "headers": {}, "body": ""}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{}", id="small"),
        pytest.param("x" * 999_000, id="below the limit at worst"),
        pytest.param("x" * (LIMIT - 2), id="letters to the limit"),
        pytest.param('"' * (LIMIT // 2 - 1), id="quotes to the limit"),
        pytest.param("é" * 999_999, id="a million letters of two bytes"),
        pytest.param("é" * 2_900_000, id="letters of two bytes near the limit"),
        pytest.param("語" * 1_900_000, id="letters of three bytes near the limit"),
        pytest.param("\U0001f600" * 900_000, id="letters of four bytes"),
    ],
)
@pytest.mark.parametrize("accepted", [None, "gzip"])
def test_small_response_stays_plain(body: str, accepted: str | None) -> None:
    plain = plain_response(body)

    assert compress_if_needed(plain, request(accepted), "too large") == plain
    assert response_size(plain) < LAMBDA_LIMIT


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("x" * (LIMIT - 1), id="one letter over the limit"),
        pytest.param('"' * (LIMIT // 2), id="one quote over the limit"),
        pytest.param("é" * 3_000_000, id="letters of two bytes"),
        pytest.param("\U0001f600" * 1_500_000, id="letters of four bytes"),
    ],
)
def test_large_response_is_compressed_or_refused(body: str) -> None:
    plain = plain_response(body)

    result = compress_if_needed(plain, request("gzip"), "too large")

    assert result["isBase64Encoded"] is True
    assert result["headers"] == {
        "content-type": "application/json",
        "content-encoding": "gzip",
        "vary": "accept-encoding",
    }
    assert gzip.decompress(base64.b64decode(result["body"])).decode() == body
    assert response_size(result) < LAMBDA_LIMIT
    with pytest.raises(ResponseTooLarge) as refused:
        compress_if_needed(plain, request(None), "use pages")
    assert str(refused.value) == "use pages"


def test_response_too_large_when_compressed_is_refused() -> None:
    noise = random.Random(1).randbytes(4_700_000)  # noqa: S311 - only needs to be incompressible
    body = base64.b64encode(noise).decode()

    with pytest.raises(ResponseTooLarge):
        compress_if_needed(plain_response(body), request("gzip"), "too large")
