"""Who acted and whose data it was: hidden from an auditor behind pseudonyms until they ask, with a reason.

To ask is an entry of its own about each person who is shown by it, under their seal if one withholds the look, made
before anything is shown. What was asked for is seen in that session alone, for those entries alone, and for a while.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from audit.entry import Access
from audit.log import LoggedAccess
from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.models.independence import Reveal
from portal.services.oversight import Oversight
from portal.services.pseudonyms import Pseudonyms

#: How long a session sees what was revealed.
LASTS = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Identity:
    """How the two people of an entry are named to its reader: by name and code where revealed, else by pseudonym.

    None stands for nobody: an entry by a system, or about no person.
    """

    official: str | None
    person: str | None
    is_revealed: bool


class Identities:
    """Names people to auditors, and takes their requests to see who they are."""

    def __init__(self, sessions: sessionmaker[Session], oversight: Oversight, pseudonyms: Pseudonyms) -> None:
        self._sessions = sessions
        self._oversight = oversight
        self._pseudonyms = pseudonyms

    def of(self, session_id: str, entries: Iterable[LoggedAccess]) -> dict[int, Identity]:
        """By the entry's number, how its people are named in this session now."""
        found = [(one.seq, one.access) for one in entries if one.access is not None]
        wanted = select(Reveal.seq).where(
            Reveal.session_id == session_id,
            Reveal.seq.in_([seq for seq, _ in found]),
            Reveal.ends_at > self._oversight.now(),
        )
        with self._sessions() as session:
            revealed = set(session.scalars(wanted))
        return {seq: self._identity(access, seq in revealed) for seq, access in found}

    def reveal(
        self, actor: Actor, session_id: str, entries: Sequence[LoggedAccess], reason: str, *, request_id: str
    ) -> None:
        """Show in this session who acted and whose data it was in these entries.

        Raises:
            DisclosureUnavailable: the log cannot take the request, so nothing is shown.
        """
        about: dict[tuple[str | None, str | None], list[int]] = {}
        for one in entries:
            if one.access is not None:
                about.setdefault((one.access.subject, one.access.seal), []).append(one.seq)
        events = []
        for (subject, seal), seqs in about.items():
            details: dict[str, str | int] = {"entries": len(seqs), "entry": max(seqs)}
            event = self._oversight.event(actor, Action.IDENTITY_REVEAL, request_id, subject, details)
            events.append(replace(event, seal=seal, justification=reason))
        self._oversight.note(events)
        now = self._oversight.now()
        seqs = [seq for several in about.values() for seq in several]
        with self._sessions.begin() as session:
            again = (Reveal.session_id == session_id) & Reveal.seq.in_(seqs)
            session.execute(delete(Reveal).where((Reveal.ends_at <= now) | again))
            rows = [{"id": str(uuid.uuid4()), "session_id": session_id, "seq": seq} for seq in seqs]
            session.add_all([Reveal(**row, ends_at=now + LASTS) for row in rows])

    def is_revealed(self, session_id: str, logged: LoggedAccess) -> bool:
        """Whether this session sees who the people of this entry are."""
        return any(identity.is_revealed for identity in self.of(session_id, [logged]).values())

    def official(self, account: str, organisation: str | None) -> str:
        """An official's pseudonym, where no entry is at hand."""
        return self._pseudonyms.official(account, organisation)

    def _identity(self, access: Access, is_revealed: bool) -> Identity:
        official, person = access.official, access.subject
        if is_revealed:
            return Identity(access.official_name or official, person, True)
        return Identity(
            None if official is None else self._pseudonyms.official(official, access.organisation),
            None if person is None else self._pseudonyms.person(person),
            False,
        )
