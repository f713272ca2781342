from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from scheduling import bootstrap

from local.cloudformation.clients import connect_aws
from local.events import create_events_state
from local.settings import read_settings, use_aws_endpoint
from local.stack import deploy_template
from tests.support.oracles.event_cases import issue_run_token
from tests.support.stacks.local_stack import LocalStack, start_local_stack
from tests.support.stacks.sam_local import HOST_LISTEN_ADDRESS, read_variables, write_env_file


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The local stack whose AWS and runner the containers call."""
    with start_local_stack(tmp_path_factory.mktemp("host"), HOST_LISTEN_ADDRESS) as stack:
        yield stack


@pytest.fixture(scope="session")
def host_variables(host: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_env_file(tmp_path_factory.mktemp("variables"), host)


@pytest.fixture
def callback_token(host: LocalStack, host_variables: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A valid callback token, after a reset of AWS to the state that the events require."""
    environment = read_variables(host_variables)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    httpx.post(f"{host.aws_url}/moto-api/reset").raise_for_status()
    region = use_aws_endpoint(host.aws_url, host.aws_url)
    settings = read_settings({"AWS_ENDPOINT_URL": host.aws_url, "LISTEN_ADDRESS": HOST_LISTEN_ADDRESS})
    deploy_template(settings, connect_aws(host.aws_url, region))
    create_events_state(bootstrap.services())
    key = host.aws_client("secretsmanager").get_secret_value(SecretId=environment["CALLBACK_KEY_SECRET_ID"])
    return issue_run_token(
        bootstrap.services(), key["SecretString"], environment["STACK_NAME"], datetime.now(UTC)
    )
