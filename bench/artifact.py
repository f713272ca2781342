"""Checks of the files that `sam build` writes."""

import _imp
from pathlib import Path

_UNCHECKED_HASH = b"\x01\x00\x00\x00"


def find_byte_code_faults(artifact: Path) -> list[Path]:
    """Return the modules without current, unchecked hash-based byte code."""
    return [module for module in artifact.rglob("*.py") if not _has_current_byte_code(module)]


def _has_current_byte_code(module: Path) -> bool:
    byte_code = module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc"
    if not byte_code.exists():
        return False
    head = byte_code.read_bytes()[:16]
    source_hash = _imp.source_hash(int.from_bytes(head[:4], "little"), module.read_bytes())
    return head[4:8] == _UNCHECKED_HASH and head[8:] == source_hash
