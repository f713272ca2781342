"""Around every command: its options, its connection, its errors, and its answer on the one stream or the other."""

import dataclasses
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any

import typer
from rich.console import Console

from scheduling_admin.errors import FAILURES, failure_of
from scheduling_admin.output.report import Report, console_on
from scheduling_admin.output.tables import sentence
from scheduling_admin.stack.options import Options

_SHARED = [
    Parameter(each.name, Parameter.KEYWORD_ONLY, default=each.default, annotation=each.type)
    for each in dataclasses.fields(Options)
]


def command(function: Callable[..., Report]) -> Callable[..., None]:
    """A Typer command with the options that all have; `function` takes an Operator and its own parameters."""

    @wraps(function)
    def run(**given: Any) -> None:
        options = Options(**{each.name: given.pop(each.name) for each in _SHARED})
        console = console_on(sys.stderr)
        from scheduling_admin.stack.connection import (
            connect,  # with all of boto3, which no help page needs
        )

        try:
            with _plain_log(console):
                report = function(connect(options), **given)
            report.tell(as_json=options.json)
        except FAILURES as error:
            failure = failure_of(error)
            _say(console, str(failure), "red")
            raise typer.Exit(failure.ends_with) from error
        raise typer.Exit(report.ends_with)

    own = list(signature(function).parameters.values())[1:]
    run.__signature__ = Signature([*own, *_SHARED])  # type: ignore[attr-defined]
    return run


def _say(console: Console, text: str, style: str) -> None:
    """A line on the console; folded on a terminal only, so that logs and searches have it whole."""
    console.print(sentence(text, style), soft_wrap=not console.is_terminal)


class _Plain(logging.Handler):
    """What the operations warn of, a line each on stderr, without tracebacks."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """As logging asks for it."""
        cause = record.exc_info[1] if record.exc_info else None
        text = record.getMessage()
        _say(self._console, f"{text}: {cause}" if cause else text, "yellow")


@contextmanager
def _plain_log(console: Console) -> Iterator[None]:
    """Within, the service's log goes there."""
    log = logging.getLogger("scheduling")
    before = log.handlers, log.propagate
    log.handlers, log.propagate = [_Plain(console)], False
    try:
        yield
    finally:
        log.handlers, log.propagate = before
