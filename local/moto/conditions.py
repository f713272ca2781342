"""Condition expressions taken apart once for each text: moto does so for each request."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import Any

from moto.dynamodb.comparisons import ConditionExpressionParser

_take_apart = ConditionExpressionParser._lex_condition_expression


def take_conditions_apart_once() -> None:
    """Let moto keep the words of the conditions it has seen."""
    ConditionExpressionParser._lex_condition_expression = _words  # type: ignore[method-assign,assignment]


def _words(parser: ConditionExpressionParser) -> deque[Any]:
    return deque(_known(parser.condition_expression))


@lru_cache(maxsize=4096)
def _known(text: str | None) -> tuple[Any, ...]:
    return tuple(_take_apart(ConditionExpressionParser(text, None, None)))
