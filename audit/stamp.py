"""RFC 3161 time stamps: what a time-stamping authority says about when some bytes already existed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from rfc3161_client import TimeStampResponse, VerificationError, VerifierBuilder, decode_timestamp_response

from audit.errors import MalformedReceipt, VerificationFailed


def read_stamp(stamp: bytes) -> TimeStampResponse:
    """Raises MalformedReceipt where these bytes are no time stamp."""
    try:
        return decode_timestamp_response(stamp)
    except ValueError:
        raise MalformedReceipt("this is no time stamp (RFC 3161)") from None


def verify_stamp(stamp: bytes, content: bytes, roots: Sequence[x509.Certificate]) -> datetime:
    """When the authority saw `content`, where its certificate leads to one of `roots`.

    Raises:
        MalformedReceipt: this is no time stamp.
        VerificationFailed: it is about other bytes, or no authority that you trust signed it.
    """
    response = read_stamp(stamp)
    builder = VerifierBuilder()
    for root in roots:
        builder = builder.add_root_certificate(root)
    try:
        builder.build().verify_message(response, content)
    except (VerificationError, ValueError) as error:
        raise VerificationFailed(f"the time stamp cannot be trusted: {error}") from None
    return response.tst_info.gen_time
