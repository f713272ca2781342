"""The service's client speaks HTTPS to a runner."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from scheduling.clients.runner_tls import TrustedAuthorities
from scheduling.domain.errors import Unavailable
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


def unavailable() -> str:
    raise Unavailable("The secret store is not available, please try again")


def test_authority_of_the_secret_is_trusted_instead_of_the_systems(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Authority("Other authority").write_root(tmp_path / "other.pem")
    private = authority.write_root(tmp_path / "private.pem").read_text()
    trust(monkeypatch, other)
    with serve_runner(tmp_path, authority, "127.0.0.1") as client:
        client.authorities = lambda: private
        assert client.execute_fire().status is RunStatus.SUCCESS

        trust(monkeypatch, tmp_path / "private.pem")
        client.authorities = other.read_text
        assert client.execute_fire().error == NOT_TRUSTED


@pytest.mark.parametrize(
    ("read_certificates", "reason"),
    [
        pytest.param(unavailable, "The secret store is not available, please try again", id="unavailable"),
        pytest.param(lambda: "", "it contains no certificate in PEM format", id="empty"),
        pytest.param(
            lambda: "-----BEGIN CERTIFICATE-----\nx", "it contains no certificate in PEM format", id="cut"
        ),
        pytest.param(
            lambda: "BEGIN CERTIFICATE \u00e9", "it contains no certificate in PEM format", id="no ASCII"
        ),
    ],
)
def test_without_the_authorities_nothing_is_sent(
    tmp_path: Path,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    read_certificates: Callable[[], str],
    reason: str,
) -> None:
    trust(monkeypatch, authority.write_root(tmp_path / "private.pem"))
    with serve_runner(tmp_path, authority, "127.0.0.1") as client:
        client.authorities = read_certificates
        outcome = client.execute_fire()
    expected = f"The authorities of the runner's certificate could not be read: {reason}"
    assert (outcome.status, outcome.error, outcome.retryable) == (RunStatus.ERROR, expected, True)


def test_rotated_authority_is_used_by_the_next_connection(authority: Authority, tmp_path: Path) -> None:
    values = [authority.write_root(tmp_path / "first.pem").read_text()]
    authorities = TrustedAuthorities(lambda: values[-1])
    first = authorities.tls_context()
    assert authorities.tls_context() is first

    values.append(Authority("Next authority").write_root(tmp_path / "next.pem").read_text())

    assert authorities.tls_context() is not first
