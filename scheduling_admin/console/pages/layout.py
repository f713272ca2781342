"""The frame of every page, and the parts that several pages have."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import htpy as h
from htpy import Node

from scheduling_admin.console.links import link
from scheduling_admin.console.svg.symbols import render_symbols
from scheduling_admin.output.tables import escape_control_characters

# No inline styles (CSP), no evaluated texts, no request to another host.
_HTMX_CONFIG = (
    '{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true,'
    '"historyCacheSize":0,"responseHandling":[{"code":"204","swap":false},{"code":"...","swap":true}]}'
)
_OFFLINE = "The console does not respond. If it has ended, start it again, and open the URL that it prints."
_CODE = re.compile(r"`([^`]+)`")
ASSET_PATHS = ("console.css", "console.js", "htmx.min.js", "icon.svg")


@dataclass(frozen=True)
class Frame:
    """What every page shows of the console itself."""

    stack_name: str
    region: str
    now_text: str
    zone: str
    read_only: bool
    asset_version: str


def render_page(
    frame: Frame, title: str, *content: Node, has_search: bool = False, crumbs: Sequence[tuple[str, str]] = ()
) -> h.Element:
    """Render a whole page."""
    version = f"?v={frame.asset_version}"
    return h.html(lang="en")[
        h.head[
            h.meta(charset="utf-8"),
            h.meta(name="viewport", content="width=device-width, initial-scale=1"),
            h.meta(name="color-scheme", content="light dark"),
            h.meta(name="htmx-config", content=_HTMX_CONFIG),
            h.title[f"{clean(title)} · Scheduler console"],
            h.link(rel="icon", href=f"/assets/icon.svg{version}", type="image/svg+xml"),
            h.link(rel="stylesheet", href=f"/assets/console.css{version}"),
            h.script(src=f"/assets/htmx.min.js{version}", defer=True),
            h.script(src=f"/assets/console.js{version}", defer=True),
        ],
        h.body[
            h.a(".skip-link", href="#content")["Skip to the content"],
            render_symbols(),
            _render_header(frame, has_search=has_search),
            h.p("#offline.notice.error", role="alert", hidden=True)[_OFFLINE],
            h.main("#content", tabindex="-1")[_render_crumbs(crumbs), content],
            h.aside("#panel", aria_label="Details", aria_live="polite", tabindex="-1", hidden=True),
        ],
    ]


def _render_header(frame: Frame, *, has_search: bool) -> Node:
    return h.header(".top.bare" if has_search else ".top")[
        h.a(".brand", href="/")[
            h.img(src=f"/assets/icon.svg?v={frame.asset_version}", width="22", height="22", alt=""),
            h.span["Scheduler"],
        ],
        None
        if has_search
        else h.form(".search", action="/", method="get", role="search")[
            h.input(
                type="search",
                name="q",
                aria_label="Search schedules",
                placeholder="Search schedules",
                autocomplete="off",
                spellcheck="false",
            ),
            h.kbd(aria_hidden="true")["/"],
        ],
        h.div(".facts")[
            h.span(".stack", title=f"Region {frame.region}")[frame.stack_name],
            h.span(".clock", title="The stack's time, on your clock")[f"{frame.now_text} {frame.zone}"],
            h.span(".badge.quiet")["read-only"] if frame.read_only else None,
        ],
    ]


def _render_crumbs(crumbs: Sequence[tuple[str, str]]) -> Node:
    if not crumbs:
        return None
    return h.nav(".crumbs", aria_label="Breadcrumbs")[
        h.ol[(h.li[h.a(href=url)[text(label)]] for label, url in (("Overview", link("/")), *crumbs))]
    ]


def clean(value: object) -> str:
    """Return a text with its control characters escaped, those that change the direction of writing included."""
    return escape_control_characters(value)


def text(value: object) -> Node:
    """Render a text that others chose: it stays within its own direction of writing."""
    return h.bdi[clean(value)]


def render_advice(advice: str) -> Iterator[Node]:
    """Yield a text whose commands are between backticks."""
    for number, part in enumerate(_CODE.split(advice)):
        yield h.code[clean(part)] if number % 2 else text(part)


def render_data_table(columns: Sequence[str], rows: Iterable[Sequence[Node]], kind: str = "") -> Node:
    """Render a table; on a narrow screen, each row is a block in which the columns' names are labels.

    Args:
        columns: The names; one that begins with `#` is of numbers, one with `@` of times.
        rows: A node for each column, None for an empty cell.
        kind: The class of the table.
    """
    names = [name.lstrip("#@") for name in columns]
    classes = [{"#": ".number", "@": ".time"}.get(name[0], ".wrap") for name in columns]
    return h.table(f".data{kind}")[
        h.thead[h.tr[(h.th(each, scope="col")[name] for name, each in zip(names, classes, strict=True))]],
        h.tbody[
            (
                h.tr[
                    (
                        h.td(each, data_label=name)[cell]
                        for cell, name, each in zip(row, names, classes, strict=True)
                    )
                ]
                for row in rows
            )
        ],
    ]


def render_notice(message: str, kind: str = "warning") -> Node:
    """Render a note on what a page cannot show, or what happened."""
    return h.p(f".notice.{kind}", role="status")[render_advice(message)]


def render_command(command: str) -> Node:
    """Render the command that does the same."""
    return h.p(".muted.same")["Same as ", h.code(".command")[clean(f"scheduling-admin {command}")]]


def render_facts(pairs: Sequence[tuple[str, Node]]) -> Node:
    """Render names and values."""
    shown = [(name, value) for name, value in pairs if value not in (None, "")]
    return h.dl(".fields")[([h.dt[name], h.dd[value]] for name, value in shown)]


def render_chip(label: str, kind: str, title: str = "") -> Node:
    """Render a short state."""
    return h.span(f".chip.{kind}", title=title or None)[label]
