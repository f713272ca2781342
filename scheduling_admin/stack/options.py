"""The options that all commands share."""

from dataclasses import dataclass
from typing import Annotated

import typer

DEFAULT_STACK = "extension-scheduler"
_HELP_PANEL = "Connection"


@dataclass(frozen=True, kw_only=True)
class CommonOptions:
    """The AWS credentials and endpoint, the stack, and the output format."""

    stack_name: Annotated[
        str,
        typer.Option(
            help="The stack's name.", envvar="EXTENSION_SCHEDULER_STACK", rich_help_panel=_HELP_PANEL
        ),
    ] = DEFAULT_STACK
    profile: Annotated[
        str | None, typer.Option(help="A profile of ~/.aws/config.", rich_help_panel=_HELP_PANEL)
    ] = None
    region: Annotated[
        str | None,
        typer.Option(
            help="The stack's region.",
            envvar=["AWS_REGION", "AWS_DEFAULT_REGION"],
            rich_help_panel=_HELP_PANEL,
        ),
    ] = None
    endpoint_url: Annotated[
        str | None,
        typer.Option(
            help="The endpoint to use instead of AWS, such as http://127.0.0.1:4566 for the local stack.",
            envvar="AWS_ENDPOINT_URL",
            rich_help_panel=_HELP_PANEL,
        ),
    ] = None
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document to stdout, and nothing else.")
    ] = False
