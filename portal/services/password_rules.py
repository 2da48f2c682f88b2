"""Which passwords an account may not have: weak ones, and those in a list of breached ones (ASVS 5.0, 6.2.12).

The list is a file of the installation: SHA-1 digests in upper case, sorted, each with `:count` behind it, as the
downloader of Have I Been Pwned writes it (https://github.com/HaveIBeenPwned/PwnedPasswordsDownloader). It is searched
where it lies, so that no password and no part of its digest leaves the machine, and its 30 GB stay out of memory.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from portal.domain.actors import Actor
from portal.domain.errors import PortalError
from portal.domain.passwords import PasswordWeakness, weakness_of

_HEX_DIGITS = 40


class PasswordRefused(PortalError):
    """The password is too weak. The page says how; nothing else was changed."""

    def __init__(self, weakness: PasswordWeakness) -> None:
        super().__init__(f"password: {weakness}")
        self.weakness = weakness


class PasswordRules:
    """Refuses passwords. Without a file of breached ones only the house's own rules count."""

    def __init__(self, breached: Path | None) -> None:
        self._breached = breached

    def refuse_weak(self, password: str, person: Actor) -> None:
        """Raises PasswordRefused for one that whoever knows the person, the portal or the list would try; OSError when
        the list cannot be read: nobody gets a password that was not looked up."""
        weakness = weakness_of(password, (person.name, person.organisation or ""))
        if weakness is None and self._is_breached(password):
            weakness = PasswordWeakness.BREACHED
        if weakness is not None:
            raise PasswordRefused(weakness)

    def _is_breached(self, password: str) -> bool:
        if self._breached is None:
            return False
        digest = hashlib.sha1(password.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest().upper()
        with self._breached.open("rb") as file:
            return _stands_in(file, digest.encode())


def _stands_in(file: BinaryIO, digest: bytes) -> bool:
    """Whether a line of the sorted file begins with `digest`, by halving."""
    low, high = 0, file.seek(0, os.SEEK_END)
    while low < high:
        middle = (low + high) // 2
        file.seek(max(middle - 1, 0))
        if middle:
            file.readline()  # to the first line that begins at `middle` or after it
        found = file.readline()[:_HEX_DIGITS].upper()
        if found == digest:
            return True
        if not found or found > digest:
            high = middle
        else:
            low = file.tell()
    return False
