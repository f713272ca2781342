"""The console that `make local` starts: the printed URL signs a browser in, once."""

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from local.processes import ChildProcess
from local.settings import child_environment, free_ports
from tests.support.stacks.local_stack import wait_for


def test_the_url_that_make_local_prints_opens_the_console_once(browser: Browser, tmp_path: Path) -> None:
    names = ("API_PORT", "AWS_PORT", "RUNNER_PORT", "CONSOLE_PORT")
    ports = dict(zip(names, map(str, free_ports(4)), strict=True))
    log = tmp_path / "local.log"
    child = ChildProcess("local", environ=child_environment(**ports), log=log)
    try:
        output = wait_for(log.read_text, lambda text: "The console" in text)
        (url,) = re.findall(r"The console, .*: (\S+)", output)
        page = browser.new_page()
        page.goto(url)
        expect(page.get_by_text("extension-scheduler-local")).to_be_visible()
        expect(page.get_by_text("Nothing is wrong.")).to_be_visible()
        assert page.url == f"http://127.0.0.1:{ports['CONSOLE_PORT']}/"
        page.close()
        stranger = browser.new_context().new_page()
        stranger.goto(url)
        expect(stranger.get_by_text("This browser is not signed in")).to_be_visible()
        stranger.close()
    finally:
        child.stop()
