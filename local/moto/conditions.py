"""Condition expressions taken apart once for each text: moto does so for each request."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import Any

from moto.dynamodb.comparisons import ConditionExpressionParser

_original_lex = ConditionExpressionParser._lex_condition_expression


def patch_conditions() -> None:
    """Let moto keep the words of the conditions it has seen."""
    ConditionExpressionParser._lex_condition_expression = _lex_condition  # type: ignore[method-assign,assignment]


def _lex_condition(parser: ConditionExpressionParser) -> deque[Any]:
    return deque(_tokenize_condition(parser.condition_expression))


@lru_cache(maxsize=4096)
def _tokenize_condition(text: str | None) -> tuple[Any, ...]:
    return tuple(_original_lex(ConditionExpressionParser(text, None, None)))
