"""The settings of the mail server through which people are told that something waits for them; docs/alerts.md."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

#: Where mail servers listen, for each way of protecting the connection (RFC 6409, RFC 8314).
_PORTS = {"starttls": 587, "tls": 465, "plain": 25}
_LEAST_REASON = 20
_ADDRESS = r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$"


class MailSettings(BaseModel):
    """One server that takes our mail. `security` is `tls` from the first byte, `starttls`, or `plain`.

    The server's certificate is always verified, against `ca_file` where it is given. Where STARTTLS is asked for and
    not offered nothing is sent. `plain_because` says why production may do without: a relay on the same machine, say.
    Mail that cannot be delivered comes back to `bounce_address` with the mail's number behind a plus sign; the mail
    server puts it into `bounce_maildir`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = Field(min_length=1, max_length=253)
    port: int | None = Field(default=None, ge=1, le=65_535)
    security: Literal["starttls", "tls", "plain"] = "starttls"
    plain_because: str | None = None
    ca_file: Path | None = None
    user: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    sender: str = Field(pattern=_ADDRESS)
    bounce_address: str | None = Field(default=None, pattern=_ADDRESS)
    bounce_maildir: Path | None = None
    timeout_seconds: int = Field(default=10, ge=1, le=60)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.password is not None and self.password_file is not None:
            raise ValueError("password and password_file are both given; keep one")
        if self.user is not None and self.security == "plain":
            raise ValueError("a password is not sent over a plain connection; use starttls or tls")
        if self.bounce_maildir is not None and self.bounce_address is None:
            raise ValueError("bounce_maildir needs the bounce_address whose mail it holds")
        return self

    @property
    def server_port(self) -> int:
        return self.port or _PORTS[self.security]


def unfit_mail(mail: MailSettings | None, *, is_production: bool) -> list[str]:
    """What is wrong with the settings taken together, one sentence each."""
    if mail is None:
        return []
    mistakes = []
    if mail.user is not None and mail.password is None:
        mistakes.append("mail.password: needed with mail.user; better as mail.password_file")
    if mail.ca_file is not None and not mail.ca_file.is_file():
        mistakes.append(f"mail.ca_file: {mail.ca_file} is not there")
    if is_production and mail.security == "plain" and len((mail.plain_because or "").strip()) < _LEAST_REASON:
        mistakes.append(
            "mail.security: production speaks to its mail server over TLS; say in mail.plain_because, in at least"
            f" {_LEAST_REASON} characters, why it must not"
        )
    return mistakes
