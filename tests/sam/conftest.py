from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from scheduling import bootstrap

from local.cloudformation.clients import connect_aws
from local.settings import read_settings, use_aws_endpoint
from local.stack import deploy_template
from tests.support.events import seed, token_of_a_run
from tests.support.local_stack import LocalStack, local_stack
from tests.support.sam_local import CONTAINERS_REACH, env_file, variables


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The AWS and the runner that containers call."""
    with local_stack(tmp_path_factory.mktemp("host"), CONTAINERS_REACH) as stack:
        yield stack


@pytest.fixture(scope="session")
def host_variables(host: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return env_file(tmp_path_factory.mktemp("variables"), host)


@pytest.fixture
def callback_token(host: LocalStack, host_variables: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One that is good where nothing is in AWS but what the events take for granted."""
    given = variables(host_variables)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    httpx.post(f"{host.aws_url}/moto-api/reset").raise_for_status()
    region = use_aws_endpoint(host.aws_url, host.aws_url)
    deploy_template(read_settings({"AWS_ENDPOINT_URL": host.aws_url}), connect_aws(host.aws_url, region))
    seed(bootstrap.services())
    key = host.aws("secretsmanager").get_secret_value(SecretId=given["CALLBACK_KEY_SECRET_ID"])
    return token_of_a_run(bootstrap.services(), key["SecretString"], given["STACK_NAME"], datetime.now(UTC))
