"""The pages that act: a confirmation that says what will happen, and what happened."""

from collections.abc import Mapping
from uuid import uuid4

import htpy as h
from htpy import Node
from scheduling.domain.ids import parse_install_id, parse_schedule_id, parse_tenant_id
from scheduling.domain.rules import ScheduleFields
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from scheduling_admin.console.actions.catalog import ACTIONS
from scheduling_admin.console.actions.targets import Action, Plan, Target
from scheduling_admin.console.pages.layout import clean, render_command, render_notice, text
from scheduling_admin.console.requests import parse_number
from scheduling_admin.console.server import Console, plain_page
from scheduling_admin.errors import AdminError, ExitStatus
from scheduling_admin.output.times import parse_occurrence_time

READ_ONLY = "The console was started with --read-only: it shows everything, and changes nothing."
EDIT_FIELDS = ("endpoint", "cron", "timezone")
_MAX_KEY_LENGTH = 64


def confirm(console: Console, request: Request) -> Response:
    """Ask whether to do it."""
    action, target = _parse(request, request.query_params)
    if console.read_only:
        return _refuse()
    plan = action.plan(console.session, target)
    return console.page(request, action.label, _render_plan(request.url.path, action, plan, target))


def perform(console: Console, request: Request) -> Response:
    """Do it, and show what happened."""
    action, target = _parse(request, request.state.form)
    if console.read_only:
        return _refuse()
    result = action.perform(console.session, target)
    console.index.drop()
    if result.see:
        return RedirectResponse(result.see, 303)
    kind = "good" if result.succeeded else "warning"
    back = target.link if request.path_params["action"] != "delete" else f"/installs/{target.install}"
    return console.page(
        request,
        action.label,
        h.section(".confirm.card")[
            h.h1[action.label],
            render_notice("Done." if result.succeeded else "It is not complete.", kind),
            h.pre(".output")[clean(result.text)] if result.text else None,
            h.div(".actions")[h.a(".button.primary", href=back)["Continue"]],
        ],
    )


def _refuse() -> Response:
    overview = h.a(".button", href="/")["Overview"]
    return plain_page("Read-only", [h.p[READ_ONLY], h.p[overview]], 403)


def _parse(request: Request, values: Mapping[str, str]) -> tuple[Action, Target]:
    action = ACTIONS.get(request.path_params["action"])
    target = Target(
        tenant=parse_tenant_id(values.get("tenant", "")),
        install=parse_install_id(values.get("install", "")),
        schedule=parse_schedule_id(values.get("schedule", "")),
        occurrence=_parse_occurrence(values.get("occurrence", "")),
        key=values.get("key", "")[:_MAX_KEY_LENGTH] or str(uuid4()),
        fields=ScheduleFields(**{name: values[name] for name in EDIT_FIELDS if name in values}),  # type: ignore[typeddict-item]
        revision=parse_number(values.get("revision")),
    )
    if action is None or not _has_target(action, target) or (target.fields and target.revision is None):
        raise AdminError("There is no such action.", ExitStatus.NOT_FOUND)
    return action, target


def _parse_occurrence(value: str) -> str | None:
    try:
        return parse_occurrence_time(value, "UTC").scheduled_time if value else None
    except ValueError as error:
        raise AdminError(str(error), ExitStatus.USAGE) from error


def _has_target(action: Action, target: Target) -> bool:
    if action.needs == "tenant":
        return target.tenant is not None
    return target.install is not None and (action.needs == "install" or target.schedule is not None)


def _render_plan(path: str, action: Action, plan: Plan, target: Target) -> Node:
    kind = ".danger" if action.dangerous else ""
    return h.section(".confirm.card")[
        h.h1[text(plan.question)],
        (h.p[text(each)] for each in plan.effects),
        plan.details,
        h.form(action=path, method="post")[
            render_hidden_fields(target),
            h.div(".actions")[
                h.button(f".button.primary{kind}", type="submit")[action.label] if plan.possible else None,
                h.a(".button", href=target.link)["Cancel" if plan.possible else "Back"],
            ],
        ],
        render_command(plan.command) if plan.command and plan.possible else None,
    ]


def render_hidden_fields(target: Target) -> Node:
    """Render what a form sends besides its own fields."""
    values = {
        "tenant": target.tenant,
        "install": target.install,
        "schedule": target.schedule,
        "occurrence": target.occurrence,
        "key": target.key,
        "revision": None if target.revision is None else str(target.revision),
        **target.fields,
    }
    return (h.input(type="hidden", name=name, value=str(value)) for name, value in values.items() if value)


ROUTES = [("GET", "/actions/{action}", confirm), ("POST", "/actions/{action}", perform)]
