"""Mail that came back: delivery status notifications (RFC 3464), read from a Maildir that the mail server fills.

Which mail it was stands in the address that the notification was sent to, which only our own mail carries; what the
notification says about addresses is not believed. Only a failure for good (class 5) counts; delays and mailboxes
that are full for a while (class 4) do not.
"""

from __future__ import annotations

import logging
import mailbox
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from pathlib import Path

from portal.services.mail.addresses import Addresses

logger = logging.getLogger(__name__)

#: A notification is a few kilobytes; a larger file is put aside unread.
MAXIMUM_BYTES = 256 * 1024
_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
_STATUS = re.compile(r"5\.\d{1,3}\.\d{1,3}")


class BounceIntake:
    """Reads each notification once: what was read moves from `new` to `cur`, marked as seen."""

    def __init__(self, addresses: Addresses, bounce_address: str) -> None:
        self._addresses = addresses
        local, _, domain = bounce_address.rpartition("@")
        self._ours = re.compile(
            rf"\b{re.escape(local)}\+([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})@{re.escape(domain)}\b",
            re.IGNORECASE,
        )

    def read_maildir(self, folder: Path) -> int:
        """Gives how many mails were found to have come back. What cannot be read is put aside like the rest."""
        maildir = mailbox.Maildir(folder, create=False)
        counted = 0
        for key in list(maildir.keys()):
            entry = maildir.get_message(key)
            if entry.get_subdir() != "new":
                continue
            counted += self.take(maildir.get_bytes(key))
            entry.set_subdir("cur")
            entry.add_flag("S")
            maildir[key] = entry
        return counted

    def take(self, raw: bytes) -> bool:
        """Whether these bytes say that one of our mails came back for good, which was not known before."""
        if len(raw) > MAXIMUM_BYTES:
            return False
        try:
            message = message_from_bytes(raw, policy=policy.compat32)
            mail_id = self._mail_id(message)
            is_failure = mail_id is not None and any(_failed(fields) for fields in _per_recipient(message))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            logger.warning("a returned mail could not be read", extra={"cause": type(error).__name__})
            return False
        return is_failure and mail_id is not None and self._addresses.came_back(mail_id)

    def _mail_id(self, message: Message) -> str | None:
        for header in _TO:
            for value in message.get_all(header, []):
                if found := self._ours.search(str(value)):
                    return found[1].lower()
        return None


def _per_recipient(message: Message) -> Iterator[Message]:
    """The fields for each recipient (RFC 3464, section 2.3): every block but the first, which is about the message."""
    if message.get_content_type() != "multipart/report":
        return
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            blocks = part.get_payload()
            if isinstance(blocks, list):
                yield from (block for block in blocks[1:] if isinstance(block, Message | EmailMessage))


def _failed(fields: Message) -> bool:
    action, status = str(fields.get("Action", "")).strip().lower(), str(fields.get("Status", "")).strip()
    return action == "failed" and _STATUS.match(status) is not None
