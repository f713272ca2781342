from collections.abc import Iterator

import pytest

from tests.support.local_stack import ApiInstall, LocalStack, local_stack
from tests.support.sam_local import sam_stack
from tests.support.scripted_runner import extension_answer


@pytest.fixture(scope="session")
def shared_stack(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[LocalStack]:
    start = sam_stack if request.config.getoption("--sam") else local_stack
    with start(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
def stack(shared_stack: LocalStack) -> Iterator[LocalStack]:
    """The stack that the tests share, its runner answering again; each test has installs of its own."""
    shared_stack.runner.answer = lambda _asked: extension_answer()
    yield shared_stack
    shared_stack.remove_timers()


@pytest.fixture
def install(stack: LocalStack) -> ApiInstall:
    return stack.register()
