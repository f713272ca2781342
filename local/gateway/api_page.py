"""A page about the API for a browser, made of docs/openapi.json alone: no script, and nothing from the network."""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem 1.5rem 6rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { overflow: auto; padding: .6rem .8rem; background: #8881; border-radius: 4px; }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #8883; }
h2 { margin-top: 2.5rem; border-bottom: 2px solid #8885; }
h4 { margin: 1rem 0 0; }
details { margin: .4rem 0; padding: .1rem .8rem; border: 1px solid #8884; border-radius: 6px; }
details details { border: 0; padding: 0; }
summary { cursor: pointer; padding: .4rem 0; }
.method { display: inline-block; min-width: 4.8rem; font-weight: bold; }
nav a { margin-right: 1rem; white-space: nowrap; }
"""
_PLACES = {"path": "path", "query": "query", "header": "header"}
_RULES = {
    "format": "{}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "from {}",
    "maximum": "to {}",
    "maxItems": "at most {} items",
    "pattern": "as {}",
    "default": "default {}",
}


def render_page(description: Mapping[str, Any]) -> str:
    """Return the page in HTML."""
    info, schemas = description["info"], description["components"]["schemas"]
    anchors = [*[(_anchor(tag["name"]), tag["name"]) for tag in description["tags"]]]
    anchors += [("schemas", "Schemas"), ("errors", "Errors"), ("limits", "Limits")]
    links = "".join(f'<a href="#{anchor}">{escape(title)}</a>' for anchor, title in anchors)
    parts = [
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1>",
        _render_text(info["description"]),
        f'<nav>{links}<a href="/_local/openapi.json">openapi.json</a></nav>',
        *(_render_tag(tag, description) for tag in description["tags"]),
        '<h2 id="schemas">Schemas</h2>',
        *(_render_schema(name, schema) for name, schema in schemas.items()),
        _render_errors(description["x-errors"]),
        _render_limits(description["x-limits"]),
    ]
    head = f'<meta charset="utf-8"><title>{escape(info["title"])} API</title><style>{_STYLE}</style>'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n'
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _render_tag(tag: Mapping[str, str], description: Mapping[str, Any]) -> str:
    operations = [
        _render_operation(method, path, operation, description)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
        if tag["name"] in operation["tags"]
    ]
    title = f'<h2 id="{_anchor(tag["name"])}">{escape(tag["name"])}</h2>'
    return "\n".join([title, _render_text(tag["description"]), *operations])


def _render_operation(
    method: str, path: str, operation: Mapping[str, Any], description: Mapping[str, Any]
) -> str:
    schemes = [name for requirement in operation["security"] for name in requirement]
    texts = [description["components"]["securitySchemes"][name]["description"] for name in schemes]
    examples = description["components"]["examples"]
    parts = [
        _render_text(operation["description"]),
        f"<p>Credentials: {' Or: '.join(_render_inline(text) for text in texts)}</p>",
        _render_parameters(operation["parameters"]),
    ]
    if body := operation.get("requestBody"):
        parts += ["<h4>Body</h4>", *_render_content(body["content"], examples)]
    for status, response in operation["responses"].items():
        content = "".join(_render_content(response.get("content", {}), examples))
        text = _render_text(response["description"])
        parts.append(
            f"<details><summary>{status}{_render_codes(response)}</summary>{text}{content}</details>"
        )
    summary = f'<span class="method">{method.upper()}</span><code>{escape(path)}</code> {escape(operation["summary"])}'
    anchor = escape(operation["operationId"])
    return f'<details id="{anchor}"><summary>{summary}</summary>{"".join(parts)}</details>'


def _render_parameters(parameters: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            f"<code>{escape(parameter['name'])}</code>",
            _PLACES[parameter["in"]],
            _describe_type(parameter["schema"]),
            _render_inline(parameter["description"]),
        )
        for parameter in parameters
    ]
    return _render_table(("parameter", "in", "type", ""), rows)


def _render_codes(response: Mapping[str, Any]) -> str:
    """Return the codes of a failure and the headers of a response."""
    names = [*response.get("x-codes", ()), *(f"{name}: …" for name in response.get("headers", {}))]
    return "".join(f" <code>{escape(name)}</code>" for name in names)


def _render_content(content: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterable[str]:
    for content_type, media in content.items():
        yield f"<p><code>{escape(content_type)}</code>: {_describe_type(media['schema'])}</p>"
        for name, example in media.get("examples", {}).items():
            resolved = shared[example["$ref"].rpartition("/")[2]] if "$ref" in example else example
            text = json.dumps(resolved["value"], indent=2, ensure_ascii=False)
            yield f"<details><summary>Example: {escape(name)}</summary><pre>{escape(text)}</pre></details>"


def _render_schema(name: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (
            f"<code>{escape(field)}</code>",
            _describe_type(each) + ("" if field in required else ", optional"),
            _render_inline(each.get("description", "")),
        )
        for field, each in schema.get("properties", {}).items()
    ]
    # A table in Markdown follows the text of the error codes; the page has its own.
    text = _render_text(schema["description"].partition("\n\n|")[0])
    body = _render_table(("field", "type", ""), rows) if rows else f"<p>{_describe_type(schema)}</p>"
    return (
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>{text}{body}</details>'
    )


def _render_errors(errors: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            f"<code>{escape(each['code'])}</code>",
            str(each["status"]),
            str(each["callbackStatus"]),
            _render_inline(each["meaning"]),
        )
        for each in errors
    ]
    return '<h2 id="errors">Errors</h2>' + _render_table(("code", "status", "in the callback", ""), rows)


def _render_limits(limits: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            f"<code>{escape(each['name'])}</code>",
            escape(str(each["default"])),
            f"{each.get('minimum', '')} to {each.get('maximum', '')}" if "minimum" in each else "",
            _render_inline(each["description"]),
        )
        for each in limits
    ]
    table = _render_table(("parameter of the stack", "default", "range", ""), rows)
    return f'<h2 id="limits">Limits</h2>{table}'


def _render_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells in HTML."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(each)}</th>" for each in header)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{lines}</table>"


def _describe_type(schema: Mapping[str, Any]) -> str:
    """Return the type of a value, with a link to its schema, and its rules."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_describe_type(each) for each in choices)
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(each))}</code>" for each in schema["enum"])
    types = schema.get("type", "any")
    words = " or ".join(types) if isinstance(types, list) else types
    if words == "array":
        words = f"array of {_describe_type(schema['items'])}"
    rules = [text.format(escape(_to_text(schema[name]))) for name, text in _RULES.items() if name in schema]
    return ", ".join([words, *rules])


def _to_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _render_text(text: str) -> str:
    return "".join(f"<p>{_render_inline(paragraph)}</p>" for paragraph in text.split("\n\n"))


def _render_inline(text: str) -> str:
    """Return a text in HTML; words in backticks are code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def _anchor(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower())
