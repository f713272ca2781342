from collections.abc import Iterator

import pytest

from samples.build import EXTENSIONS
from tests.support.component_client import RunnerClient
from tests.support.component_scheduler import RecordingScheduler, recording_scheduler
from tests.support.component_stack import (
    TEST_EXTENSIONS,
    prepare,
    probe_component,
    running,
    sample_component,
    settings,
)


@pytest.fixture(scope="session")
def recorder() -> Iterator[RecordingScheduler]:
    with recording_scheduler() as listening:
        yield listening


@pytest.fixture
def scheduler(recorder: RecordingScheduler) -> RecordingScheduler:
    recorder.reset()
    return recorder


@pytest.fixture(scope="session")
def runner_url(recorder: RecordingScheduler) -> Iterator[str]:
    prepare()
    with running(settings(recorder.url, TEST_EXTENSIONS, EXTENSIONS)) as url:
        yield url


@pytest.fixture(scope="session")
def probe(runner_url: str) -> Iterator[RunnerClient]:
    client = RunnerClient(runner_url, probe_component())
    yield client
    client.http.clear()


@pytest.fixture(scope="session")
def sample(runner_url: str) -> Iterator[RunnerClient]:
    client = RunnerClient(runner_url, sample_component())
    yield client
    client.http.clear()
