"""A registry's own system: its key, its certificate, and what it sends."""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.fakes.hostile_provider import rsa_key, signed

CODE = "population-system"
AUDIENCE = "http://127.0.0.1:5000/api/oauth/token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate and its key, in PEM."""

    pem: str
    key_pem: str
    thumbprint: str

    @property
    def header(self) -> str:
        """As nginx writes it ($ssl_client_escaped_cert)."""
        return quote(self.pem)


@cache
def a_certificate(name: str = "system", days: int = 30) -> Certificate:
    """One that ends in so many days; with a negative number it has ended."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    return Certificate(
        certificate.public_bytes(Encoding.PEM).decode(),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        base64.urlsafe_b64encode(certificate.fingerprint(SHA256())).rstrip(b"=").decode(),
    )


def write_catalogue(folder: Path, *clients: str) -> Path:
    """The shipped catalogue with these client systems, and the keys of the usual one."""
    import shutil

    catalogue = folder / "catalogue"
    shutil.copytree(Path(__file__).parents[2] / "config", catalogue, ignore=shutil.ignore_patterns("*.py*"))
    (catalogue / "clients.toml").write_text("\n".join(clients), encoding="utf-8")
    write_keys(catalogue, rsa_key("first"))
    write_keys(catalogue, rsa_key("land"), name="land.json")
    return catalogue


def write_keys(catalogue: Path, *keys: Any, name: str = "keys.json") -> None:
    document = {"keys": [key.as_dict(private=False) for key in keys]}
    (catalogue / name).write_text(json.dumps(document), encoding="utf-8")


def a_client(**changes: str) -> str:
    """An entry of clients.toml."""
    values = {
        "code": f'"{CODE}"',
        "name": '{ en = "Population system", et = "Rahvastiku süsteem", ru = "Система населения" }',
        "organisation": '"population-authority"',
        "scopes": '["accesses.report:population", "accesses.read:population"]',
        "certificates": f'["{a_certificate().thumbprint}"]',
        "jwks_file": '"keys.json"',
    } | changes
    return "[[client]]\n" + "\n".join(f"{key} = {value}" for key, value in values.items() if value)


def claims(**changes: Any) -> dict[str, Any]:
    """What an honest assertion says; a change to `...` leaves a claim out."""
    now = int(time.time())
    honest = {"iss": CODE, "sub": CODE, "aud": AUDIENCE, "iat": now, "exp": now + 60, "jti": uuid.uuid4().hex}
    return {name: value for name, value in (honest | changes).items() if value is not ...}


def token_form(assertion: str | None = None, **changes: str) -> dict[str, str]:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion or signed(claims()),
    }
    return form | changes


def a_report(**changes: Any) -> dict[str, Any]:
    report = {
        "registry": "population",
        "subject": "38001085718",
        "occurred_at": "2026-03-02T10:15:00+02:00",
        "action": "read",
        "outcome": "released",
        "organisation": "social-insurance-board",
        "purpose": "benefit-claim",
        "fields": ["given-names"],
        "official": "official-17",
        "case": "STO-2026-1",
        "justification": "Checking the household of the claim of 3 March.",
    }
    return {name: value for name, value in (report | changes).items() if value is not ...}
