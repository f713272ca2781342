from collections.abc import Iterator

import pytest

from tests.support.stacks.deployed_runner import DeployedRunner
from tests.support.stacks.local_stack import ApiInstall, LocalStack


@pytest.fixture(scope="session")
def shared_stack(local_stack: LocalStack) -> LocalStack:
    return local_stack


@pytest.fixture
def stack(shared_stack: LocalStack) -> Iterator[LocalStack]:
    """The stack that these tests share, at half past an hour of its clock.

    Fails if a request to the runner violates the interface.
    """
    shared_stack.advance_to_half_past()
    yield shared_stack
    shared_stack.delete_timers()
    shared_stack.runner.assert_no_violations()


@pytest.fixture
def runner(stack: LocalStack) -> DeployedRunner:
    """The stack's runner: a new stand-in for a deployed one."""
    runner = DeployedRunner()
    stack.runner.respond = runner
    return runner


@pytest.fixture
def install(stack: LocalStack) -> ApiInstall:
    return stack.register_install()
