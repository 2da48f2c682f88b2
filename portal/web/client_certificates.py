"""The certificate that a client system showed the proxy: believed from the configured proxies, thrown away from others.

RFC 8705, section 6.5: whoever could send the header past the proxy could be any client.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from flask import request

from config.identity import MachineSettings
from portal.domain.security_events import SecurityEvent
from portal.services.clock import Clock
from portal.services.security_log import announce

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_THUMBPRINT = "glasshouse.client-certificate"
MAXIMUM_PEM = 16 * 1024


def thumbprint_of_request() -> str | None:
    """SHA-256 of the certificate this request came with (RFC 8705, section 3.1: `x5t#S256`), or None."""
    thumbprint: str | None = request.environ.get(_THUMBPRINT)
    return thumbprint


class ClientCertificates:
    """Stands before everything else, where the address is still that of whoever connected."""

    def __init__(self, app: WSGIApplication, settings: MachineSettings, clock: Clock) -> None:
        self._app = app
        self._proxies = settings.certificate_proxies
        self._key = "HTTP_" + settings.certificate_header.upper().replace("-", "_")
        self._clock = clock

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.pop(_THUMBPRINT, None)
        stated = environ.pop(self._key, "")
        if stated:
            if self._is_proxy(environ.get("REMOTE_ADDR", "")):
                environ[_THUMBPRINT] = self._thumbprint(stated)
            else:
                announce(SecurityEvent.CERTIFICATE_HEADER_REFUSED, reason="not-from-the-proxy")
        return self._app(environ, start_response)

    def _is_proxy(self, address: str) -> bool:
        try:
            peer: Any = ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self._proxies)

    def _thumbprint(self, stated: str) -> str | None:
        """nginx sends the PEM percent-encoded ($ssl_client_escaped_cert)."""
        try:
            certificate = x509.load_pem_x509_certificate(unquote(stated[:MAXIMUM_PEM]).encode("ascii"))
            is_in_time = certificate.not_valid_before_utc <= self._clock() <= certificate.not_valid_after_utc
        except ValueError:
            announce(SecurityEvent.CERTIFICATE_HEADER_REFUSED, reason="unreadable")
            return None
        if not is_in_time:
            announce(SecurityEvent.CERTIFICATE_HEADER_REFUSED, reason="out-of-date")
            return None
        return base64.urlsafe_b64encode(certificate.fingerprint(SHA256())).rstrip(b"=").decode()
