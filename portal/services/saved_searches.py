"""Searches that an auditor keeps under a name, runs again, and shares with colleagues. Each act is an entry first.

A search may hold a person's code, so all of it is sealed; whoever it is shared with runs it, and is shown no code.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload, sessionmaker

from portal.domain.actions import Action
from portal.domain.actors import Actor, Role
from portal.domain.errors import NothingHere
from portal.models.saved_searches import SavedSearch, SearchShare
from portal.services.accounts import Accounts
from portal.services.exporting.criteria import criteria_of, criteria_text
from portal.services.oversight import Oversight, TrailSearch
from portal.services.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Kept:
    """One saved search as its reader sees it. `shared_with` are account ids and names, for its owner alone."""

    search_id: str
    name: str
    reason: str
    wanted: TrailSearch
    owner: str
    is_own: bool
    saved_at: datetime
    shared_with: tuple[tuple[str, str], ...]


class SavedSearches:
    """The table of saved searches. One opens for its owner and those it is shared with; its owner alone changes it."""

    def __init__(
        self, sessions: sessionmaker[Session], sealer: Sealer, accounts: Accounts, oversight: Oversight
    ) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._accounts = accounts
        self._oversight = oversight

    def save(self, actor: Actor, wanted: TrailSearch, name: str, reason: str, *, request_id: str) -> str:
        """Keep a search; gives its id. Raises DisclosureUnavailable."""
        search_id = str(uuid.uuid4())
        with self._sessions.begin() as session:
            row = SavedSearch(id=search_id, owner_id=actor.account_id, saved_at=self._oversight.now())
            row.sealed = self._sealed(search_id, name, reason, wanted)
            session.add(row)
            session.flush()
            self._oversight.record(actor, Action.SEARCH_SAVING, wanted, request_id=request_id, search=search_id)
        return search_id

    def overview(self, actor: Actor) -> list[Kept]:
        """The actor's own searches and those shared with them, the newest first."""
        shared = select(SearchShare.search_id).where(SearchShare.account_id == actor.account_id)
        wanted = select(SavedSearch).where(or_(SavedSearch.owner_id == actor.account_id, SavedSearch.id.in_(shared)))
        with self._sessions() as session:
            found = wanted.options(selectinload(SavedSearch.shares)).order_by(SavedSearch.saved_at.desc())
            rows = session.scalars(found).all()
            people = {share.account_id for row in rows for share in row.shares} | {row.owner_id for row in rows}
            names = self._accounts.names(people)
            return [self._kept(row, actor, names) for row in rows]

    def search(self, actor: Actor, search_id: str) -> Kept:
        """One search, to be run or looked at. Raises NothingHere where it is neither the actor's nor shared."""
        found = [kept for kept in self.overview(actor) if kept.search_id == search_id]
        if not found:
            raise NothingHere
        return found[0]

    def colleagues(self, actor: Actor) -> dict[str, str]:
        """With whom the actor may share: the other auditors, by name."""
        others = set(self._accounts.everywhere(Role.AUDITOR)) - {actor.account_id}
        return dict(sorted(self._accounts.names(others).items(), key=lambda pair: pair[1]))

    def rename(self, actor: Actor, search_id: str, name: str, *, request_id: str) -> None:
        """Raises NothingHere where the search is not the actor's own, DisclosureUnavailable."""
        with self._sessions.begin() as session:
            row, kept = self._own(session, actor, search_id)
            row.sealed = self._sealed(search_id, name, kept.reason, kept.wanted)
            self._note(actor, Action.SEARCH_RENAMING, kept, request_id)

    def delete(self, actor: Actor, search_id: str, *, request_id: str) -> None:
        """Delete it, for those it was shared with as well. Raises as `rename` does."""
        with self._sessions.begin() as session:
            row, kept = self._own(session, actor, search_id)
            session.delete(row)
            session.flush()
            self._note(actor, Action.SEARCH_DELETION, kept, request_id)

    def share(self, actor: Actor, search_id: str, colleague: str, *, request_id: str) -> None:
        """Let another auditor see and run it. Raises as `rename` does, and where `colleague` is no such account."""
        if colleague not in self.colleagues(actor):
            raise NothingHere
        with self._sessions.begin() as session:
            row, kept = self._own(session, actor, search_id)
            if any(share.account_id == colleague for share in row.shares):
                return
            row.shares.append(SearchShare(id=str(uuid.uuid4()), account_id=colleague, shared_at=self._oversight.now()))
            session.flush()
            self._note(actor, Action.SEARCH_SHARING, kept, request_id, colleague)

    def withdraw(self, actor: Actor, search_id: str, colleague: str, *, request_id: str) -> None:
        """Take it out of a colleague's list. Raises as `rename` does, and where it was not shared with them."""
        with self._sessions.begin() as session:
            row, kept = self._own(session, actor, search_id)
            shares = [share for share in row.shares if share.account_id == colleague]
            if not shares:
                raise NothingHere
            row.shares.remove(shares[0])
            session.flush()
            self._note(actor, Action.SEARCH_WITHDRAWAL, kept, request_id, colleague)

    def _own(self, session: Session, actor: Actor, search_id: str) -> tuple[SavedSearch, Kept]:
        row = session.get(SavedSearch, search_id, with_for_update=True)
        if row is None or row.owner_id != actor.account_id:
            raise NothingHere
        return row, self._kept(row, actor, {})

    def _note(self, actor: Actor, action: Action, kept: Kept, request_id: str, colleague: str | None = None) -> None:
        details = {"search": kept.search_id} | ({} if colleague is None else {"colleague": colleague})
        self._oversight.record(actor, action, kept.wanted, request_id=request_id, **details)

    def _sealed(self, search_id: str, name: str, reason: str, wanted: TrailSearch) -> bytes:
        said = {"name": name, "reason": reason, "criteria": criteria_text(wanted)}
        return self._sealer.seal(json.dumps(said), search_id)

    def _kept(self, row: SavedSearch, actor: Actor, names: Mapping[str, str]) -> Kept:
        said = json.loads(self._sealer.unseal(row.sealed, row.id))
        is_own = row.owner_id == actor.account_id
        return Kept(
            search_id=row.id,
            name=said["name"],
            reason=said["reason"],
            wanted=criteria_of(said["criteria"]),
            owner=names.get(row.owner_id, ""),
            is_own=is_own,
            saved_at=row.saved_at,
            shared_with=tuple((one.account_id, names.get(one.account_id, "")) for one in row.shares) if is_own else (),
        )
