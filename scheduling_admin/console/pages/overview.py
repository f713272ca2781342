"""The overview: the search first, then the installs."""

from collections.abc import Sequence
from datetime import datetime

import htpy as h
from htpy import Node
from scheduling.domain.install import Install

from scheduling_admin.console.index import STATES, Entry, Snapshot
from scheduling_admin.console.links import install_link, link, schedule_path, tenant_link
from scheduling_admin.console.pages.lanes import render_state_chip
from scheduling_admin.console.pages.layout import clean, render_chip, render_data_table, render_notice, text
from scheduling_admin.console.times import format_moment
from scheduling_admin.errors import AdminError
from scheduling_admin.output.fields import describe_definition
from scheduling_admin.status import list_install_blockers

RESULTS_PER_PAGE = 50


def render_search(query: str, state: str, counts: dict[str, int] | None) -> Node:
    """Render the search with its filters; the counts are present once the schedules have been read."""
    return h.section(".hero", aria_label="Search")[
        h.form(action="/", method="get", role="search")[
            h.input(
                type="search",
                name="q",
                value=query,
                autofocus=not (query or state),
                aria_label="Search all schedules",
                placeholder="Name, id, tenant or endpoint",
                autocomplete="off",
                spellcheck="false",
            ),
            h.input(type="hidden", name="state", value=state) if state else None,
            h.button(".button.primary", type="submit")["Search"],
        ],
        h.nav(".filters", aria_label="Filter by state")[
            (
                h.a(
                    href=link("/", q=query, state="" if name == state else name),
                    aria_current="true" if name == state else None,
                )[label, h.span(".count")[f"{counts[name]:,}"] if counts else None]
                for name, (label, _) in STATES.items()
            )
        ],
    ]


def render_results(results: Sequence[Entry], snapshot: Snapshot, query: str, state: str, number: int) -> Node:
    """Render one page of what a search returns."""
    first = (number - 1) * RESULTS_PER_PAGE
    shown = results[first : first + RESULTS_PER_PAGE]
    total = f"{len(results):,} of {len(snapshot.entries):,} schedules"
    return h.section(".results", aria_label="Results")[
        h.p(".muted", role="status")[
            total,
            f", {first + 1:,} to {first + len(shown):,} shown" if len(results) > len(shown) else "",
            " · ",
            h.a(href=link("/", q=query, state=state, refresh="1"))["Read again"],
        ],
        None
        if snapshot.complete
        else render_notice("Not all schedules are read yet. Search again to read more of them."),
        render_data_table(
            ("Schedule", "State", "Rule", "Tenant, install", "@Next fire"),
            map(_build_result, shown),
            ".schedules",
        )
        if shown
        else h.p(".empty")["No schedule matches."],
        _render_pager(len(results), query, state, number),
    ]


def _build_result(entry: Entry) -> Sequence[Node]:
    install, schedule, definition = entry.install, entry.schedule, entry.schedule.definition
    return (
        [
            h.a(".strong", href=schedule_path(install.id, schedule.id))[
                text(definition.name or definition.endpoint)
            ],
            h.span(".sub")[text(definition.endpoint)],
        ],
        render_state_chip(install, schedule),
        [
            text(describe_definition(definition) or definition.cron),
            h.span(".sub")[h.code[clean(definition.cron)]],
        ],
        [
            h.a(href=tenant_link(install.tenant_id))[text(install.tenant_id)],
            h.a(".sub", href=install_link(install.id))[text(install.id)],
        ],
        format_moment(datetime.fromisoformat(schedule.next_fire)) if schedule.next_fire else None,
    )


def _render_pager(count: int, query: str, state: str, number: int) -> Node:
    pages = -(-count // RESULTS_PER_PAGE)
    if pages < 2:
        return None
    return h.nav(".pager", aria_label="Pages")[
        h.a(".button", href=link("/", q=query, state=state, page=str(number - 1)), rel="prev")["Previous"]
        if number > 1
        else None,
        h.span(".muted")[f"Page {number} of {pages}"],
        h.a(".button", href=link("/", q=query, state=state, page=str(number + 1)), rel="next")["Next"]
        if number < pages
        else None,
    ]


def render_direct_hits(install: Install | None, tenant_id: str | None) -> Node:
    """Render links to an install and a tenant whose ids are the query, which need no search."""
    if install is None and tenant_id is None:
        return None
    return h.p(".direct")[
        h.a(".button", href=install_link(install.id))["Install ", text(install.id)] if install else None,
        h.a(".button", href=tenant_link(tenant_id))["Tenant ", text(tenant_id)] if tenant_id else None,
    ]


def render_installs(
    installs: Sequence[Install] | AdminError, next_cursor: str | None, heading: str = "Installs"
) -> Node:
    """Render installs."""
    if isinstance(installs, AdminError):
        return render_notice(str(installs), "error")
    if not installs:
        return h.p(".empty")["There are no installs yet."]
    return h.section(aria_label=heading)[
        h.h2[heading],
        render_data_table(
            ("Extension", "State", "Tenant", "Install", "#Schedules"),
            map(_build_install, installs),
            ".installs",
        ),
        h.p(".more")[h.a(".button", href=link("/", cursor=next_cursor))["More installs"]]
        if next_cursor
        else None,
    ]


def _build_install(install: Install) -> Sequence[Node]:
    blockers = list_install_blockers(install)
    name = f"{install.extension_name or install.registry_id} {install.extension_version or ''}"
    return (
        h.a(".strong", href=install_link(install.id))[text(name.strip())],
        render_chip("off", "off", "; ".join(blockers)) if blockers else render_chip("on", "on"),
        h.a(href=tenant_link(install.tenant_id))[text(install.tenant_id)],
        h.code[text(install.id)],
        f"{install.schedule_count:,}",
    )
