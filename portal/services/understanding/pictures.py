"""What is drawn: the looks of each month by who looked, and which organisation received which fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from portal.domain.purposes import Organisation
from portal.registries.catalogue import Catalogue, Field, Registry
from portal.services.understanding.digest import Digest
from portal.services.understanding.kinds import Kind

CHART_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Month:
    """Looks by others in one month, which is named by its first day."""

    first: date
    by_people: int
    by_systems: int

    @property
    def looks(self) -> int:
        return self.by_people + self.by_systems


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Which fields of one registry were given to whom, and on which day last. Most fields first."""

    registry: Registry
    fields: tuple[Field, ...]
    receivers: tuple[tuple[Organisation, Mapping[str, date]], ...]

    @property
    def given(self) -> frozenset[str]:
        """The codes of the fields that anybody received."""
        return frozenset().union(*(last.keys() for _, last in self.receivers))


def months_of(digest: Digest, today: date) -> list[Month]:
    """The last twelve months, oldest first."""
    firsts = [_month_before(today, back) for back in reversed(range(CHART_MONTHS))]
    counts = {(first, kind): 0 for first in firsts for kind in (Kind.HUMAN, Kind.AUTOMATIC)}
    for one in digest.seen:
        place = (one.at.date().replace(day=1), one.kind)
        if one.is_look and place in counts:
            counts[place] += one.number
    return [Month(first, counts[first, Kind.HUMAN], counts[first, Kind.AUTOMATIC]) for first in firsts]


def knowledge_of(digest: Digest, catalogue: Catalogue) -> list[Knowledge]:
    """For each registry that gave anything to others, as far as the catalogue still has the body and the field."""
    given: dict[str, dict[str, dict[str, date]]] = {}
    for one in digest.seen:
        registry, organisation = one.shared.registry, one.shared.organisation
        if not one.is_look or registry is None or organisation is None:
            continue
        if organisation not in catalogue.organisations:
            continue
        last = given.setdefault(registry, {}).setdefault(organisation, {})
        for code in one.shared.fields:
            last[code] = max(one.at.date(), last.get(code, date.min))
    return [
        _knowledge(registry, given[code], catalogue)
        for code, registry in catalogue.registries.items()
        if any(given.get(code, {}).values())
    ]


def _knowledge(registry: Registry, given: Mapping[str, Mapping[str, date]], catalogue: Catalogue) -> Knowledge:
    ranked = sorted(given.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return Knowledge(
        registry,
        tuple(registry.fields.values()),
        tuple((catalogue.organisations[code], fields) for code, fields in ranked if fields),
    )


def _month_before(day: date, months: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(years, month + 1, 1)
