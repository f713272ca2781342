"""What `make local` says of extensions that change."""

from __future__ import annotations

import pytest

from local.extensions import Component, describe_changes


def create_component(status: str, content_hash: str = "sha256:1", **fields: str) -> dict[str, Component]:
    component = {"path": "/x/counter/component.wasm", "contentHash": content_hash, "status": status, **fields}
    return {component["path"]: component}


NAME = "counter/component.wasm"
READY, FAILED = create_component("ready"), create_component("failed", error="not a WASM component")


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        pytest.param(None, READY, [], id="there at the start"),
        pytest.param(
            None, FAILED, [f"{NAME} cannot be used: not a WASM component"], id="unusable at the start"
        ),
        pytest.param(
            {}, create_component("compiling"), [f"{NAME} was added; it is being compiled"], id="added"
        ),
        pytest.param(
            create_component("compiling"),
            READY,
            [f"{NAME} is compiled; runs of the version with sha256:1 use it"],
            id="compiled",
        ),
        pytest.param(
            READY,
            create_component("compiling", "sha256:2"),
            [f"{NAME} has changed; it is being compiled"],
            id="changed",
        ),
        pytest.param(
            READY,
            create_component("ready", "sha256:2"),
            [f"{NAME} is compiled; runs of the version with sha256:2 use it"],
            id="changed and compiled",
        ),
        pytest.param(READY, FAILED, [f"{NAME} cannot be used: not a WASM component"], id="unusable"),
        pytest.param(READY, READY, [], id="as before"),
        pytest.param(READY, {}, [f"{NAME} is gone"], id="gone"),
    ],
)
def test_changes_are_described(
    before: dict[str, Component] | None, after: dict[str, Component], lines: list[str]
) -> None:
    assert list(describe_changes(before, after)) == lines
