"""The public surfaces use the words of the glossary: command line, logs, metrics, make targets, headings."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from local.settings import PROJECT_ROOT
from scheduling_admin.app import app
from tests.unit.source.modules import LAYER, SHIPPED, list_modules, location, read_nodes

# The words of docs/glossary.md's predecessors, and those of the same kind. Each is a whole word or phrase.
FORBIDDEN_PHRASES = (
    "told", "tell", "tells", "telling", "mend", "mends", "mended", "mending", "seen", "found", "given", "made",
    "known", "taken", "shown", "asked", "wanted", "stated", "carry out", "carries out", "carried out", "take back",
    "takes back", "taken back", "withdrawn", "settle", "settles", "settled", "settling", "touched", "due", "lest",
    "remember", "remembers", "remembered", "forget", "forgets", "forgotten", "under way", "by hand", "turned",
    "patience", "attend", "attends", "letter", "letters", "look", "looks", "looked", "facts", "stand", "stands",
    "standing", "played", "plays", "hand over", "hands over", "handed over", "give up", "gives up", "gave up",
    "given up", "row says", "of late", "for want of", "whatever stands",
)  # fmt: skip
# Words that are ordinary in a sentence, but not as a name.
FORBIDDEN_NAMES = (
    "acceptance", "against", "answer", "answers", "because", "dropped", "explaining", "explains", "followed",
    "following", "happened", "late", "life", "most", "place", "subject", "translated",
)  # fmt: skip
# The same words in another, ordinary meaning.
EXCEPTIONS = (
    r"dead letters?", "not found", "well known", r"due occurrences?", r"occurrences? (?:is|are|was|were) due",
    r"becomes? due", r"overdue",
)  # fmt: skip


def split_words(text: str) -> str:
    """Return the words of a text or name, in lower case and separated by one space."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


def find_forbidden_words(text: str, phrases: tuple[str, ...] = FORBIDDEN_PHRASES) -> list[str]:
    words = re.sub(rf"\b(?:{'|'.join(EXCEPTIONS)})\b", " ", split_words(text))
    return re.findall(rf"\b(?:{'|'.join(phrases)})\b", words)


def check_words(surfaces: Iterator[tuple[str, str]], *, names: bool = False) -> None:
    phrases = FORBIDDEN_PHRASES + (FORBIDDEN_NAMES if names else ())
    violations = [
        f"{where}: {', '.join(words)}: {text}"
        for where, text in surfaces
        if (words := find_forbidden_words(text, phrases))
    ]
    assert not violations, "\n".join(violations)


def list_commands() -> Iterator[tuple[str, click.Command]]:
    group: Any = typer.main.get_command(app)
    yield "scheduling-admin", group
    for name, command in group.commands.items():
        yield f"scheduling-admin {name}", command


def list_cli_names() -> Iterator[tuple[str, str]]:
    for name, command in list_commands():
        yield name, name
        for parameter in command.params:
            for option in (*parameter.opts, parameter.name or ""):
                yield name, option


def list_cli_texts() -> Iterator[tuple[str, str]]:
    for name, command in list_commands():
        for text in (command.help, command.epilog, *(getattr(each, "help", "") for each in command.params)):
            yield name, text or ""


def list_json_keys() -> Iterator[tuple[str, str]]:
    """Yield the string keys of all dicts of the command line and of the views that it prints."""
    for path in (*list_modules("scheduling_admin"), *(PROJECT_ROOT / LAYER / "domain").rglob("views*.py")):
        for node in read_nodes(path):
            keys = node.keys if isinstance(node, ast.Dict) else []
            for key in keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield location(path, key), key.value


LOG_METHODS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "log"}


def list_log_calls() -> Iterator[tuple[Path, ast.Call]]:
    for path in list_modules(*SHIPPED, "bench", "samples"):
        for node in read_nodes(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr not in LOG_METHODS:
                    continue
                receiver = ast.unparse(node.func.value).rpartition(".")[2]
                if re.search(r"log(?:ger)?$", receiver):
                    yield path, node


def list_log_messages() -> Iterator[tuple[str, str]]:
    for path, call in list_log_calls():
        for part in (constant for argument in call.args[:2] for constant in ast.walk(argument)):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield location(path, call), part.value


def list_log_keys() -> Iterator[tuple[str, str]]:
    for path, call in list_log_calls():
        for keyword in call.keywords:
            yield location(path, call), keyword.arg or ""


def list_metric_names() -> Iterator[tuple[str, str]]:
    """Yield the metric names of the template, and every string of the API's modules that may be one."""
    template = (PROJECT_ROOT / "template.yaml").read_text(encoding="utf-8")
    for name in re.findall(r"MetricName: (\w+)", template):
        yield "template.yaml", name
    for path in list_modules(f"{LAYER}/api", "functions"):
        for node in read_nodes(path):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and re.fullmatch(r"(?:[A-Z][a-z]+)+", value):
                yield location(path, node), value


def list_make_lines() -> Iterator[tuple[str, str]]:
    for line in (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"(?:[a-z-]+:.*## |##@ |#> ).*", line):
            yield "Makefile", match[0]


def list_headings() -> Iterator[tuple[str, str]]:
    for path in (
        *PROJECT_ROOT.glob("*.md"),
        *(PROJECT_ROOT / "docs").rglob("*.md"),
        PROJECT_ROOT / "sdk/README.md",
    ):
        text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for heading in re.findall(r"^#+ .*", text, re.MULTILINE):
            yield location(path), heading


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Changes that could not be told", ["told"]),
        ("toldAgain", ["told"]),
        ("--by-hand", ["by hand"]),
        ("2 dead letters, schedule not found, a well-known token", []),
        ("3 letters", ["letters"]),
        ("unknown, mender, the due occurrence", []),
        ("due schedules", ["due"]),
    ],
)
def test_forbidden_words_are_recognized(text: str, expected: list[str]) -> None:
    assert find_forbidden_words(text) == expected


def test_command_line_names_use_the_words_of_the_glossary() -> None:
    check_words(list_cli_names(), names=True)


def test_command_line_help_uses_the_words_of_the_glossary() -> None:
    check_words(list_cli_texts())


def test_json_keys_of_the_command_line_use_the_words_of_the_glossary() -> None:
    check_words(list_json_keys(), names=True)


def test_log_messages_use_the_words_of_the_glossary() -> None:
    check_words(list_log_messages())


def test_log_keys_use_the_words_of_the_glossary() -> None:
    check_words(list_log_keys(), names=True)


def test_metric_names_use_the_words_of_the_glossary() -> None:
    check_words(list_metric_names(), names=True)


def test_make_targets_use_the_words_of_the_glossary() -> None:
    check_words(list_make_lines())


def test_headings_use_the_words_of_the_glossary() -> None:
    check_words(list_headings())


def test_every_surface_has_texts() -> None:
    surfaces = (
        list_cli_names(), list_cli_texts(), list_json_keys(), list_log_messages(), list_log_keys(),
        list_metric_names(), list_make_lines(), list_headings(),
    )  # fmt: skip
    assert [next(surface, None) is None for surface in surfaces] == [False] * len(surfaces)
