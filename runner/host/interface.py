"""The functions that a component may import or export, with their types, from `sdk/wit/extension.wit`."""

import re
from functools import cache
from pathlib import Path

WIT_FILE = Path(__file__).resolve().parent.parent.parent / "sdk" / "wit" / "extension.wit"
PACKAGE_PREFIX = "alga:extension/"
EXPORT = "handler"

_COMMENT = re.compile(r"//.*")
_BLOCK = re.compile(r"^(?:interface|world) ([\w-]+) \{(.*?)^\}", re.DOTALL | re.MULTILINE)
_TYPE = re.compile(r"\b(record|enum) ([\w-]+) \{([^}]*)\}")
_FUNCTION = re.compile(r"([\w-]+): func\(([^)]*)\)(?: -> ([^;]+))?;")
_PARAMETER_NAME = re.compile(r"[\w-]+:\s*")
_TYPE_NAME = re.compile(r"(?<![\w-])[a-z][\w-]*(?!\s*:|[\w-])")


@cache
def read_signatures() -> dict[str, str]:
    """Return the signatures by `interface.function`, and of the export by its name.

    In a signature the names of records and enums are replaced by their fields and cases, because a component has no
    names of types.
    """
    return parse_signatures(WIT_FILE.read_text())


def parse_signatures(wit: str) -> dict[str, str]:
    """Return the signatures of a WIT text in the notation of `extension.wit`."""
    text = _COMMENT.sub("", wit)
    types = _parse_types(text)
    signatures = {}
    for block, content in _BLOCK.findall(text):
        for name, parameters, result in _FUNCTION.findall(content):
            signature = build_signature(
                [_expand_type(types, _PARAMETER_NAME.sub("", parameters))] if parameters else [],
                _expand_type(types, result),
            )
            signatures[name if name == EXPORT else f"{block}.{name}"] = signature
    return signatures


def build_signature(parameters: list[str], result: str) -> str:
    """Return a signature: the types of parameters and result."""
    return f"func({', '.join(parameters)})" + (f" -> {result}" if result else "")


def _parse_types(text: str) -> dict[str, str]:
    return {
        name: f"{kind}{{{', '.join(item.strip() for item in items.split(',') if item.strip())}}}"
        for kind, name, items in _TYPE.findall(text)
    }


def _expand_type(types: dict[str, str], type_text: str) -> str:
    """Replace the names of types in a type, at all depths."""

    def expand(match: re.Match[str]) -> str:
        definition = types.get(match[0])
        if definition is None or definition.startswith("enum"):
            return definition or match[0]
        return _expand_type(types, definition)

    return _TYPE_NAME.sub(expand, type_text)
