from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.cloudformation.clients import AwsClients, connect_aws
from local.processes import ChildProcess
from local.settings import child_environment, free_ports
from tests.local.support import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def aws_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            patch.setenv(name, "us-east-1")
        yield


@pytest.fixture(scope="session")
def aws_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    (port,) = free_ports(1)
    log = tmp_path_factory.mktemp("moto") / "moto.log"
    moto = ChildProcess(
        "local.moto.server",
        "127.0.0.1",
        str(port),
        "http://127.0.0.1:9",
        environ=child_environment(),
        log=log,
    )
    moto.wait_until_ready(f"http://127.0.0.1:{port}/moto-api/data.json")
    yield f"http://127.0.0.1:{port}"
    moto.stop()


@pytest.fixture(scope="module")
def aws(aws_environment: None, aws_url: str) -> AwsClients:  # noqa: ARG001 (the clients need credentials)
    return connect_aws(aws_url, "us-east-1")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a template and one function."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "functions" / "echo").mkdir(parents=True)
    (tmp_path / "functions" / "echo" / "app.py").write_text(
        "import os\nTABLE = os.environ['FIXTURE_TABLE']\n\n\ndef handler(event, context):\n"
        "    if event == 'fail':\n        raise ValueError('no')\n"
        "    return {'event': event, 'table': TABLE, 'left': context.get_remaining_time_in_millis()}\n"
    )
    return tmp_path
