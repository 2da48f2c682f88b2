"""Asking a time-stamping authority (RFC 3161 over HTTP) when something existed."""

from __future__ import annotations

from collections.abc import Sequence

import httpx2
from cryptography import x509
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from audit.errors import MalformedReceipt, VerificationFailed
from audit.stamp import verify_stamp
from portal.domain.errors import PortalError
from portal.services.outbound import limited_transport

_SECONDS = 15.0


class NoTimeStamp(PortalError):
    """The authority gave no stamp that holds. What was to be stamped is not given out without one."""


class TimeStampAuthority:
    """One authority, known by the certificate of its root."""

    def __init__(self, url: str, roots: Sequence[x509.Certificate]) -> None:
        self._url = url
        self._roots = roots

    def stamp(self, content: bytes) -> bytes:
        """A time stamp over `content`, verified. Raises NoTimeStamp."""
        builder = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256)
        request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
        with httpx2.Client(transport=limited_transport(_SECONDS, None), timeout=_SECONDS, trust_env=False) as client:
            try:
                answer = client.post(
                    self._url, content=request.as_bytes(), headers={"Content-Type": "application/timestamp-query"}
                ).raise_for_status()
                verify_stamp(answer.content, content, self._roots)
            except (httpx2.HTTPError, MalformedReceipt, VerificationFailed) as error:
                raise NoTimeStamp(type(error).__name__) from error
        return answer.content
