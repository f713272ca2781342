"""`make screenshots`: play a day on the local stack, and write the picture of the README."""

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from local.cloudformation.deploy import STACK_NAME
from local.settings import PROJECT_ROOT
from scheduling_admin.stack.connection import connect
from scheduling_admin.stack.options import CommonOptions
from tests.browser.browsers import launch_chromium
from tests.support.stacks.console import serve_console
from tests.support.stacks.local_stack import ApiInstall, LocalStack, start_local_stack
from tests.support.stacks.scripted_runner import RunnerRequest, RunnerResponse, extension_response
from tests.support.stacks.world import registration_body

PICTURE = PROJECT_ROOT / "docs" / "console.png"
MAX_BYTES = 200_000
SIZE = {"width": 1180, "height": 640}
SCHEDULES = {
    "Sync invoices": ("0 * * * *", "UTC"),
    "Close the day": ("30 1 * * *", "Europe/Berlin"),
    "Send reminders": ("15 */2 * * *", "Europe/Berlin"),
    "Fetch exchange rates": ("0 7-20 * * *", "Europe/London"),
    "Export to ledger": ("45 * * * *", "UTC"),
    "Rebuild search index": ("0 */3 * * *", "America/New_York"),
}


def main() -> None:
    """Write the picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        start_local_stack(Path(folder), SWEEP_INTERVAL_HOURS="8760") as stack,
        sync_playwright() as playwright,
    ):
        install = play_day(stack)
        options = CommonOptions(stack_name=STACK_NAME, endpoint_url=stack.aws_url)
        with serve_console(connect(options)) as url:
            browser = launch_chromium(playwright)
            write_picture(browser, url, f"/installs/{install.id}")
            browser.close()
    size = PICTURE.stat().st_size
    if size > MAX_BYTES:
        raise SystemExit(f"{PICTURE} has {size:,} bytes, more than {MAX_BYTES:,}")


def play_day(stack: LocalStack) -> ApiInstall:
    """Let a day pass in which some things go wrong."""
    body = registration_body()
    manifest = {**body["manifest"], "name": "invoice-sync", "version": "2.4.0"}
    install = stack.register_install("invoice-sync", tenantId="acme", manifest=manifest)
    ids = {
        name: install.create_schedule(name=name, cron=cron, timezone=timezone)
        for name, (cron, timezone) in SCHEDULES.items()
    }
    stack.runner.respond = lambda request: respond(request, ids["Send reminders"])
    start = stack.read_clock().replace(minute=30, second=0, microsecond=0) + timedelta(hours=1)
    advance_to(stack, start + timedelta(hours=9))
    stack.api.patch(
        f"/admin/v1/installs/{install.id}/schedules/{ids['Export to ledger']}", json={"enabled": False}
    ).raise_for_status()
    advance_to(stack, start + timedelta(hours=15))
    scheduler, group = stack.aws_client("scheduler"), stack.group_name()
    scheduler.delete_schedule(GroupName=group, Name=ids["Rebuild search index"])
    advance_to(stack, start + timedelta(hours=24))
    path = f"/admin/v1/installs/{install.id}/schedules/{ids['Close the day']}/run"
    stack.api.post(path).raise_for_status()
    advance_to(stack, start + timedelta(hours=24, minutes=5))
    return install


def advance_to(stack: LocalStack, moment: datetime) -> None:
    """Move the clock."""
    response = stack.control.post("/_local/clock", json={"to": moment.isoformat()}, timeout=None)
    response.raise_for_status()


def respond(request: RunnerRequest, failing_id: str) -> RunnerResponse:
    """Let the schedule that sends reminders fail now and then."""
    context = request.body["context"]
    if context["schedule_id"] != failing_id:
        return extension_response()
    hour = datetime.fromisoformat(context["scheduled_for"]).hour if "scheduled_for" in context else 0
    return extension_response({5: 503, 7: 503, 11: 422}.get(hour, 200))


def write_picture(browser: Browser, url: str, path: str) -> None:
    """Write a picture of a page, once all of it is there."""
    origin = url.partition("/?")[0]
    context = browser.new_context(viewport=SIZE, device_scale_factor=1)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    page.goto(f"{origin}{path}")
    page.locator(".lane a.mark").first.wait_for()
    page.wait_for_load_state("networkidle")
    PICTURE.parent.mkdir(exist_ok=True)
    page.screenshot(path=PICTURE)
    context.close()


if __name__ == "__main__":
    main()
