from collections.abc import Iterator

import pytest

from tests.support.stacks.local_stack import ApiInstall, LocalStack
from tests.support.stacks.sam_local import start_sam_stack
from tests.support.stacks.scripted_runner import extension_response


@pytest.fixture(scope="session")
def shared_stack(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[LocalStack]:
    if not request.config.getoption("--sam"):
        yield request.getfixturevalue("local_stack")
        return
    with start_sam_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
def stack(shared_stack: LocalStack) -> Iterator[LocalStack]:
    """The stack that all tests share, with the runner's default response, at half past an hour of its clock.

    Each test registers its own installs. Fails if a request to the runner violates the interface.
    """
    shared_stack.runner.respond = lambda _request: extension_response()
    shared_stack.advance_to_half_past()
    yield shared_stack
    shared_stack.delete_timers()
    shared_stack.runner.assert_no_violations()


@pytest.fixture
def install(stack: LocalStack) -> ApiInstall:
    return stack.register_install()
