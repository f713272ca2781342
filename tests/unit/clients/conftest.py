import threading
from collections.abc import Iterator

import pytest

from tests.unit.clients.runner_harness import LocalRunner, RunnerHarness


@pytest.fixture
def local() -> Iterator[LocalRunner]:
    with LocalRunner() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.005,))
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def client(local: LocalRunner) -> RunnerHarness:
    return RunnerHarness(local.url)


@pytest.fixture
def short_timeout_client(local: LocalRunner) -> RunnerHarness:
    """A client that waits for 0.2 s and no longer."""
    return RunnerHarness(local.url, timeout_ms=200, overhead_seconds=0)
