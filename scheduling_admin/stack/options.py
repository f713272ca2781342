"""The options that all commands share."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
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


_TAKES_VALUE = {
    f"--{each.name.replace('_', '-')}": not isinstance(each.default, bool) for each in fields(CommonOptions)
}


def move_behind_command(words: Sequence[str]) -> list[str]:
    """Return the command line with those common options that precede the command behind it, which accepts them."""
    rest, options = list(words), list[str]()
    while rest:
        name, has_value, _ = rest[0].partition("=")
        if name not in _TAKES_VALUE:
            break
        count = 2 if _TAKES_VALUE[name] and not has_value else 1
        options += rest[:count]
        del rest[:count]
    return [*rest[:1], *options, *rest[1:]] if rest else []
