"""Tokenizes each condition expression once.

Written for moto 5.2.5, which tokenizes the expression of every request again, with regular expressions.
"""

from collections import deque
from functools import lru_cache
from typing import Any

from moto.dynamodb.comparisons import ConditionExpressionParser

_original_lex = ConditionExpressionParser._lex_condition_expression


def patch_conditions() -> None:
    """Let moto cache the tokens of condition expressions."""
    ConditionExpressionParser._lex_condition_expression = _lex_condition  # type: ignore[method-assign,assignment]


def _lex_condition(parser: ConditionExpressionParser) -> deque[Any]:
    return deque(_tokenize_condition(parser.condition_expression))


@lru_cache(maxsize=4096)
def _tokenize_condition(text: str | None) -> tuple[Any, ...]:
    return tuple(_original_lex(ConditionExpressionParser(text, None, None)))
