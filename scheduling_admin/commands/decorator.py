"""Turn functions into Typer commands with common options, a connection, error reporting and printed reports."""

import dataclasses
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import Parameter, Signature, getdoc, signature
from typing import Any

import typer
from rich.console import Console

from scheduling_admin.errors import EXPECTED_ERRORS, convert_to_admin_error
from scheduling_admin.output.report import CommandReport, create_console
from scheduling_admin.output.tables import render_sentence
from scheduling_admin.stack.options import CommonOptions

_SHARED_PARAMETERS = [
    Parameter(each.name, Parameter.KEYWORD_ONLY, default=each.default, annotation=each.type)
    for each in dataclasses.fields(CommonOptions)
]


def create_typer_command(function: Callable[..., CommandReport]) -> Callable[..., None]:
    """Return a Typer command for `function`, which takes an AdminSession and its own parameters."""

    @wraps(function)
    def invoke_command(**kwargs: Any) -> None:
        options = CommonOptions(**{each.name: kwargs.pop(each.name) for each in _SHARED_PARAMETERS})
        console = create_console(sys.stderr)
        from scheduling_admin.stack.connection import connect  # loads boto3, which help pages do without

        try:
            with _log_to_console(console):
                report = function(connect(options), **kwargs)
            report.print_report(as_json=options.json)
        except EXPECTED_ERRORS as error:
            admin_error = convert_to_admin_error(error)
            _print_line(console, str(admin_error), "red")
            raise typer.Exit(admin_error.exit_status) from error
        raise typer.Exit(report.exit_status)

    invoke_command.__doc__ = _join_lines(function)
    own_parameters = list(signature(function).parameters.values())[1:]
    invoke_command.__signature__ = Signature([*own_parameters, *_SHARED_PARAMETERS])  # type: ignore[attr-defined]
    return invoke_command


def _join_lines(function: Callable[..., object]) -> str:
    """Return the docstring with each paragraph in one line, for Typer to fold at the terminal's width."""
    return "\n\n".join(" ".join(each.split()) for each in (getdoc(function) or "").split("\n\n"))


def _print_line(console: Console, text: str, style: str) -> None:
    """Print a line, folded on a terminal only: a log file keeps it in one piece."""
    console.print(render_sentence(text, style), soft_wrap=not console.is_terminal)


class _ConsoleHandler(logging.Handler):
    """Prints each warning of the operations as one line on stderr, without a traceback."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message and the exception that it reports."""
        cause = record.exc_info[1] if record.exc_info else None
        text = record.getMessage()
        _print_line(self._console, f"{text}: {cause}" if cause else text, "yellow")


@contextmanager
def _log_to_console(console: Console) -> Iterator[None]:
    """Send the service's log to the console within the block."""
    log = logging.getLogger("scheduling")
    previous = log.handlers, log.propagate
    log.handlers, log.propagate = [_ConsoleHandler(console)], False
    try:
        yield
    finally:
        log.handlers, log.propagate = previous
