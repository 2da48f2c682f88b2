"""A real SMTP server on this machine, which can be told to misbehave."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


@dataclass
class MailServer:
    """What arrived, as (return address, message), and what the server answers next to RCPT TO and after the data."""

    arrived: list[tuple[str, EmailMessage]] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)
    answer_to_address: str = "250 OK"
    answer_to_data: str = "250 OK"
    port: int = 0
    is_tls_throughout: bool = False

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if self.answer_to_address.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer_to_address

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answer_to_data.startswith("250"):
            message = cast(EmailMessage, message_from_bytes(envelope.content, policy=policy.default))
            self.arrived.append((envelope.mail_from, message))
            self.over_tls.append(session.ssl is not None or self.is_tls_throughout)
        return self.answer_to_data

    def newest_text(self) -> str:
        return str(self.arrived[-1][1].get_content())


@contextmanager
def serving(
    *, certificate: Path | None = None, from_the_first_byte: bool = False, password: str | None = None
) -> Iterator[MailServer]:
    """With a certificate the server insists on STARTTLS, or speaks TLS from the first byte."""
    server = MailServer(is_tls_throughout=from_the_first_byte)
    options: dict[str, Any] = {}
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        options = (
            {"ssl_context": context} if from_the_first_byte else {"tls_context": context, "require_starttls": True}
        )
    if password is not None:
        options |= {
            "auth_required": True,
            "authenticator": lambda _s, _session, _e, _m, data: AuthResult(success=data.password == password.encode()),
        }
    controller = Controller(server, hostname=HOST, port=_free_port(), **options)
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def cutting(after: bytes = b"", wait: float = 0.0) -> Iterator[int]:
    """A port that sends these bytes, waits, and hangs up on whoever calls."""
    listener = socket.create_server((HOST, 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.sendall(after)
                time.sleep(wait)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def make_certificate(folder: Path) -> Path:
    """A certificate for this machine that signs itself; its key lies beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server of a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    path.with_suffix(".key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path
