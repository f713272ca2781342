import os
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import botocore.hooks
import botocore.loaders
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.support.stacks.local_stack import LocalStack

# Its modules hold assertions but no tests; pytest rewrites only test modules by default.
pytest.register_assert_rewrite("tests.properties.two_systems")

settings.register_profile("default", max_examples=60, derandomize=False, print_blob=True, deadline=None)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sam", action="store_true", help="test the stack in containers, built by `make sam-build`"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select the tests for containers with --sam, one stack per folder, and the others without it."""
    in_containers = config.getoption("--sam")
    deselected = [item for item in items if not _is_selected(item, in_containers=in_containers)]
    items[:] = [item for item in items if item not in deselected]
    config.hook.pytest_deselected(items=deselected)
    for item in items if in_containers else []:
        item.add_marker(pytest.mark.xdist_group(item.path.parent.name))


def _is_selected(item: pytest.Item, *, in_containers: bool) -> bool:
    if in_containers:
        return item.get_closest_marker("local_only") is None
    return item.path.parent.name != "sam"


@pytest.fixture(scope="session")
def local_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator["LocalStack"]:
    """The local stack with the usual settings; the tests of a process share it."""
    from tests.support.stacks.local_stack import start_local_stack  # most tests do not need moto

    with start_local_stack(tmp_path_factory.mktemp("local-stack")) as stack:
        yield stack


# botocore reads its service models again for each session, which takes most of the time of the command line's tests.
botocore.loaders.create_loader = cache(botocore.loaders.create_loader)

_ALIAS_CACHE: dict[str, str] = {}
_original_alias = botocore.hooks.EventAliaser._alias_event_name  # type: ignore[attr-defined]


def _cached_alias(emitter: botocore.hooks.EventAliaser, name: str) -> str:
    if name not in _ALIAS_CACHE:
        _ALIAS_CACHE[name] = _original_alias(emitter, name)
    return _ALIAS_CACHE[name]


# botocore looks up the aliases of event names again for each client, in the same list.
botocore.hooks.EventAliaser._alias_event_name = _cached_alias  # type: ignore[attr-defined]
