"""Which lines depend on a mutated one: its statement, and for what runs at import whatever uses the name."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

Line = tuple[str, int]
"""A module's path and a line number."""

_CACHES = {"cache", "lru_cache", "cached_property"}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Sources:
    """The syntax trees of the layer's modules by path."""

    trees: Mapping[str, ast.Module]

    @cached_property
    def _mentions(self) -> Mapping[str, frozenset[Line]]:
        """Return the lines that mention each name."""
        lines: dict[str, set[Line]] = {}
        for path, tree in self.trees.items():
            for node in ast.walk(tree):
                if name := _mentioned_name(node):
                    lines.setdefault(name, set()).add((path, node.lineno))  # type: ignore[attr-defined]
        return {name: frozenset(found) for name, found in lines.items()}

    def relevant_lines(self, path: str, line: int) -> set[Line]:
        """Return the lines of which at least one runs in every test that the mutant of a line can affect."""
        lines: set[Line] = set()
        pending, visited = [(path, line)], set[str]()
        while pending:
            place = pending.pop()
            statements = _enclosing_statements(self.trees[place[0]], place[1])
            lines |= {place, *((place[0], number) for number in _statement_lines(statements, place[1]))}
            for name in _names_read_elsewhere(statements) - visited:
                visited.add(name)
                pending += self._mentions.get(name, ())
            lines |= {(place[0], number) for number in _body_lines(statements)}
        return lines

    def is_skipped(self, path: str, line: int, column: int) -> bool:
        """Return whether a position matters to types and readers only: an annotation, a flag of a dataclass."""
        return any((line, column) >= start and (line, column) < end for start, end in self._skipped[path])

    @cached_property
    def _skipped(self) -> Mapping[str, list[tuple[tuple[int, int], tuple[int, int]]]]:
        return {
            path: [_span(node) for parent in ast.walk(tree) for node in _type_nodes(parent)]
            for path, tree in self.trees.items()
        }


def _span(node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return start and end of a node; columns count characters, as the modules' lines with a type are ASCII."""
    start_line, start, end_line, end = (
        getattr(node, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")
    )
    return (start_line, start), (end_line, end)


def _type_nodes(parent: ast.AST) -> Iterator[ast.AST]:
    for name in ("annotation", "returns"):
        if (annotation := getattr(parent, name, None)) is not None:
            yield annotation
    if isinstance(parent, ast.If) and ast.unparse(parent.test).endswith("TYPE_CHECKING"):
        yield parent
    if isinstance(parent, ast.Call) and ast.unparse(parent.func) in ("cast", "TypeVar"):
        yield parent.args[0]
    if isinstance(parent, ast.ClassDef):
        yield from (each for each in parent.decorator_list if isinstance(each, ast.Call))
    if isinstance(parent, ast.Assign | ast.AnnAssign) and _is_type_alias(parent):
        yield parent


def _is_type_alias(node: ast.Assign | ast.AnnAssign) -> bool:
    """Return whether an assignment defines a type: its name is a class's, its value an expression of types."""
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if not isinstance(target, ast.Name) or not isinstance(node.value, ast.BinOp | ast.Subscript):
        return False
    name = target.id.lstrip("_")
    return name[:1].isupper() and not name.isupper()


def _mentioned_name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        return node.attr
    return node.arg if isinstance(node, ast.keyword) else None


def _enclosing_statements(tree: ast.Module, line: int) -> list[ast.stmt]:
    """Return the statements around a line, the outermost first."""
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and _first_line(node) <= line <= (node.end_lineno or node.lineno)
    ]
    return sorted(around, key=_first_line)


def _first_line(node: ast.AST) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min(getattr(each, "lineno", 1 << 30) for each in (node, *decorators))


def _statement_lines(statements: list[ast.stmt], line: int) -> range:
    """Return the lines of the innermost statement, of a compound one those before its body."""
    if not statements:
        return range(0)
    statement, body = statements[-1], getattr(statements[-1], "body", None)
    end = max(body[0].lineno - 1, statement.lineno) if body else statement.end_lineno or statement.lineno
    lines = range(_first_line(statement), end + 1)
    return lines if line in lines else range(0)  # an `except` or `else`


def _names_read_elsewhere(statements: list[ast.stmt]) -> set[str]:
    """Return the names that carry the mutated value to other lines, if the line runs at import or is cached."""
    functions = [each for each in statements if isinstance(each, _Function)]
    if functions and statements[-1] is not functions[-1]:
        return {each.name for each in functions if _is_cached(each)}
    if not statements:
        return set()
    last = statements[-1]
    if isinstance(last, _Function | ast.ClassDef):
        return {last.name}
    targets = getattr(last, "targets", None) or [getattr(last, "target", None)]
    return {
        each.id for target in targets if target for each in ast.walk(target) if isinstance(each, ast.Name)
    }


def _body_lines(statements: list[ast.stmt]) -> range:
    """Return the lines of the function or class whose header the line is in."""
    if not statements or not isinstance(statements[-1], _Function | ast.ClassDef):
        return range(0)
    return range(statements[-1].body[0].lineno, (statements[-1].end_lineno or 0) + 1)


def _is_cached(function: _Function) -> bool:
    names = {
        ast.unparse(each.func if isinstance(each, ast.Call) else each) for each in function.decorator_list
    }
    return any(name.rpartition(".")[2] in _CACHES for name in names)
