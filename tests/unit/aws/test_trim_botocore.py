"""What the layer's build leaves of botocore; the built layer itself is looked at in tests/sam."""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import botocore
import pytest
from botocore.loaders import Loader
from botocore.session import Session

PROJECT = Path(__file__).parents[3]
BOTOCORE = Path(botocore.__file__).parent


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TRIM = loaded(PROJECT / "layers" / "scheduling" / "trim_botocore.py")


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A session by the descriptions that the layer has."""
    folder = tmp_path_factory.mktemp("botocore")
    keep = shutil.ignore_patterns("__pycache__", "*.py", *(set(services()) - set(TRIM.CALLED)))
    shutil.copytree(BOTOCORE, folder, ignore=keep, dirs_exist_ok=True)
    TRIM.trim(folder)
    session = signed_in()
    loader = Loader(extra_search_paths=[str(folder / "data")], include_default_search_paths=False)
    session.register_component("data_loader", loader)
    return session


def services() -> Iterator[str]:
    return (path.name for path in (BOTOCORE / "data").iterdir() if path.is_dir())


def signed_in() -> Session:
    session = Session()
    session.set_credentials("testing", "testing")
    return session


@pytest.fixture(scope="module")
def whole() -> Session:
    return signed_in()


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "dynamodb": ("batch_get_item", {"RequestItems": {"table": {"Keys": [{"pk": {"S": "1"}}]}}}),
    "events": ("put_events", {"Entries": [{"Source": "audit"}]}),
    "lambda": ("invoke", {"FunctionName": "execute"}),
    "scheduler": ("get_schedule", {"Name": "1"}),
    "secretsmanager": ("get_secret_value", {"SecretId": "1"}),
}


def test_every_service_is_called() -> None:
    assert set(CALLS) == set(TRIM.CALLED)


def test_there_are_no_rules_to_go_through_at_each_call(trimmed: Session, whole: Session) -> None:
    kept, known = (s.get_component("data_loader") for s in (trimmed, whole))

    assert set(kept.list_available_services("service-2")) == set(CALLS)
    assert kept.list_available_services("endpoint-rule-set-1") == []
    assert set(known.list_available_services("endpoint-rule-set-1")) > set(CALLS)


@pytest.mark.parametrize("service", CALLS)
def test_each_region_is_asked_where_the_rules_for_endpoints_say(
    service: str, trimmed: Session, whole: Session
) -> None:
    regions = [
        region
        for partition in whole.get_available_partitions()
        for region in whole.get_available_regions(service, partition)
    ]

    for region in [*regions, "eu-north-9"]:
        assert asked(trimmed, service, region) == asked(whole, service, region)


class Sent(Exception):
    """Instead of sending."""


def asked(session: Session, service: str, region: str) -> tuple[str, str]:
    """The address, and the region and service that the signature is for."""
    client = session.create_client(service, region_name=region)
    operation, parameters = CALLS[service]
    sent = []

    def send(request: Any, **_: Any) -> None:
        sent.append(request)
        raise Sent

    client.meta.events.register("before-send", send)
    with pytest.raises(Sent):
        getattr(client, operation)(**parameters)
    scope = sent[0].headers["Authorization"].decode().partition("Credential=")[2].partition(",")[0]
    return sent[0].url, "/".join(scope.split("/")[2:4])
