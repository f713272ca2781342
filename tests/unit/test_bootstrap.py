"""What many processes that start from one snapshot must not share."""

import random
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from scheduling import bootstrap
from scheduling.bootstrap import register_snapstart_hooks


def test_random_state_differs_after_each_restore(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Callable[[], None]] = []
    runtime = SimpleNamespace(register_after_restore=hooks.append, register_before_snapshot=lambda _: None)
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)
    register_snapstart_hooks()
    snapshot = random.getstate()

    values = set()
    for _ in range(3):
        random.setstate(snapshot)
        for hook in hooks:
            hook()
        values.add(random.getrandbits(64))

    assert len(values) == 3


def test_no_hooks_outside_snapstart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)

    register_snapstart_hooks()


def test_table_client_is_created_before_a_snapshot_not_on_import(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hooks: list[Callable[[], object]] = []
    runtime = SimpleNamespace(register_after_restore=lambda _: None, register_before_snapshot=hooks.append)
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)
    created: list[str] = []

    class Connection:
        @property
        def client(self) -> str:
            created.append("client")
            return "client"

    monkeypatch.setattr(bootstrap, "_connection", Connection)
    register_snapstart_hooks()
    assert created == []

    for hook in hooks:
        hook()

    assert created == ["client"]
