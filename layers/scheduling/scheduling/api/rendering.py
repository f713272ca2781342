"""Results of operations as JSON responses, in the contract's field names."""

from typing import TYPE_CHECKING

from scheduling.api.http import Response, json_response
from scheduling.domain.views import (
    CursorScope,
    Fields,
    encode_cursor,
    endpoint_fields,
    fire_time_fields,
    install_fields,
    run_fields,
    schedule_fields,
    skipped_time_fields,
)

# For annotations only, because the modules differ from route to route and a cold start pays for each import.
if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduling.domain.endpoints import Endpoint
    from scheduling.domain.install import Install, Version
    from scheduling.domain.preview import Preview
    from scheduling.domain.schedule import Schedule
    from scheduling.operations.installs.queries import InstallPage
    from scheduling.operations.installs.register import PutResult, Registration
    from scheduling.operations.installs.tenants import PauseResult, TenantPage
    from scheduling.store.schedule_items.changes import ChangePage
    from scheduling.store.snapshots import RunPage, SchedulePage


def schedule_response(status: int, schedule: "Schedule", **headers: str) -> Response:
    """Return a schedule with its ETag."""
    return json_response(status, schedule_fields(schedule), {"etag": f'"{schedule.revision}"', **headers})


def schedule_page_response(page: "SchedulePage", scope: CursorScope) -> Response:
    """Return a page of an install's schedules."""
    schedules = [schedule_fields(schedule) for schedule in page.schedules]
    return json_response(200, {"schedules": schedules, "nextCursor": encode_cursor(scope, page.next_after)})


def tenant_page_response(page: "TenantPage", scope: CursorScope) -> Response:
    """Return a page of a tenant's schedules, each with its install and whether the install lets it fire."""
    schedules = [
        {
            **schedule_fields(schedule),
            "installId": install.id,
            "installEnabled": install.enabled,
            "paused": install.paused,
        }
        for install, schedule in page.schedules
    ]
    position = page.next_after.position if page.next_after else None
    return json_response(200, {"schedules": schedules, "nextCursor": encode_cursor(scope, position)})


def install_page_response(page: "InstallPage", scope: CursorScope) -> Response:
    """Return a page of installs."""
    installs = [install_fields(install) for install in page.installs]
    return json_response(200, {"installs": installs, "nextCursor": encode_cursor(scope, page.next_after)})


def run_page_response(page: "RunPage", scope: CursorScope) -> Response:
    """Return a page of a schedule's history."""
    runs = [run_fields(run) for run in page.runs]
    return json_response(200, {"runs": runs, "nextCursor": encode_cursor(scope, page.next_before)})


def change_page_response(page: "ChangePage", scope: CursorScope) -> Response:
    """Return a page of the changes of an install and its schedules."""
    from scheduling.domain.audit.changes import change_fields

    changes = [change_fields(change) for change in page.changes]
    return json_response(200, {"changes": changes, "nextCursor": encode_cursor(scope, page.next_before)})


def endpoints_response(endpoints: "Sequence[Endpoint]") -> Response:
    """Return the endpoints of a version."""
    return json_response(200, {"endpoints": [endpoint_fields(endpoint) for endpoint in endpoints]})


def preview_response(preview: "Preview") -> Response:
    """Return a preview, valid or not."""
    return json_response(200, preview_fields(preview))


def preview_fields(preview: "Preview") -> Fields:
    """Return the fields of a preview."""
    return {
        "valid": preview.error is None,
        "error": preview.error,
        "fieldErrors": preview.field_errors,
        "expression": preview.expression,
        "description": preview.description,
        "timezone": preview.timezone,
        "endpoint": preview.endpoint,
        "smallestGapMinutes": preview.smallest_gap_minutes,
        "spreadMinutes": preview.spread_minutes,
        "fires": [fire_time_fields(time) for time in preview.fire_times],
        "skipped": [skipped_time_fields(time) for time in preview.skipped_times],
    }


def install_response(install: "Install", version: "Version") -> Response:
    """Return an install with the endpoints of its version."""
    return json_response(200, install_with_endpoints(install, version))


def put_response(result: "PutResult", registration: "Registration", *, dry_run: bool) -> Response:
    """Return an install after a PUT, or as it would be after the dry run of one: 201 if it is new, else 200."""
    disabled = [{"scheduleId": s.id, "endpoint": s.definition.endpoint} for s in result.disabled_schedules]
    fields = {
        **install_with_endpoints(result.install, registration.version),
        "changed": result.changed,
        "disabled": disabled,
        "dryRun": dry_run,
        "ignoredCapabilities": sorted(registration.ignored_capabilities),
    }
    return json_response(201 if result.new else 200, fields)


def install_with_endpoints(install: "Install", version: "Version") -> Fields:
    """Return the fields of an install and the endpoints of its version."""
    return {
        **install_fields(install),
        "endpoints": [endpoint_fields(endpoint) for endpoint in version.endpoints],
    }


def pause_response(result: "PauseResult") -> Response:
    """Return a paused or resumed tenant: 200 if the change is propagated to all of its installs, else 202."""
    fields = {
        "tenantId": result.tenant.id,
        "paused": result.tenant.paused,
        "installs": result.install_count,
        "complete": result.complete,
    }
    return json_response(200 if result.complete else 202, fields)
