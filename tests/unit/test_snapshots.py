"""What many processes that start from one snapshot must not share."""

import random
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from scheduling.bootstrap import reseed_when_restored


def test_after_each_restore_chance_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Callable[[], None]] = []
    runtime = SimpleNamespace(register_after_restore=hooks.append)
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)
    reseed_when_restored()
    snapshot = random.getstate()

    drawn = set()
    for _ in range(3):
        random.setstate(snapshot)
        for hook in hooks:
            hook()
        drawn.add(random.getrandbits(64))

    assert len(drawn) == 3


def test_where_nothing_is_restored_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)

    reseed_when_restored()
