"""Who looked at my data: one person's part of the log, explained line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from audit.entry import Access
from audit.errors import EntryNotFound
from audit.log import AuditLog, LoggedAccess, TrailQuery
from audit.receipt import Receipt
from portal.domain.actions import (
    MANDATE_LOOKS,
    MANDATE_STEPS,
    NOTICES,
    OWN_DEEDS,
    OWN_LOOKS,
    OWN_STEPS,
    PORTAL_CHECKS,
    SESSION_EVENTS,
    Action,
    Outcome,
)
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.purposes import Organisation, Purpose
from portal.domain.text import LocalizedText
from portal.registries.catalogue import Catalogue, Field, Registry
from portal.services.clock import Clock
from portal.services.lifting import LiftsSeals
from portal.services.officials import OfficialNames
from portal.services.records import subject_of
from portal.services.sealing import References
from portal.services.understanding.digest import Digest, Digests
from portal.services.understanding.judgement import Judgement, judge
from portal.services.understanding.kinds import Kind, kind_of
from portal.services.understanding.pictures import Knowledge, Month, knowledge_of, months_of

PAGE_LENGTH = 25
#: How long a notice stays on the first page; in the history it stays for good.
NOTICE_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailFilter:
    """What the reader wants to see; `field` is one of `registry`'s. Dates are the reader's days, both included."""

    organisation: str | None = None
    purpose: str | None = None
    registry: str | None = None
    field: str | None = None
    case: str | None = None
    outcome: Outcome | None = None
    since: date | None = None
    until: date | None = None
    kind: Kind | None = None

    @property
    def is_empty(self) -> bool:
        return self == TrailFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealNote:
    """Why a look is shown only now: who ordered the seal, under which law, from when until when it lasted.

    `sealed_entry` is the number of the entry that was withheld. `first_end` differs from `until` where the seal was
    prolonged.
    """

    authority: Organisation | None
    lawful_basis: LocalizedText | None
    order: str
    since: datetime
    first_end: datetime
    until: datetime
    sealed_entry: int

    @property
    def was_prolonged(self) -> bool:
        return self.until > self.first_end


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailLine:
    """One entry as its data subject reads it. `official` follows the purpose's rule on naming officials.

    What a seal withheld is read from the entry that revealed it: `action` is then what was done under the seal, and
    `sealing` says why it comes so late.
    """

    reference: str
    seq: int
    occurred_at: datetime
    logged_at: datetime
    kind: Kind
    action: str
    outcome: str
    reason: str | None
    organisation: Organisation | None
    on_behalf_of: Organisation | None
    official: str | None
    role: str | None
    purpose: Purpose | None
    registry: Registry | None
    fields: tuple[Field, ...]
    case: str | None
    justification: str | None = field(repr=False)
    lawful_basis: str | None
    sealing: SealNote | None = None

    @property
    def was_refused(self) -> bool:
        return self.outcome == Outcome.DENIED


@dataclass(frozen=True, slots=True)
class TrailGroup:
    """Lines of one page that belong together, newest first: one organisation's in one case, else a single line."""

    lines: tuple[TrailLine, ...]

    @property
    def newest(self) -> TrailLine:
        return self.lines[0]

    @property
    def oldest(self) -> TrailLine:
        return self.lines[-1]

    @property
    def is_single(self) -> bool:
        return len(self.lines) == 1


@dataclass(frozen=True, slots=True)
class TrailPage:
    """A page of lines, newest first. `older` is the reference to pass for the next page, None on the last."""

    lines: list[TrailLine]
    older: str | None

    @property
    def groups(self) -> list[TrailGroup]:
        """The lines with the repeats of a case together, each group where its newest line stands.

        What a seal withheld stands alone: it is told late and with its own reasons.
        """
        together: dict[object, list[TrailLine]] = {}
        for line in self.lines:
            is_alone = line.case is None or line.sealing is not None or line.kind is Kind.OWN
            said = (line.organisation, line.purpose)
            place = line.seq if is_alone else (line.case, line.kind, *(one and one.code for one in said))
            together.setdefault(place, []).append(line)
        return [TrailGroup(tuple(lines)) for lines in together.values()]


@dataclass(frozen=True, slots=True)
class Choices:
    """What occurs in a person's history: what a filter can offer. `fields` are pairs of a registry and its field."""

    organisations: list[Organisation]
    purposes: list[Purpose]
    registries: list[Registry]
    fields: list[tuple[Registry, Field]]


class Trail:
    """A citizen's reading of the log. The subject is always the actor; no method takes another."""

    def __init__(
        self,
        log: AuditLog,
        catalogue: Catalogue,
        officials: OfficialNames,
        references: References,
        clock: Clock,
        zone: ZoneInfo,
        lifting: LiftsSeals,
    ) -> None:
        self._log = log
        self._catalogue = catalogue
        self._officials = officials
        self._references = references
        self._clock = clock
        self._zone = zone
        self._lifting = lifting
        self._digests = Digests(log, catalogue, zone)

    def history(
        self, actor: Actor, wanted: TrailFilter, *, before: str | None = None, length: int = PAGE_LENGTH
    ) -> TrailPage:
        """Raises NothingHere when `before` is no reference of this actor's."""
        self._lifting.lift_due()
        last = None if before is None else self._references.entry(before, actor.account_id)
        page = self._log.read(self._query(actor, wanted), before=last, limit=length)
        older = page.next_before
        return TrailPage(
            [self._line(actor, logged, logged.access) for logged in page.items if logged.access is not None],
            None if older is None else self._references.to_entry(older, actor.account_id),
        )

    def everything(self, actor: Actor, *, size: int) -> Iterator[TrailLine]:
        """All lines about the actor below tree size `size`, own looks and checks too: oldest first, in constant memory.

        What seals withhold is not among them; whoever wants to tell of seals that are over lifts them first.
        """
        for logged in self._log.stream(TrailQuery(subject=subject_of(actor).subject), size=size):
            if logged.access is not None:
                yield self._line(actor, logged, logged.access)

    def line(self, actor: Actor, reference: str) -> TrailLine:
        """Raises NothingHere when the entry does not exist, is erased, or is about somebody else."""
        logged, access = self._own_entry(actor, reference)
        return self._line(actor, logged, access)

    def reference(self, actor: Actor, seq: int) -> str:
        """What stands for an entry towards this person. Whether the entry is theirs is asked when it is used."""
        return self._references.to_entry(seq, actor.account_id)

    def receipt(self, actor: Actor, reference: str) -> Receipt:
        """The proof that this entry is in the log. Raises NothingHere as `line` does."""
        logged, _ = self._own_entry(actor, reference)
        return self._log.receipt(logged.seq, for_subject=True)

    def sealed_receipt(self, actor: Actor, reference: str) -> Receipt:
        """The proof that what this entry reveals was in the log all along. Raises NothingHere if it reveals nothing."""
        _, access = self._own_entry(actor, reference)
        if access.action != Action.SEAL_REVEAL:
            raise NothingHere
        return self._log.receipt(int(access.details["refers-to"]), for_subject=True)

    def notices(self, actor: Actor) -> list[TrailLine]:
        """What the log tells this person of its own accord: misuse of their data that was confirmed lately."""
        since = self._clock() - timedelta(days=NOTICE_DAYS)
        query = TrailQuery(subject=subject_of(actor).subject, actions=NOTICES, since=since)
        page = self._log.read(query, limit=PAGE_LENGTH)
        return [self._line(actor, logged, logged.access) for logged in page.items if logged.access is not None]

    def judgement(self, actor: Actor) -> Judgement:
        """How often others looked lately, and whether anything about it was unusual. Opens no entry."""
        self._lifting.lift_due()
        return judge(self._digest(actor), self._catalogue.purposes, self._today())

    def by_month(self, actor: Actor) -> list[Month]:
        """Looks by others in each of the last twelve months, oldest first."""
        return months_of(self._digest(actor), self._today())

    def knowledge(self, actor: Actor) -> list[Knowledge]:
        """Which organisation received which of the actor's fields, and when last."""
        self._lifting.lift_due()
        return knowledge_of(self._digest(actor), self._catalogue)

    def choices(self, actor: Actor) -> Choices:
        """What occurs in the actor's history, in the catalogue's order."""
        digest, known = self._digest(actor), self._catalogue
        organisations = digest.codes(lambda shared: shared.organisation)
        purposes = digest.codes(lambda shared: shared.purpose)
        fields: dict[str, set[str]] = {}
        for one in digest.seen:
            if one.shared.registry is not None:
                fields.setdefault(one.shared.registry, set()).update(one.shared.fields)
        registries = [registry for code, registry in known.registries.items() if code in fields]
        return Choices(
            [body for code, body in known.organisations.items() if code in organisations],
            [purpose for code, purpose in known.purposes.items() if code in purposes],
            registries,
            [(of, field) for of in registries for code, field in of.fields.items() if code in fields[of.code]],
        )

    def _digest(self, actor: Actor) -> Digest:
        return self._digests.of(subject_of(actor).subject)

    def _today(self) -> date:
        return self._clock().astimezone(self._zone).date()

    def _own_entry(self, actor: Actor, reference: str) -> tuple[LoggedAccess, Access]:
        seq = self._references.entry(reference, actor.account_id)
        try:
            logged = self._log.entry(seq)
        except EntryNotFound:
            raise NothingHere from None
        if logged.access is None or logged.access.subject != subject_of(actor).subject or logged.access.seal:
            raise NothingHere
        return logged, logged.access

    def _query(self, actor: Actor, wanted: TrailFilter) -> TrailQuery:
        # Own looks stand apart, and so do the portal's checks: when asked for, so that they never bury a stranger's.
        apart = {
            Kind.OWN: frozenset[str](OWN_LOOKS | OWN_STEPS | OWN_DEEDS | SESSION_EVENTS),
            Kind.CHECK: frozenset[str](PORTAL_CHECKS),
        }
        mandates = frozenset[str](MANDATE_LOOKS | MANDATE_STEPS)
        only = None if wanted.kind is None else (apart | {Kind.MANDATE: mandates}).get(wanted.kind)
        others = frozenset[str]() if wanted.kind is None else mandates
        return TrailQuery(
            subject=subject_of(actor).subject,
            actions=only,
            exclude_actions=frozenset() if only else apart[Kind.OWN] | apart[Kind.CHECK] | others,
            automatic=None if only or wanted.kind is None else wanted.kind is Kind.AUTOMATIC,
            organisation=wanted.organisation,
            purpose=wanted.purpose,
            registry=wanted.registry,
            field=wanted.field,
            case=wanted.case,
            outcome=wanted.outcome,
            since=None if wanted.since is None else self._start_of(wanted.since),
            until=None if wanted.until is None else self._start_of(wanted.until + timedelta(days=1)),
        )

    def _start_of(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self._zone)

    def _line(self, actor: Actor, logged: LoggedAccess, access: Access) -> TrailLine:
        registry = self._catalogue.registries.get(access.registry or "")
        purpose = self._catalogue.purposes.get(access.purpose or "")
        return TrailLine(
            reference=self._references.to_entry(logged.seq, actor.account_id),
            seq=logged.seq,
            occurred_at=access.occurred_at,
            logged_at=logged.logged_at,
            kind=kind_of(access.action, automatic=access.automatic, by_official=access.official is not None),
            action=str(access.details["revealed-action"]) if access.action == Action.SEAL_REVEAL else access.action,
            outcome=access.outcome,
            reason=access.reason,
            organisation=self._catalogue.organisations.get(access.organisation or ""),
            on_behalf_of=self._catalogue.organisations.get(access.on_behalf_of or ""),
            official=self._officials.shown(access, purpose),
            role=access.role,
            purpose=purpose,
            registry=registry,
            fields=()
            if registry is None
            else tuple(registry.fields[code] for code in access.fields if code in registry.fields),
            case=access.case,
            justification=access.justification,
            lawful_basis=access.lawful_basis,
            sealing=self._seal_note(access, purpose) if access.action == Action.SEAL_REVEAL else None,
        )

    def _seal_note(self, access: Access, purpose: Purpose | None) -> SealNote:
        details = {name: str(value) for name, value in access.details.items()}
        return SealNote(
            authority=self._catalogue.organisations.get(details["authority"]),
            lawful_basis=None if purpose is None or purpose.sealing is None else purpose.sealing.lawful_basis,
            order=details["order"],
            since=datetime.fromisoformat(details["sealed-from"]),
            first_end=datetime.fromisoformat(details["first-end"]),
            until=datetime.fromisoformat(details["sealed-until"]),
            sealed_entry=int(access.details["refers-to"]),
        )
