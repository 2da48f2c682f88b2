"""Somebody else's public keys, kept for a while and fetched anew when an unknown one is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from portal.services.clock import Clock
from portal.services.id_tokens import TokenRefused, VerifyingKey, is_for, usable_keys

#: How long keys are believed. A key that its owner withdrew is gone after this at the latest.
KEPT_FOR = timedelta(hours=1)
#: An unknown key id makes the portal fetch the keys anew, but not more often: a stranger's tokens must not make us a
#: nuisance to their owner.
REFETCH_AFTER = timedelta(minutes=1)


class KeySet:
    """One owner's JWK Set (RFC 7517). `fetch` gives it as it stands; its errors pass through."""

    def __init__(self, fetch: Callable[[], Mapping[str, Any]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = Lock()
        self._kept: tuple[list[VerifyingKey], datetime] | None = None

    def key_for(self, header: Mapping[str, Any]) -> VerifyingKey:
        """The key that a token's header names. Raises TokenRefused when there is no such key."""
        with self._lock:
            now = self._clock()
            if self._kept is None or now - self._kept[1] >= KEPT_FOR:
                self._kept = usable_keys(self._fetch()), now
            found = _named(self._kept[0], header)
            if not found and now - self._kept[1] >= REFETCH_AFTER:
                self._kept = usable_keys(self._fetch()), now
                found = _named(self._kept[0], header)
        if len(found) != 1:
            raise TokenRefused("no key by this id")
        return found[0]


def _named(keys: list[VerifyingKey], header: Mapping[str, Any]) -> list[VerifyingKey]:
    """The keys that fit the header's algorithm and, where it has one, its key id."""
    kid = header.get("kid")
    return [key for key in keys if is_for(key, header.get("alg")) and (kid is None or key.kid == kid)]
