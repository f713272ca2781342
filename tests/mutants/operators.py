"""The kinds of mutants: those of Cosmic Ray that make a reader's mistake, and three of our own."""

from collections.abc import Iterator
from typing import Any

import cosmic_ray.plugins
from cosmic_ray.operators.operator import Example, Operator
from parso.python.tree import Keyword, Name
from parso.python.tree import Operator as Punctuation

Position = tuple[tuple[int, int], tuple[int, int]]

KINDS = (
    "AddNot",
    "ExceptionReplacer",
    "NumberReplacer",
    "RemoveDecorator",
    "ReplaceAndWithOr",
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_BitAnd_BitOr",
    "ReplaceBinaryOperator_BitOr_BitAnd",
    "ReplaceBinaryOperator_Div_Mul",
    "ReplaceBinaryOperator_FloorDiv_Mul",
    "ReplaceBinaryOperator_Mod_FloorDiv",
    "ReplaceBinaryOperator_Mul_Add",
    "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBreakWithContinue",
    "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceContinueWithBreak",
    "ReplaceFalseWithTrue",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_USub_UAdd",
    "ZeroIterationForLoop",
)
"""Of each family one member: the others (`==` to `is`, `+` to `<<`) end in a TypeError or change nothing."""


class RemoveCall(Operator):  # type: ignore[misc]
    """Removes a call whose result is not used."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        """Yield the position of a statement that is only a call."""
        if node.type == "simple_stmt" and _is_call(node.children[0]):
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node: Any, index: int) -> Any:  # noqa: ARG002
        """Replace the call with `pass`."""
        call = node.children[0]
        node.children[0] = Keyword("pass", call.start_pos, call.get_first_leaf().prefix)
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Return an example."""
        return (Example("f(x)\n", "pass\n"),)


class ReturnNone(Operator):  # type: ignore[misc]
    """Returns None in place of a value."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        """Yield the position of a returned value."""
        if node.type == "return_stmt" and node.children[1].get_code().strip() != "None":
            yield node.children[1].start_pos, node.children[1].end_pos

    def mutate(self, node: Any, index: int) -> Any:  # noqa: ARG002
        """Replace the value with None."""
        node.children[1] = Name("None", node.children[1].start_pos, " ")
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Return an example."""
        return (Example("def f():\n    return x", "def f():\n    return None"),)


class PassNone(Operator):  # type: ignore[misc]
    """Passes None in place of a named argument's value."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        """Yield the position of a named argument's value."""
        if _is_named_argument(node) and node.children[2].get_code().strip() != "None":
            yield node.children[2].start_pos, node.children[2].end_pos

    def mutate(self, node: Any, index: int) -> Any:  # noqa: ARG002
        """Replace the value with None."""
        node.children[2] = Name("None", node.children[2].start_pos, "")
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Return an example."""
        return (Example("f(a=x)", "f(a=None)"),)


OWN_OPERATORS = {operator.__name__: operator for operator in (RemoveCall, ReturnNone, PassNone)}
OPERATOR_NAMES = frozenset([*(f"core/{name}" for name in KINDS), *(f"own/{name}" for name in OWN_OPERATORS)])


def register_operators() -> None:
    """Make our operators known; Cosmic Ray looks for them in installed packages only."""
    cosmic_ray.plugins.OPERATOR_PROVIDERS["own"] = OWN_OPERATORS


def _is_call(node: Any) -> bool:
    if node.type != "atom_expr":
        return False
    last = node.children[-1]
    return bool(last.type == "trailer" and last.children[0].value == "(")


def _is_named_argument(node: Any) -> bool:
    if node.type != "argument" or len(node.children) != 3:
        return False
    return isinstance(node.children[1], Punctuation) and node.children[1].value == "="
