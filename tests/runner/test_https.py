"""The service's client speaks HTTPS to a runner."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from scheduling.domain.runs import RunStatus

from runner.__main__ import build_server
from runner.workers.components import content_hash
from tests.support.certificates import Authority
from tests.support.components import hostile
from tests.support.components.runner import add_wat, create_runner_settings
from tests.unit.builders import install
from tests.unit.clients.runner_harness import RunnerHarness

NOT_TRUSTED = "The runner could not be reached: SSLCertVerificationError"


@contextmanager
def serve_runner(folder: Path, authority: Authority, host: str) -> Iterator[RunnerHarness]:
    """Serve a runner over HTTPS with a certificate for `host`, and yield a client that calls 127.0.0.1."""
    component = add_wat(folder / "extension", hostile.build_component(""))
    settings = replace(
        create_runner_settings("http://127.0.0.1:9", folder),
        cache_dir=folder / "cache",
        service_token="service token",
    )
    with build_server(settings) as server:
        context = authority.create_server_context(folder, host)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield RunnerHarness(
            f"https://127.0.0.1:{server.server_port}",
            token=lambda: "service token",
            install=install(content_hash=content_hash(component.read_bytes())),
        )
        server.shutdown()


@pytest.fixture
def authority() -> Authority:
    return Authority("Test authority")


def trust(monkeypatch: pytest.MonkeyPatch, bundle: Path) -> None:
    """Have new TLS clients of this process trust the authorities of a bundle, and no others."""
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("SSL_CERT_DIR", str(bundle.parent / "none"))


def test_authority_among_the_systems_is_trusted(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = Authority("Public authority").write_root(tmp_path / "public.pem").read_bytes()
    bundle = authority.write_root(tmp_path / "bundle.pem")
    bundle.write_bytes(public + bundle.read_bytes())
    trust(monkeypatch, bundle)
    with serve_runner(tmp_path, authority, "127.0.0.1") as client:
        outcome = client.execute_fire()
    assert (outcome.status, outcome.http_status, outcome.error) == (RunStatus.SUCCESS, 204, None)


def test_private_authority_alone_is_trusted(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, authority.write_root(tmp_path / "private.pem"))
    with serve_runner(tmp_path, authority, "127.0.0.1") as client:
        assert client.execute_fire().status is RunStatus.SUCCESS


def test_untrusted_authority_is_refused_and_nothing_is_sent(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    trust(monkeypatch, Authority("Other authority").write_root(tmp_path / "other.pem"))
    with serve_runner(tmp_path, authority, "127.0.0.1") as client, caplog.at_level("DEBUG"):
        outcome = client.execute_fire()
    assert (outcome.status, outcome.error, outcome.retryable) == (RunStatus.ERROR, NOT_TRUSTED, True)
    assert "POST /v1/execute" not in caplog.text


def test_certificate_for_another_host_is_refused(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, authority.write_root(tmp_path / "private.pem"))
    with serve_runner(tmp_path, authority, "runner.example") as client:
        outcome = client.execute_fire()
    assert (outcome.status, outcome.error, outcome.retryable) == (RunStatus.ERROR, NOT_TRUSTED, True)
