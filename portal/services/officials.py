"""How an official is named to the person whose data they opened.

CJEU C-579/21: the person has a right to the date and purpose of each consultation, not without more to the employee's
name. So each purpose says whether the name is shown, a pseudonym that stays the same within the organisation, or
neither.
"""

from __future__ import annotations

import base64
import hmac

from audit.entry import Access
from portal.domain.purposes import OfficialShown, Purpose
from portal.services.sealing import derived_key

_PSEUDONYM_LETTERS = 6


class OfficialNames:
    """Applies a purpose's rule on naming. Without a purpose the official stays unnamed."""

    def __init__(self, master_key: str) -> None:
        self._key = derived_key(master_key, "official-pseudonyms/v1", 32)

    def shown(self, access: Access, purpose: Purpose | None) -> str | None:
        if access.official is None or purpose is None or purpose.official_shown is OfficialShown.ESCROW:
            return None
        if purpose.official_shown is OfficialShown.NAMED:
            return access.official_name
        return self.pseudonym(access.official, access.organisation or "")

    def pseudonym(self, official: str, organisation: str) -> str:
        """The same for one official in one organisation, and telling nothing else: HMAC-SHA-256, shortened."""
        digest = hmac.digest(self._key, f"{organisation}\n{official}".encode(), "sha256")
        return base64.b32encode(digest).decode()[:_PSEUDONYM_LETTERS]
