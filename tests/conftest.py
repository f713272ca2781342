import os
from functools import cache

import botocore.hooks
import botocore.loaders
import pytest
from hypothesis import settings

settings.register_profile("default", max_examples=60, derandomize=False, print_blob=True, deadline=None)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sam", action="store_true", help="test the stack in containers, made by `make sam-build`"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --sam what containers can be asked, each folder with one stack; without it what needs none."""
    in_containers = config.getoption("--sam")
    left_out = [item for item in items if not _is_selected(item, in_containers=in_containers)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    for item in items if in_containers else []:
        item.add_marker(pytest.mark.xdist_group(item.path.parent.name))


def _is_selected(item: pytest.Item, *, in_containers: bool) -> bool:
    if in_containers:
        return item.get_closest_marker("local_only") is None
    return item.path.parent.name != "sam"


# botocore reads its descriptions of AWS for each session anew, which is most of what a command's tests would take.
botocore.loaders.create_loader = cache(botocore.loaders.create_loader)

_ALIAS_CACHE: dict[str, str] = {}
_original_alias = botocore.hooks.EventAliaser._alias_event_name  # type: ignore[attr-defined]


def _cached_alias(emitter: botocore.hooks.EventAliaser, name: str) -> str:
    if name not in _ALIAS_CACHE:
        _ALIAS_CACHE[name] = _original_alias(emitter, name)
    return _ALIAS_CACHE[name]


# Every client looks for the other names of its events anew, in the same list.
botocore.hooks.EventAliaser._alias_event_name = _cached_alias  # type: ignore[attr-defined]
