from collections.abc import Iterator

import pytest

from samples.build import EXTENSIONS
from tests.support.components.client import ComponentClient
from tests.support.components.runner import (
    TEST_EXTENSIONS,
    build_probe,
    build_sample,
    create_runner_settings,
    prepare_components,
    start_runner,
)
from tests.support.components.scheduler import RecordingScheduler, recording_scheduler


@pytest.fixture(scope="session")
def recorder() -> Iterator[RecordingScheduler]:
    with recording_scheduler() as recording:
        yield recording


@pytest.fixture
def scheduler(recorder: RecordingScheduler) -> RecordingScheduler:
    recorder.reset()
    return recorder


@pytest.fixture(scope="session")
def runner_url(recorder: RecordingScheduler) -> Iterator[str]:
    prepare_components()
    with start_runner(create_runner_settings(recorder.url, TEST_EXTENSIONS, EXTENSIONS)) as url:
        yield url


@pytest.fixture(scope="session")
def probe(runner_url: str) -> Iterator[ComponentClient]:
    client = ComponentClient(runner_url, build_probe())
    yield client
    client.http.clear()


@pytest.fixture(scope="session")
def sample(runner_url: str) -> Iterator[ComponentClient]:
    client = ComponentClient(runner_url, build_sample())
    yield client
    client.http.clear()
