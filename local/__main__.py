"""``python -m local``: run the whole stack on 127.0.0.1 until Ctrl-C."""

from __future__ import annotations

import os
import sys
from threading import Event
from typing import TYPE_CHECKING, TextIO

from local.cloudformation.deploy import STACK_NAME
from local.console import run_console
from local.demo.client import DemoClient
from local.errors import StackError
from local.extensions import report_changes
from local.launch import launch_stack
from local.processes import interrupt_on_signals
from local.settings import read_settings

if TYPE_CHECKING:
    from local.sample import SampleInstall
    from local.settings import Settings
    from local.stack import Stack


def main() -> int:
    """Run the local stack and return the exit status."""
    interrupt_on_signals()
    terminal = sys.stdout
    try:
        with launch_stack(read_settings()) as stack:
            terminal.write(_format_welcome(stack))
            terminal.flush()
            if stack.settings.set_up_sample and stack.sample:
                terminal.write(_set_up_sample(stack.settings, stack.sample))
                terminal.flush()
            with run_console(stack.settings) as line:
                terminal.write(line)
                terminal.flush()
                _wait_for_interrupt(stack.settings, terminal)
    except StackError as error:
        sys.stderr.write(f"local: {error}\n")
        return error.exit_status
    except KeyboardInterrupt:
        return 0
    return 0


def _wait_for_interrupt(settings: Settings, terminal: TextIO) -> None:
    """Wait until Ctrl-C, and say meanwhile which extensions change."""
    if settings.runner_base_url:  # whose folders are unknown
        Event().wait()

    def write(line: str) -> None:
        terminal.write(line)
        terminal.flush()

    report_changes(settings, write)


def _set_up_sample(settings: Settings, sample: SampleInstall) -> str:
    """Let the sample create its schedules; the first call waits until the runner has compiled it."""
    report = DemoClient(settings, sample).call_extension("POST", "/api/setup")
    names = [*report["created"], *report["updated"], *report["unchanged"]]
    return f"The sample has its schedules: {', '.join(names)}.\n"


def _format_welcome(stack: Stack) -> str:
    settings = stack.settings
    return "\n".join(
        [
            "",
            "The local stack is ready.",
            "",
            f"  API      {settings.api_url}",
            f"  AWS      {settings.aws_url}",
            f"  Runner   {settings.runner_url}",
            f"  Logs     {settings.logs}",
            *_format_examples(stack),
            "",
            "Press Ctrl-C to stop it.",
            "",
        ]
    )


def _format_examples(stack: Stack) -> list[str]:
    if stack.settings.set_up_events:
        return ["", "The install and the schedule of events/ are there, and the sample is not."]
    if not stack.sample:
        return ["", "No extension is installed: the sample is not built.", "Build it with: make sample"]
    url, token, install_id = stack.settings.api_url, stack.settings.runner_auth_token, stack.sample.install_id
    return [
        f"  Install  {install_id}  (the sample extension)",
        "",
        *(
            []
            if stack.settings.set_up_sample
            else ["It has no schedules yet: SETUP=1 make local creates them."]
        ),
        "",
        "Try:",
        "",
        f"  curl -s -H 'x-runner-auth: {token}' \\",
        f"      {url}/v1/installs/{install_id}/endpoints",
        f'  curl -s -X POST -d \'{{"advance": "PT1H"}}\' {url}/_local/clock',
        "  scripts/scheduling-admin schedules \\",
        f"      --install {install_id} \\",
        f"      --endpoint-url {stack.settings.aws_url} --stack-name {STACK_NAME}",
    ]


if __name__ == "__main__":
    status = main()
    # A running function cannot be interrupted and must not delay the exit.
    os._exit(status)
