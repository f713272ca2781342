"""Whom the service trusts to be the runner."""

import ssl
from collections.abc import Callable

from scheduling.domain.errors import Unavailable

_NO_CERTIFICATE = "it contains no certificate in PEM format"


class TrustedAuthorities:
    """The authorities that a runner's certificate may be from: the public ones, or only those of a secret.

    Args:
        read_certificates: Returns the certificates of the only trusted authorities, in PEM format.
    """

    def __init__(self, read_certificates: Callable[[], str] | None) -> None:
        self._read_certificates = read_certificates
        self._certificates = ""
        self._context = None if read_certificates else ssl.create_default_context()

    def tls_context(self) -> ssl.SSLContext:
        """Return the settings of a connection; new ones where the secret has another value than before.

        Raises:
            Unavailable: The secret cannot be read, or has no certificate.
        """
        certificates = self._read_certificates() if self._read_certificates else ""
        if self._context is None or certificates != self._certificates:
            self._context = _trust_only(certificates)
            self._certificates = certificates
        return self._context


def _trust_only(certificates: str) -> ssl.SSLContext:
    if "BEGIN CERTIFICATE" not in certificates or not certificates.isascii():
        raise Unavailable(_NO_CERTIFICATE)  # an empty text would mean the public authorities
    try:
        return ssl.create_default_context(cadata=certificates)
    except ssl.SSLError as error:
        raise Unavailable(_NO_CERTIFICATE) from error
