"""The page about the API."""

import re

import pytest

from local.gateway.api_page import render_page
from local.gateway.control import read_description


@pytest.fixture(scope="module")
def page() -> str:
    return render_page(read_description())


def test_page_has_every_operation_schema_error_and_limit(page: str) -> None:
    description = read_description()
    operations = [operation for methods in description["paths"].values() for operation in methods.values()]
    names = {operation["operationId"] for operation in operations} | description["components"][
        "schemas"
    ].keys()
    codes = {error["code"] for error in description["x-errors"]}
    limits = {limit["name"] for limit in description["x-limits"]}

    assert names <= set(re.findall(r'<details id="(\w+)">', page))
    assert codes | limits <= set(re.findall(r"<code>(\w+)</code>", page))


def test_every_link_of_the_page_leads_somewhere(page: str) -> None:
    ids, links = re.findall(r'id="([^"]+)"', page), set(re.findall(r'href="([^"]+)"', page))

    assert links - {f"#{name}" for name in ids} == {"/_local/openapi.json"}
    assert len(ids) == len(set(ids))


def test_page_needs_neither_script_nor_network(page: str) -> None:
    assert re.findall(r"<script|<link|<img|<iframe|src=|url\(|@import", page) == []


def test_text_of_the_description_is_escaped() -> None:
    description = read_description()
    description["info"]["title"] = "<b>&"
    description["tags"][0]["description"] = "a `<c>` & d"

    page = render_page(description)
    assert "<h1>&lt;b&gt;&amp; API" in page
    assert "<p>a <code>&lt;c&gt;</code> &amp; d</p>" in page
