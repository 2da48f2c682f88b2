"""What a person's whole history amounts to, without reading it anew at each visit.

A digest holds counts by kind of access and by hour. It is brought up to date by what the log took since, so that a page
costs the same at fifty thousand entries as at fifty. It lives in this process alone and is never stored: it tells how
often who looked, and can always be counted again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from zoneinfo import ZoneInfo

from audit.log import AuditLog
from audit.tally import Count, Shared
from portal.domain.actions import NOTICES, Outcome
from portal.registries.catalogue import Catalogue
from portal.services.understanding.kinds import Kind, kind_of

#: So many people's digests are kept; whoever comes again after others pays for one counting.
KEPT = 64
_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Seen:
    """Entries of one kind in one hour. `at` is the hour's beginning where the reader lives, `newest` a number."""

    shared: Shared
    kind: Kind
    at: datetime
    has_case: bool
    number: int
    newest: int

    @property
    def is_look(self) -> bool:
        """Somebody else was shown something."""
        return self.shared.outcome == Outcome.RELEASED and self.kind in (Kind.HUMAN, Kind.AUTOMATIC)

    @property
    def is_refusal(self) -> bool:
        """Somebody else wanted to be shown something, and was not."""
        return self.shared.outcome == Outcome.DENIED and self.kind in (Kind.HUMAN, Kind.AUTOMATIC)

    @property
    def is_notice(self) -> bool:
        return self.shared.action in NOTICES


@dataclass(frozen=True, slots=True)
class Digest:
    """One person's history in counts."""

    seen: tuple[Seen, ...]

    def since(self, day: date) -> Iterator[Seen]:
        return (one for one in self.seen if one.at.date() >= day)

    def codes(self, of: Callable[[Shared], str | None]) -> set[str]:
        """The organisations, purposes or registries that occur."""
        return {code for one in self.seen if (code := of(one.shared)) is not None}


@dataclass(slots=True)
class _Kept:
    counts: dict[tuple[int, int, bool], Count]
    newest: int
    erasures: int | None


class Digests:
    """The digests that this process keeps. Any number of threads may ask."""

    def __init__(self, log: AuditLog, catalogue: Catalogue, zone: ZoneInfo) -> None:
        self._log = log
        self._zone = zone
        self._fields = sorted({code for registry in catalogue.registries.values() for code in registry.fields})
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._shared: dict[int, Shared] = {}
        self._lock = Lock()

    def of(self, subject: str) -> Digest:
        with self._lock:
            kept = self._up_to_date(subject)
            counts = list(kept.counts.values())
            unknown = {count.kind for count in counts} - self._shared.keys()
            if unknown:
                self._shared |= self._log.shared(unknown, self._fields)
            return Digest(tuple(self._seen(count) for count in counts))

    def _up_to_date(self, subject: str) -> _Kept:
        """What is kept is void once anything was erased: no count may outlive what it counts (GDPR Article 17)."""
        kept = self._kept.pop(subject, None) or _Kept({}, -1, None)
        tally = self._log.tally(subject, after=kept.newest)
        if kept.newest >= 0 and tally.erasures != kept.erasures:
            kept = _Kept({}, -1, None)
            tally = self._log.tally(subject)
        kept.erasures = tally.erasures
        for count in tally.counts:
            place = (count.kind, count.hour, count.has_case)
            earlier = kept.counts.get(place)
            kept.counts[place] = count if earlier is None else count._replace(number=count.number + earlier.number)
            kept.newest = max(kept.newest, count.newest)
        self._kept[subject] = kept
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return kept

    def _seen(self, count: Count) -> Seen:
        shared = self._shared[count.kind]
        at = (_EPOCH + count.hour * _HOUR).astimezone(self._zone)
        kind = kind_of(shared.action, automatic=shared.automatic, by_official=shared.organisation is not None)
        return Seen(shared, kind, at, count.has_case, count.number, count.newest)
