"""The options that every command has."""

from dataclasses import dataclass
from typing import Annotated

import typer

DEFAULT_STACK = "extension-scheduler"
_HELP_PANEL = "Connection"


@dataclass(frozen=True, kw_only=True)
class CommonOptions:
    """Whose AWS, which stack, and how the answer is told."""

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
            help="Another endpoint than AWS's, such as http://127.0.0.1:4566 for the local stack.",
            envvar="AWS_ENDPOINT_URL",
            rich_help_panel=_HELP_PANEL,
        ),
    ] = None
    json: Annotated[
        bool, typer.Option("--json", help="Answer with one JSON document, and nothing else on stdout.")
    ] = False
