"""What the tests of the API's description share: the local stack, which tests/conftest.py starts."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from tests.support.stacks.local_stack import ApiInstall, LocalStack
from tests.support.stacks.scripted_runner import extension_response


@dataclass(frozen=True)
class Target:
    """A schedule of a new install, in a tenant of its own."""

    tenant_id: str
    install: ApiInstall
    schedule_id: str


@pytest.fixture
def target(local_stack: LocalStack) -> Iterator[Target]:
    local_stack.runner.respond = lambda _request: extension_response()
    tenant_id = str(uuid4())
    install = local_stack.register_install(tenantId=tenant_id)
    yield Target(tenant_id, install, install.create_schedule())
    local_stack.delete_timers()
