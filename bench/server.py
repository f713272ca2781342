"""AWS and the runner over HTTP on 127.0.0.1, with the delay of a network."""

import datetime
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.canned import CannedAws

DELAY_SECONDS = 0.005


@contextmanager
def serve(items: Sequence[Mapping[str, Any]], folder: Path | None = None) -> Iterator[int]:
    """Serve the canned responses and yield the port; with a folder for the certificate, over TLS."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _create_handler(CannedAws([dict(item) for item in items])))
    if folder:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_create_certificate(folder))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def write_ca_bundle(folder: Path, packages: Path) -> Path:
    """Write the server's certificate and the authorities of that botocore, since parsing them is part of a start."""
    bundle = folder / f"{packages.name}.pem"
    roots = (packages / "botocore" / "cacert.pem").read_text()
    bundle.write_text(roots + (folder / "server.pem").read_text().partition("-----BEGIN EC")[0])
    return bundle


def _create_handler(aws: CannedAws) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            response = aws.respond(self.headers.get("x-amz-target", ""), self.path.partition("?")[0], body)
            time.sleep(DELAY_SECONDS)
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(response)}\r\n\r\n"
            self.wfile.write(head.encode() + response)

        do_POST = do_PUT = do_DELETE = do_GET = _respond  # noqa: N815 - the names of http.server

        def log_message(self, *_args: object) -> None:
            pass

    return Handler


def _create_certificate(folder: Path) -> Path:
    """Create a key and a self-signed certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    path = folder / "server.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return path
