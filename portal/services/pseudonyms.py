"""What stands for people until an auditor has asked who they are: always the same, and telling nothing else."""

from __future__ import annotations

import base64
import hmac
from dataclasses import replace

from audit.entry import Access
from portal.domain.actors import Actor
from portal.services.officials import OfficialNames
from portal.services.sealing import derived_key

_LETTERS = 8
#: Details of an entry that name an account.
_ACCOUNTS = frozenset({"account"})


class Pseudonyms:
    """Names officials as their own data subjects may see them named, and people by a keyed digest of their code."""

    def __init__(self, officials: OfficialNames, master_key: str) -> None:
        self._officials = officials
        self._key = derived_key(master_key, "person-pseudonyms/v1", 32)

    def person(self, subject: str) -> str:
        """HMAC-SHA-256, shortened."""
        digest = hmac.digest(self._key, subject.encode(), "sha256")
        return base64.b32encode(digest).decode()[:_LETTERS]

    def official(self, account: str, organisation: str | None) -> str:
        return self._officials.pseudonym(account, organisation or "")

    def maker(self, actor: Actor) -> str:
        """Who made something, for all who are handed it: pseudonym, role and organisation."""
        return f"{self.official(actor.account_id, actor.organisation)} {actor.role} {actor.organisation or '-'}"

    def hidden(self, access: Access) -> Access:
        """The access with pseudonyms for whoever acted and whose data it was. What officials wrote stays as it is."""
        official = None if access.official is None else self.official(access.official, access.organisation)
        details = {
            name: self.official(str(value), access.organisation) if name in _ACCOUNTS else value
            for name, value in access.details.items()
        }
        person = None if access.subject is None else self.person(access.subject)
        return replace(access, subject=person, official=official, official_name=None, details=details)
