"""Speaking to a mail server: verified TLS or nothing, and each kind of failure told from the others."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from config.mail import MailSettings
from portal.services.mail.smtp import AddressRefused, MailRefused, NotTakenNow, SmtpConnection
from tests.fakes.mail_server import HOST, cutting, make_certificate, serving


def _deliver(port: int, **settings: Any) -> None:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = "Uudis: ootab"
    message.set_content("tere")
    given = MailSettings(host=HOST, port=port, sender="portal@example.ee", timeout_seconds=1, **settings)
    with SmtpConnection(given) as connection:
        connection.deliver(message, "bounces+1@example.ee", "mari@example.ee")


@pytest.mark.parametrize("first", [False, True], ids=["starttls", "tls"])
def test_a_mail_goes_over_verified_tls_and_with_a_password(tmp_path: Path, first: bool) -> None:
    certificate = make_certificate(tmp_path)
    password = None if first else "secret"  # aiosmtpd does not notice TLS that was there from the first byte
    with serving(certificate=certificate, from_the_first_byte=first, password=password) as at:
        _deliver(
            at.port,
            security="tls" if first else "starttls",
            ca_file=certificate,
            **({} if password is None else {"user": "portal", "password": password}),
        )
        assert [sender for sender, _ in at.arrived] == ["bounces+1@example.ee"]
        assert at.over_tls == [True]


@pytest.mark.parametrize("first", [False, True], ids=["starttls", "tls"])
def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path, first: bool) -> None:
    with serving(certificate=make_certificate(tmp_path), from_the_first_byte=first) as at:
        with pytest.raises(NotTakenNow):
            _deliver(at.port, security="tls" if first else "starttls")
        assert at.arrived == []


def test_where_starttls_is_asked_for_and_not_offered_nothing_is_sent_in_the_clear() -> None:
    with serving() as at:
        with pytest.raises(NotTakenNow):
            _deliver(at.port, security="starttls")
        assert at.arrived == []


def test_a_wrong_password_is_our_mistake_and_the_mail_waits(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with serving(certificate=certificate, password="secret") as at, pytest.raises(NotTakenNow):
        _deliver(at.port, ca_file=certificate, user="portal", password="wrong")


@pytest.mark.parametrize(
    ("address", "data", "outcome"),
    [
        ("550 no such mailbox", "250 OK", AddressRefused),
        ("451 come back later", "250 OK", NotTakenNow),
        ("250 OK", "554 looks like spam", MailRefused),
        ("250 OK", "452 disk full", NotTakenNow),
    ],
)
def test_each_refusal_says_what_becomes_of_the_mail(address: str, data: str, outcome: type[Exception]) -> None:
    with serving() as at:
        at.answer_to_address, at.answer_to_data = address, data
        with pytest.raises(outcome) as refusal:
            _deliver(at.port, security="plain")
        assert "mari" not in str(refusal.value)
        assert refusal.value.__cause__ is None


@pytest.mark.parametrize("greeting", [b"", b"220 here\r\n", b"421 closing\r\n", b"\xff\x00 no SMTP\r\n"])
def test_a_connection_that_is_cut_leaves_the_mail_where_it_was(greeting: bytes) -> None:
    with cutting(greeting) as port, pytest.raises(NotTakenNow):
        _deliver(port, security="plain")


def test_a_server_that_says_nothing_is_given_up_after_the_time_that_is_set() -> None:
    with cutting(wait=2.0) as port, pytest.raises(NotTakenNow):
        _deliver(port, security="plain")


def test_several_mails_share_one_connection() -> None:
    with serving() as at:
        given = MailSettings(host=HOST, port=at.port, sender="portal@example.ee", security="plain")
        message = EmailMessage(policy=SMTP)
        message.set_content("tere")
        with SmtpConnection(given) as connection:
            connection.deliver(message, "a@example.ee", "mari@example.ee")
            first = connection._smtp
            connection.deliver(message, "b@example.ee", "mari@example.ee")
            assert connection._smtp is first
        assert len(at.arrived) == 2
