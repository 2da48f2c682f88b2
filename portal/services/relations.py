"""What ties people to each other, asked of the registries through the gate for the purpose of finding misuse.

Each question is a look of its own at the person asked about, by a system, and stands in their history: whoever guards
the guards is seen as well. So questions are put only about looks that nothing explains, and only a few in a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.identifiers import PersonalCode
from portal.domain.purposes import MISUSE_DETECTION
from portal.registries.catalogue import Catalogue
from portal.registries.description import EVERYTHING
from portal.registries.records import Record
from portal.services.disclosure import Disclosure, Gate, Grant
from portal.services.policy import Policy
from portal.services.unusual.facts import Person

_EARLIEST_YEAR = 1900


class Relations:
    """Asks the registries who people are to each other. Nobody sees the answers; rules compare them."""

    def __init__(self, policy: Policy, gate: Gate, catalogue: Catalogue) -> None:
        self._policy = policy
        self._gate = gate
        #: The marks of public figures: values of a field that guard everything about a person.
        self._figures = frozenset(
            (code, value)
            for registry in catalogue.registries.values()
            for code, field in registry.fields.items()
            for value, guarded in field.guards.items()
            if EVERYTHING in guarded
        )

    def people(
        self, actor: Actor, codes: Iterable[PersonalCode], today: date, *, request_id: str
    ) -> Mapping[str, Person]:
        """What the registries know of these people, by subject. A registry that is silent leaves its part out.

        Raises:
            DisclosureUnavailable: a question could not be recorded, so it was not asked.
        """
        purpose = self._policy.purpose(MISUSE_DETECTION)
        if purpose is None:  # a country whose law has no such purpose: the rules do without people's ties
            return {}
        found = {}
        for code in codes:
            grants = [
                Grant(
                    actor=actor,
                    action=Action.RELATION_CHECK,
                    subject=code,
                    registry=registry,
                    fields=self._policy.decide_for_system(actor.organisation or "", purpose, registry).codes,
                    purpose=purpose.code,
                    lawful_basis=purpose.lawful_basis.en,
                    request_id=request_id,
                    is_automatic=True,
                )
                for registry in purpose.permits
            ]
            found[code.subject] = self._person(self._gate.disclose([one for one in grants if one.fields]), today)
        return found

    def _person(self, answers: Iterable[Disclosure], today: date) -> Person:
        records = [record for answer in answers for record in answer.records or ()]
        marks = {(code, _text(record, code)) for record in records for code in record.fields}
        return replace(_person(records, today), is_public_figure=bool(marks & self._figures))


def _person(records: Sequence[Record], today: date) -> Person:
    homes = [record for record in records if _text(record, "address")]
    now = [_home(record) for record in homes if not _is_over(record, "lived-there-until", today)]
    employers = [
        _text(record, "employer-code") for record in records if not _is_over(record, "employed-until", today)
    ]  # fmt: skip
    home = next(iter(now), None)
    return Person(
        surname=next((name for record in records if (name := _text(record, "family-name"))), None),
        born=next((day for record in records if (day := _day(record, "date-of-birth"))), None),
        address=home,
        household=home,
        former_households=frozenset(year for record in homes for year in _years(record, today)),
        relatives=frozenset(f"EE{code.removeprefix('EE')}" for one in records if (code := _text(one, "relative-code"))),
        employer=next((code for code in employers if code), None),
        place=None if home is None else next((place for one in records if (place := _place(one, home))), None),
    )


def _place(record: Record, home: str) -> tuple[float, float] | None:
    """Where on the map a property lies if it is the home; the land register writes both parts of an address in one."""
    address, east, north = (_text(record, code) for code in ("property-address", "map-east", "map-north"))
    street, _, municipality = home.partition("\n")
    if address is None or east is None or north is None:
        return None
    is_home = address.casefold() in {street.casefold(), f"{street}, {municipality}".casefold()}
    return (float(east), float(north)) if is_home else None


def _home(record: Record) -> str:
    return f"{_text(record, 'address')}\n{_text(record, 'municipality') or ''}"


def _years(record: Record, today: date) -> Iterable[str]:
    """The home in each calendar year in which somebody lived there: two people met there if they share one of them.

    Without a first day it is not known since when, and nothing is said of any year.
    """
    first, last = _day(record, "lived-there-from"), _day(record, "lived-there-until") or today
    if first is None:
        return ()
    return [f"{_home(record)}\n{year}" for year in range(max(first.year, _EARLIEST_YEAR), last.year + 1)]


def _is_over(record: Record, ended: str, today: date) -> bool:
    last = _day(record, ended)
    return last is not None and last < today


def _text(record: Record, code: str) -> str | None:
    value = record.fields[code].value if code in record.fields else None
    return str(value) if value else None


def _day(record: Record, code: str) -> date | None:
    value = record.fields[code].value if code in record.fields else None
    return value if isinstance(value, date) else None
