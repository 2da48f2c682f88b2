"""An auditor's work on the trail. Looking at the trail is itself a look at people: each search is an entry."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from audit.entry import Access
from audit.errors import EntryNotFound
from audit.log import AuditLog, LoggedAccess, Precision, TrailQuery
from audit.receipt import Receipt
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.identifiers import InvalidPersonalCode, PersonalCode
from portal.domain.purposes import OVERSIGHT
from portal.registries.catalogue import Catalogue
from portal.services.clock import Clock
from portal.services.entries import record
from portal.services.sealing import References

PAGE_LENGTH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailSearch:
    """What the auditor looks for. Dates are days in the reader's zone, both included; None means "any".

    `field` names its registry too: `registry.field`.
    """

    organisation: str | None = None
    official: str | None = None
    role: str | None = None
    purpose: str | None = None
    registry: str | None = None
    field: str | None = None
    case: str | None = None
    action: str | None = None
    outcome: str | None = None
    automatic: bool | None = None
    break_glass: bool | None = None
    sealed: bool | None = None
    since: date | None = None
    until: date | None = None
    subject: PersonalCode | None = dataclasses.field(default=None, repr=False)

    @property
    def is_empty(self) -> bool:
        return self == TrailSearch()

    def digest(self) -> str:
        """SHA-256 of the criteria in canonical form: the entry shows what was searched without repeating a code."""
        criteria = {
            key: str(value) for key, value in asdict(replace(self, subject=None)).items() if value is not None
        } | ({"subject": self.subject.subject} if self.subject else {})
        return hashlib.sha256(json.dumps(criteria, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """One entry with the reference that opens it. `access` is None where the body was erased."""

    reference: str
    logged: LoggedAccess

    @property
    def access(self) -> Access | None:
        return self.logged.access


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of what was found, newest first, of `total` entries in all, as far as `precision` says."""

    entries: list[FoundEntry]
    total: int
    precision: Precision
    older: str | None
    #: What to ask for to have this very page again, whatever was added since.
    again: str | None


class Oversight:
    """Search the trail and open single entries; every call leaves an entry of its own."""

    def __init__(
        self, log: AuditLog, catalogue: Catalogue, references: References, clock: Clock, zone: ZoneInfo
    ) -> None:
        self._log = log
        self._catalogue = catalogue
        self._references = references
        self._clock = clock
        self._zone = zone

    def search(self, actor: Actor, wanted: TrailSearch, *, before: str | None = None, request_id: str) -> SearchPage:
        """Record the search, then read.

        Raises:
            NothingHere: `before` is no reference of this actor's.
            DisclosureUnavailable: the search could not be recorded, so nothing is shown.
        """
        last = None if before is None else self._references.entry(before, actor.account_id)
        self.record(actor, Action.TRAIL_SEARCH, wanted, request_id=request_id)
        query = self.query(wanted)
        page, total = self._log.search(query, before=last, limit=PAGE_LENGTH)
        older = page.next_before
        return SearchPage(
            [FoundEntry(self._references.to_entry(logged.seq, actor.account_id), logged) for logged in page.items],
            total.number,
            total.precision,
            None if older is None else self._references.to_entry(older, actor.account_id),
            None if not page.items else self._references.to_entry(page.items[0].seq + 1, actor.account_id),
        )

    def entry(self, actor: Actor, reference: str, *, request_id: str) -> FoundEntry:
        """One entry whole. It is a search for exactly this entry, and recorded as one, about the same person."""
        logged = self.shown(actor, reference)
        subject, seal = (logged.access.subject, logged.access.seal) if logged.access else (None, None)
        # The auditor's own look at a sealed entry stands under the same seal: it would betray the seal otherwise.
        event = self.event(actor, Action.TRAIL_SEARCH, request_id, subject, {"entry": logged.seq})
        record(self._log, [replace(event, seal=seal)])
        return FoundEntry(reference, logged)

    def note(self, events: Sequence[Access]) -> list[int]:
        """Make acts of oversight durable, all or none; gives their entries' numbers.

        Raises:
            DisclosureUnavailable: the log cannot take them, so the acts must not happen.
        """
        return [acknowledged.seq for acknowledged in record(self._log, events)]

    def shown(self, actor: Actor, reference: str) -> LoggedAccess:
        """The entry behind a reference that this actor was given. Raises NothingHere."""
        return self.numbered(self._references.entry(reference, actor.account_id))

    def numbered(self, seq: int) -> LoggedAccess:
        """The entry of this number. Raises NothingHere."""
        try:
            return self._log.entry(seq)
        except EntryNotFound:
            raise NothingHere from None

    @property
    def catalogue(self) -> Catalogue:
        return self._catalogue

    def official_of(self, actor: Actor, reference: str) -> str:
        """The account that acted in the entry behind a reference. Raises NothingHere, also where it was none."""
        access = self.shown(actor, reference).access
        if access is None or access.official is None:
            raise NothingHere
        return access.official

    def person_of(self, actor: Actor, reference: str) -> PersonalCode:
        """Whom the entry behind a reference is about. Raises NothingHere, also where it is about nobody."""
        access = self.shown(actor, reference).access
        if access is None or access.subject is None:
            raise NothingHere
        try:
            return PersonalCode.of_subject(access.subject)
        except InvalidPersonalCode:
            raise NothingHere from None

    def now(self) -> datetime:
        return self._clock()

    def day_of(self, moment: datetime) -> date:
        """The day where the portal is."""
        return moment.astimezone(self._zone).date()

    def looks_since(self, since: datetime) -> Iterator[LoggedAccess]:
        """Every opening of a record, or refused try, that the log took since then, oldest first, in constant memory."""
        return self._log.stream(TrailQuery(actions=frozenset({Action.READ}), automatic=False, since=since))

    def reference(self, actor: Actor, seq: int) -> str:
        return self._references.to_entry(seq, actor.account_id)

    def receipt(self, actor: Actor, reference: str, *, with_body: bool) -> Receipt:
        """The proof that one entry is in the log; without its body it names nobody, and proves as much."""
        try:
            receipt = self._log.receipt(self._references.entry(reference, actor.account_id))
            return receipt if with_body else Receipt(receipt.leaf, receipt.proof)
        except EntryNotFound:
            raise NothingHere from None

    def record(
        self,
        actor: Actor,
        action: Action,
        wanted: TrailSearch,
        *,
        request_id: str,
        reason: str | None = None,
        **details: str,
    ) -> int:
        """Make one act of oversight durable; gives the entry's number. `reason` is what the auditor wrote for it.

        Raises:
            DisclosureUnavailable: the log cannot take it, so the act must not happen.
        """
        subject = wanted.subject.subject if wanted.subject else None
        event = self.event(actor, action, request_id, subject, {"query-sha256": wanted.digest(), **details})
        return record(self._log, [replace(event, justification=reason)])[0].seq

    def query(self, wanted: TrailSearch) -> TrailQuery:
        registry, _, named = (wanted.field or "").partition(".")
        return TrailQuery(
            subject=wanted.subject.subject if wanted.subject else None,
            with_sealed=True,
            organisation=wanted.organisation,
            official=wanted.official,
            purpose=wanted.purpose,
            role=wanted.role,
            registry=wanted.registry or registry or None,
            field=named or None,
            case=wanted.case,
            actions=None if wanted.action is None else frozenset({wanted.action}),
            outcome=wanted.outcome,
            automatic=wanted.automatic,
            break_glass=wanted.break_glass,
            under_seal=wanted.sealed,
            since=None if wanted.since is None else self._start_of(wanted.since),
            until=None if wanted.until is None else self._start_of(wanted.until + timedelta(days=1)),
        )

    def _start_of(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self._zone)

    def event(
        self, actor: Actor, action: Action, request_id: str, subject: str | None, details: dict[str, str | int]
    ) -> Access:
        """An act of oversight as it stands in the log."""
        purpose = self._catalogue.purposes[OVERSIGHT]
        return Access(
            action=action,
            outcome=Outcome.DONE,
            source=PORTAL_SOURCE,
            occurred_at=self._clock(),
            subject=subject,
            organisation=actor.organisation,
            role=actor.role,
            official=actor.account_id,
            official_name=actor.name,
            purpose=purpose.code,
            lawful_basis=purpose.lawful_basis.en,
            request_id=request_id,
            details=details,
        )
