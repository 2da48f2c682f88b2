"""Speaking to a mail server: SMTP (RFC 5321) over verified TLS, or plain where the settings say why."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from types import TracebackType
from typing import Protocol, Self

from config.mail import MailSettings
from portal.domain.errors import PortalError

_PERMANENT = 500


class NotTakenNow(PortalError):
    """The server was not reached, or says to come back later. The mail stays in the outbox."""


class AddressRefused(PortalError):
    """The server says that nobody is to be reached at this address (5xx at RCPT TO). It counts as a return."""


class MailRefused(PortalError):
    """The server will not take this mail from us (5xx). It says nothing about the address."""


class Connection(Protocol):
    """An open way to the mail server."""

    def deliver(self, message: EmailMessage, return_to: str, address: str) -> None: ...


class SmtpConnection:
    """One connection for many mails, opened with the first. What fails ends it, and the next mail opens another."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def deliver(self, message: EmailMessage, return_to: str, address: str) -> None:
        """Hand one mail over; on return the server has taken it.

        Raises:
            NotTakenNow: nobody knows whether the server has it, or it has not.
            AddressRefused, MailRefused: it has not, and will not.
        """
        try:
            smtp = self._opened()
            smtp.sendmail(return_to, [address], message.as_bytes())
        except smtplib.SMTPRecipientsRefused as refused:
            self._end()
            codes = [code for code, _text in refused.recipients.values()]
            if all(code >= _PERMANENT for code in codes):
                raise AddressRefused from None
            raise NotTakenNow from None
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as refused:
            self._end()
            if refused.smtp_code >= _PERMANENT:
                raise MailRefused from None
            raise NotTakenNow from None
        except (smtplib.SMTPException, OSError):
            # What the server says may repeat the address; the type alone goes on.
            self._end()
            raise NotTakenNow from None

    def _opened(self) -> smtplib.SMTP:
        if self._smtp is None:
            self._smtp = _connected(self._settings)
        return self._smtp

    def _end(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            smtp.quit()
        except (smtplib.SMTPException, OSError):
            smtp.close()


def _connected(settings: MailSettings) -> smtplib.SMTP:
    port, seconds = settings.server_port, settings.timeout_seconds
    if settings.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(settings.host, port, timeout=seconds, context=_verifying(settings))
    else:
        smtp = smtplib.SMTP(settings.host, port, timeout=seconds)
    try:
        if settings.security == "starttls":
            smtp.starttls(context=_verifying(settings))  # raises where it is not offered: never in the clear instead
        if settings.user is not None and settings.password is not None:
            smtp.login(settings.user, settings.password.get_secret_value())
    except BaseException:
        smtp.close()
        raise
    return smtp


def _verifying(settings: MailSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
