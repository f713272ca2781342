"""The URLs of the pages."""

from urllib.parse import quote, urlencode

from scheduling.domain.runs import format_time

from scheduling_admin.console.timeline.window import DEFAULT_SPAN, TimeWindow


def link(path: str, **parameters: str | None) -> str:
    """Return a path with those of the parameters that have a value."""
    query = urlencode({name: value for name, value in parameters.items() if value})
    return f"{path}?{query}" if query else path


def tenant_link(tenant_id: str, **parameters: str | None) -> str:
    """Return the page of a tenant; its id may be `..`, which a browser would resolve in a path."""
    return link("/tenant", id=tenant_id, **parameters)


def install_link(install_id: str, **parameters: str | None) -> str:
    """Return the page of an install."""
    return link(f"/installs/{quote(install_id, safe='')}", **parameters)


def schedule_path(install_id: str, schedule_id: str, page: str = "") -> str:
    """Return the path of a schedule's page, or of another page about it."""
    path = f"/installs/{quote(install_id, safe='')}/schedules/{schedule_id}"
    return f"{path}/{page}" if page else path


def occurrence_link(install_id: str, schedule_id: str, scheduled_time: str) -> str:
    """Return the page of an occurrence."""
    return schedule_path(install_id, schedule_id, f"at/{quote(scheduled_time, safe=':')}")


def action_link(action: str, **target: str | None) -> str:
    """Return the page that asks for the confirmation of an action."""
    return link(f"/actions/{action}", **target)


def window_parameters(window: TimeWindow) -> dict[str, str]:
    """Return what names a window in a URL, without what is the default."""
    parameters = {} if window.span_name == DEFAULT_SPAN else {"span": window.span_name}
    return parameters if window.is_centered_now else {**parameters, "at": format_time(window.center)}
