"""The signing keys that a process holds, and which of them sign the next checkpoint.

The log itself says who signs: whoever signed its newest checkpoint. So all processes change over at one entry, under
the lock of the head, and one that lacks a key stops rather than sign as half of the log.
"""

from __future__ import annotations

from collections.abc import Sequence

from audit.errors import KeyRefused
from audit.note import Signer, Verifier, split_note


class Signers:
    """One signing key of a log, or two while one hands over to the other."""

    def __init__(self, signers: Sequence[Signer]) -> None:
        self.origin = signers[0].name
        for signer in signers:
            if signer.name != self.origin:
                raise KeyRefused(f"the signing key is {signer.name!r}'s, and the log is {self.origin!r}")
        self._held: dict[bytes, Signer] = {signer.key_id: signer for signer in signers}
        self._newest: tuple[str, tuple[Signer, ...]] = ("", ())

    @property
    def verifiers(self) -> list[Verifier]:
        return [signer.verifier() for signer in self._held.values()]

    @property
    def all(self) -> tuple[Signer, ...]:
        return tuple(self._held.values())

    def held(self, key_id: bytes) -> Signer | None:
        return self._held.get(key_id)

    def after(self, note: str) -> tuple[Signer, ...]:
        """The keys that sign the checkpoint after this one: those of the log's that signed it.

        Raises:
            KeyRefused: this process does not hold one of them; it must be started with it.
        """
        known, signers = self._newest
        if known == note:
            return signers
        signers = tuple(self._required(key_id) for key_id in log_key_ids(note, self.origin))
        self._newest = (note, signers)
        return signers

    def signed(self, note: str, signers: tuple[Signer, ...]) -> None:
        """Know without reading it again who signed the newest checkpoint."""
        self._newest = (note, signers)

    def _required(self, key_id: bytes) -> Signer:
        signer = self.held(key_id)
        if signer is None:
            raise KeyRefused(
                f"the log is signed with the key {key_id.hex()}, which this process does not hold: a new signing key"
                " has taken over or is about to; start the process with it"
            )
        return signer


def log_key_ids(note: str, origin: str) -> list[bytes]:
    """Ids of the keys of the log's own name (a witness has another) that stand under a note, in their order."""
    _, signatures = split_note(note)
    return [signature.key_id for signature in signatures if signature.name == origin]
