"""What the layer's build keeps of botocore; tests/sam checks the built layer itself."""

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from tests.support.aws.trimmed_botocore import TRIM, TRIM_SCRIPT, copy_botocore, create_loader, trimmed_copy


@pytest.fixture(scope="module")
def trimmed_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trimmed_copy(tmp_path_factory.mktemp("trimmed"))


@pytest.fixture(scope="module")
def trimmed(trimmed_package: Path) -> Session:
    """A session with the layer's service models."""
    session = create_session()
    session.register_component("data_loader", create_loader(trimmed_package))
    return session


def create_session() -> Session:
    session = Session()
    session.set_credentials("testing", "testing")
    return session


@pytest.fixture(scope="module")
def full_session() -> Session:
    return create_session()


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "dynamodb": ("batch_get_item", {"RequestItems": {"table": {"Keys": [{"pk": {"S": "1"}}]}}}),
    "events": ("put_events", {"Entries": [{"Source": "audit"}]}),
    "lambda": ("invoke", {"FunctionName": "function", "Payload": b"{}"}),
    "sqs": ("send_message", {"QueueUrl": "https://queue", "MessageBody": "{}"}),
    "scheduler": ("get_schedule", {"Name": "1"}),
    "secretsmanager": ("get_secret_value", {"SecretId": "1"}),
}


def test_every_kept_service_has_a_call() -> None:
    assert set(CALLS) == set(TRIM.CALLED)


def test_no_endpoint_rules_are_evaluated(trimmed: Session, full_session: Session) -> None:
    trimmed_loader, full_loader = (s.get_component("data_loader") for s in (trimmed, full_session))

    assert set(trimmed_loader.list_available_services("service-2")) == set(CALLS)
    assert trimmed_loader.list_available_services("endpoint-rule-set-1") == []
    assert set(full_loader.list_available_services("endpoint-rule-set-1")) > set(CALLS)


@pytest.mark.parametrize("service", CALLS)
def test_regional_endpoints_match_the_endpoint_rules(
    service: str, trimmed: Session, full_session: Session
) -> None:
    regions = [
        region
        for partition in full_session.get_available_partitions()
        for region in full_session.get_available_regions(service, partition)
    ]

    for region in [*regions, "eu-north-9"]:
        assert endpoint_and_scope(trimmed, service, region) == endpoint_and_scope(
            full_session, service, region
        )


class RequestSent(Exception):
    """Raised instead of sending a request."""


def endpoint_and_scope(session: Session, service: str, region: str) -> tuple[str, str]:
    """The URL, and the region and service of the signature."""
    client = session.create_client(service, region_name=region)
    operation, parameters = CALLS[service]
    requests = []

    def send(request: Any, **_: Any) -> None:
        requests.append(request)
        raise RequestSent

    client.meta.events.register("before-send", send)
    with pytest.raises(RequestSent):
        getattr(client, operation)(**parameters)
    scope = requests[0].headers["Authorization"].decode().partition("Credential=")[2].partition(",")[0]
    return requests[0].url, "/".join(scope.split("/")[2:4])


def test_the_package_is_marked_as_trimmed(trimmed_package: Path) -> None:
    assert (trimmed_package / TRIM.MARKER).is_file()


def test_the_authorities_that_are_kept_are_enough(trimmed_package: Path) -> None:
    bundle = (trimmed_package / "cacert.pem").read_text()

    assert bundle.count("-----BEGIN CERTIFICATE-----") >= TRIM.MIN_CERTIFICATES
    assert all(f'# Label: "{name}' in bundle for name in TRIM.AUTHORITIES)


def rename_labels(package: Path, name: str = "") -> None:
    bundle = package / "cacert.pem"
    bundle.write_text(bundle.read_text().replace(f'# Label: "{name}', f'# Name: "{name}'))


def keep_one_certificate_of_each(package: Path) -> None:
    bundle = package / "cacert.pem"
    certificates = bundle.read_text().split("\n\n")
    labels = [f'# Label: "{name}' for name in TRIM.AUTHORITIES]
    bundle.write_text("\n\n".join(next(text for text in certificates if label in text) for label in labels))


def remove_service(package: Path) -> None:
    shutil.rmtree(package / "data" / "scheduler")


def rename_model(package: Path) -> None:
    (model,) = package.glob("data/scheduler/*/service-2.json.gz")
    model.rename(model.with_suffix(".zst"))


def remove_operation(package: Path) -> None:
    path = max(package.glob("data/events/*/service-2.json.gz"))
    model = json.loads(gzip.decompress(path.read_bytes()))
    del model["operations"]["PutEvents"]
    path.write_bytes(gzip.compress(json.dumps(model).encode()))


def remove_endpoints(package: Path) -> None:
    path = package / "data" / "endpoints.json"
    path.write_text(path.read_text().replace('"secretsmanager"', '"secrets"'))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(rename_labels, 'no certificate is labelled "Amazon..." in ', id="labels"),
        pytest.param(
            lambda package: rename_labels(package, "Starfield"),
            'no certificate is labelled "Starfield..." in ',
            id="one label",
        ),
        pytest.param(
            keep_one_certificate_of_each, "only 3 certificates would be kept of ", id="certificates"
        ),
        pytest.param(remove_service, "no service is named scheduler in ", id="service"),
        pytest.param(rename_model, "there is no ", id="model"),
        pytest.param(remove_operation, "no operation is named PutEvents in ", id="operation"),
        pytest.param(remove_endpoints, "no endpoints are listed for secretsmanager in ", id="endpoints"),
    ],
)
def test_build_fails_where_a_kept_part_is_missing(
    tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(copy_botocore(tmp_path))
    bundle = (tmp_path / "cacert.pem").read_text()

    trimming = subprocess.run(
        [sys.executable, str(TRIM_SCRIPT), str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert trimming.returncode == 1
    assert trimming.stderr.startswith(f"trim_botocore: {message}")
    assert trimming.stderr.count("\n") == 1
    assert (tmp_path / "cacert.pem").read_text() == bundle
