"""Addresses of electronic mail, and how often somebody wants to be written to."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self

#: RFC 5321, section 4.5.3.1.3: 256 with the angle brackets.
MAXIMUM_LENGTH = 254
#: A dot-atom and a host name (RFC 5322, section 3.4.1): no quoting, no comments, no line ends, nothing but ASCII.
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?=.{4,253}\Z)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_LONGEST_LOCAL_PART = 64


class InvalidMailAddress(ValueError):
    """What was typed is no address that mail can be sent to. The page says so; it is never repeated in a log."""


class MailAddress:
    """An address as it was typed, and never in a trace or a log."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def parse(cls, typed: str) -> Self:
        """Raises InvalidMailAddress."""
        text = typed.strip()
        if len(text) > MAXIMUM_LENGTH or not _ADDRESS.fullmatch(text):
            raise InvalidMailAddress
        if len(text.partition("@")[0]) > _LONGEST_LOCAL_PART:
            raise InvalidMailAddress
        return cls(text)

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "MailAddress(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MailAddress) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class Cadence(StrEnum):
    """How soon somebody is written to. Permanent: the words stand in the database and in the log."""

    AT_ONCE = "at-once"
    DAILY = "daily"
    WEEKLY = "weekly"
    NEVER = "never"


class AddressState(StrEnum):
    """How far an address may be used."""

    NONE = "none"
    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    #: The person followed the link in a mail that says: no more of these.
    STOPPED = "stopped"
    #: What was sent to it came back again and again.
    SUSPENDED = "suspended"


class MailState(StrEnum):
    """Where one mail is on its way."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    BOUNCED = "bounced"


class MailKind(StrEnum):
    """Which of the two mails of the portal it is."""

    SOMETHING_NEW = "something-new"
    CONFIRMATION = "confirmation"
