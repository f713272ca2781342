"""The judged survivors: mutants that change nothing that the service promises, each with the reason."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

JUDGEMENTS = Path(__file__).with_name("survivors.toml")

Verdict = Literal["equivalent", "accepted"]
"""`equivalent` changes no behaviour; `accepted` changes one that nothing promises."""


@dataclass(frozen=True)
class Judgement:
    """A survivor with its verdict; it is found again by the changed lines, not by their numbers."""

    module: str
    removed: str
    added: str
    verdict: Verdict
    reason: str


def read_judgements(path: Path = JUDGEMENTS) -> list[Judgement]:
    """Read the judged survivors."""
    entries = tomllib.loads(path.read_text("utf-8")).get("survivor", [])
    return [Judgement(**entry) for entry in entries]


def find_judgement(diff: str, judgements: Sequence[Judgement]) -> Judgement | None:
    """Return the judgement of the mutant with that diff."""
    lines = diff.splitlines()
    module = lines[0].removeprefix("--- ").strip()
    removed, added = (
        "\n".join(line[1:].strip() for line in lines[2:] if line.startswith(sign)) for sign in "-+"
    )
    for each in judgements:
        if module.endswith(f"/{each.module}") and (each.removed, each.added) == (removed, added):
            return each
    return None
