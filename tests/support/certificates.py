"""Certificate authorities, and certificates for servers."""

import ipaddress
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KeyPair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _build_certificate(name: str, issuer: KeyPair | None, *, is_authority: bool) -> KeyPair:
    """Return a certificate for a host or IP address; without an issuer it is self-signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[1].public_key())
        builder = builder.add_extension(identifier, critical=False)
    if not is_authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(name)]), critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _to_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass
class Authority:
    """A root authority and an intermediate one, which issues the certificates."""

    name: str
    root: KeyPair = field(init=False)
    intermediate: KeyPair = field(init=False)

    def __post_init__(self) -> None:
        self.root = _build_certificate(self.name, None, is_authority=True)
        self.intermediate = _build_certificate(f"{self.name} issuing", self.root, is_authority=True)

    def write_root(self, path: Path) -> Path:
        """Write the root's certificate, which clients trust."""
        path.write_bytes(_to_pem(self.root[0]))
        return path

    def create_server_context(self, folder: Path, host: str) -> ssl.SSLContext:
        """Return the TLS settings of a server with a certificate for `host`, and the intermediate one."""
        certificate, key = _build_certificate(host, self.intermediate, is_authority=False)
        path = folder / f"{host}.pem"
        private_key = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private_key + _to_pem(certificate) + _to_pem(self.intermediate[0]))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context
