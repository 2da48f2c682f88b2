"""What an official opened and asked for before: their own page of it, and their own last reasons."""

from __future__ import annotations

from dataclasses import dataclass

from audit.log import AuditLog, LoggedAccess, TrailQuery
from portal.domain.actions import Action, Outcome
from portal.domain.actors import Actor
from portal.domain.identifiers import PersonalCode
from portal.services.justification import is_the_same_reason
from portal.services.sealing import References

PAGE_LENGTH = 50
#: How many of an official's last reasons a new one is held against.
REASONS_REMEMBERED = 30


@dataclass(frozen=True, slots=True)
class CaseworkPage:
    """A page of an official's own requests, newest first. `older` is the reference to pass for the next page."""

    items: list[LoggedAccess]
    older: str | None


class PastLooks:
    """Reads the log for the official themselves."""

    def __init__(self, log: AuditLog, references: References) -> None:
        self._log = log
        self._references = references

    def history(self, actor: Actor, *, before: str | None = None) -> CaseworkPage:
        """The actor's own openings and refusals. Raises NothingHere when `before` is no reference of this actor's."""
        last = None if before is None else self._references.entry(before, actor.account_id)
        query = TrailQuery(official=actor.account_id, actions=frozenset({Action.READ}))
        page = self._log.read(query, before=last, limit=PAGE_LENGTH)
        older = page.next_before
        return CaseworkPage(page.items, None if older is None else self._references.to_entry(older, actor.account_id))

    def gave_reason_for_another(self, actor: Actor, reason: str, subject: PersonalCode, case: str | None) -> bool:
        """Whether the actor gave this very reason lately for another person outside this case."""
        query = TrailQuery(official=actor.account_id, actions=frozenset({Action.READ}), outcome=Outcome.RELEASED)
        for logged in self._log.read(query, limit=REASONS_REMEMBERED).items:
            access = logged.access
            if access is None or access.justification is None or access.subject == subject.subject:
                continue
            same_case = case is not None and access.case == case
            if not same_case and is_the_same_reason(access.justification, reason):
                return True
        return False
