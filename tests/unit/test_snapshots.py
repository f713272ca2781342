"""What many processes that start from one snapshot must not share."""

import random
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from scheduling import bootstrap
from scheduling.bootstrap import register_snapstart_hooks


def test_after_each_restore_chance_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Callable[[], None]] = []
    runtime = SimpleNamespace(register_after_restore=hooks.append, register_before_snapshot=lambda _: None)
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)
    register_snapstart_hooks()
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

    register_snapstart_hooks()


def test_the_tables_client_is_made_before_a_snapshot_and_not_by_the_import(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hooks: list[Callable[[], object]] = []
    runtime = SimpleNamespace(register_after_restore=lambda _: None, register_before_snapshot=hooks.append)
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)
    made: list[str] = []

    class Connection:
        @property
        def client(self) -> str:
            made.append("client")
            return "client"

    monkeypatch.setattr(bootstrap, "_connection", Connection)
    register_snapstart_hooks()
    assert made == []

    for hook in hooks:
        hook()

    assert made == ["client"]
