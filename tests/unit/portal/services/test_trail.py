"""A person reads their own part of the log, and nobody else's."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from audit.entry import Access
from audit.verify import verify_receipt
from portal.domain.errors import NothingHere
from portal.services.trail import TrailFilter
from portal.services.understanding.kinds import Kind
from tests.factories.houses import FakeHouse
from tests.factories.logs import an_access
from tests.factories.people import JUHAN, MARY, a_citizen


def a_look(**changes: object) -> Access:
    values: dict[str, object] = {
        "subject": MARY.subject,
        "organisation": "social-insurance-board",
        "purpose": "benefit-claim",
    }
    return an_access(**values | changes)


@pytest.fixture
def filled(house: FakeHouse) -> FakeHouse:
    """Looks of every kind at Mary's data, and noise about Juhan."""
    house.log.append_all(
        [
            a_look(),
            a_look(organisation="police", purpose="criminal-proceedings", official="official-2"),
            a_look(action="automated-read", automatic=True, organisation="insurance-fund", official=None,
                   purpose="monthly-insurance-check"),
            a_look(action="own-read", organisation=None, official=None, purpose="own-look"),
            a_look(action="sign-in", organisation=None, official=None, purpose=None, registry=None),
            a_look(outcome="denied", reason="own-record", fields=()),
            *[a_look(subject=JUHAN.subject) for _ in range(40)],
        ]
    )  # fmt: skip
    return house


def _shown(house: FakeHouse, **criteria: object) -> list[int]:
    page = house.trail.history(a_citizen(), TrailFilter(**criteria))  # type: ignore[arg-type]
    return [line.seq for line in page.lines]


def test_own_looks_stand_apart_so_that_they_never_bury_a_strangers(filled: FakeHouse) -> None:
    assert _shown(filled) == [5, 2, 1, 0]
    assert _shown(filled, kind=Kind.OWN) == [4, 3]


def test_each_filter_narrows_to_its_lines(filled: FakeHouse) -> None:
    assert _shown(filled, kind=Kind.AUTOMATIC) == [2]
    assert _shown(filled, kind=Kind.HUMAN) == [5, 1, 0]
    assert _shown(filled, organisation="police") == [1]
    assert _shown(filled, purpose="benefit-claim") == [5, 0]
    assert _shown(filled, since=date(2026, 3, 2), until=date(2026, 3, 2)) == [5, 2, 1, 0]
    assert _shown(filled, until=date(2026, 3, 1)) == []
    assert _shown(filled, since=date(2026, 3, 3)) == []


def test_a_day_is_a_day_where_the_reader_lives(house: FakeHouse) -> None:
    house.clock.now = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)  # half past midnight of 2 March in Tallinn
    house.log.append(a_look())
    assert _shown(house, since=date(2026, 3, 2), until=date(2026, 3, 2)) == [0]
    assert _shown(house, until=date(2026, 3, 1)) == []


def test_officials_are_named_as_the_purpose_says(filled: FakeHouse) -> None:
    lines = {line.seq: line for line in filled.trail.history(a_citizen(), TrailFilter()).lines}
    assert lines[0].official == "Mari Maasikas"
    assert lines[1].official is None
    assert lines[2].official is None


def test_a_pseudonym_is_stable_within_an_organisation_and_tells_nothing(house: FakeHouse) -> None:
    for official, organisation in (("a", "tax-board"), ("a", "tax-board"), ("b", "tax-board"), ("a", "claimcheck")):
        house.log.append(a_look(purpose="household-check", organisation=organisation, official=official))
    names = [line.official for line in house.trail.history(a_citizen(), TrailFilter()).lines]
    assert names[2] == names[3]
    assert len(set(names)) == 3
    assert all(name is not None and len(name) == 6 for name in names)


def test_pages_follow_references_that_are_of_no_use_to_others(house: FakeHouse) -> None:
    house.log.append_all([a_look() for _ in range(30)])
    first = house.trail.history(a_citizen(), TrailFilter())
    assert first.older is not None
    second = house.trail.history(a_citizen(), TrailFilter(), before=first.older)
    assert [line.seq for line in (*first.lines, *second.lines)] == list(range(29, -1, -1))
    assert second.older is None
    with pytest.raises(NothingHere):
        house.trail.history(a_citizen(JUHAN, "another"), TrailFilter(), before=first.older)


def test_a_line_opens_for_its_subject_alone_and_absent_looks_like_forbidden(filled: FakeHouse) -> None:
    mine = filled.trail.history(a_citizen(), TrailFilter()).lines[0]
    assert filled.trail.line(a_citizen(), mine.reference).seq == mine.seq
    juhan = a_citizen(JUHAN, "account-juhan")
    theirs = filled.trail.history(juhan, TrailFilter()).lines[0]
    references = filled.trail._references
    beyond = references.to_entry(10_000, "account-citizen")
    of_another = references.to_entry(theirs.seq, "account-citizen")
    for reference in (theirs.reference, beyond, of_another, "nonsense", ""):
        for read in (filled.trail.line, filled.trail.receipt):
            with pytest.raises(NothingHere):
                read(a_citizen(), reference)


def test_the_receipt_of_a_line_verifies_and_counts_the_subjects_entries(filled: FakeHouse) -> None:
    line = filled.trail.history(a_citizen(), TrailFilter()).lines[0]
    verdict = verify_receipt(filled.trail.receipt(a_citizen(), line.reference).text, [filled.home.verifier])
    assert (verdict.index, verdict.is_own_label, verdict.label_count) == (5, True, 6)


def test_the_judgement_counts_what_others_were_shown_lately(filled: FakeHouse) -> None:
    judgement = filled.trail.judgement(a_citizen())
    assert judgement.looks == 3
    assert dict(judgement.organisations) == {"social-insurance-board": 1, "police": 1, "insurance-fund": 1}


def test_the_chart_has_twelve_months_and_tells_people_from_systems(filled: FakeHouse) -> None:
    months = filled.trail.by_month(a_citizen())
    assert months[0].first == date(2025, 4, 1)
    assert (months[-1].first, months[-1].by_people, months[-1].by_systems) == (date(2026, 3, 1), 2, 1)
    assert len(months) == 12


def test_filters_offer_what_occurs_in_the_persons_own_history(filled: FakeHouse) -> None:
    offered = filled.trail.choices(a_citizen())
    assert "police" in {organisation.code for organisation in offered.organisations}
    assert "land-transaction" not in {purpose.code for purpose in offered.purposes}
    assert ("population", "address") in {(registry.code, field.code) for registry, field in offered.fields}


def test_a_body_that_the_catalogue_no_longer_has_is_counted_and_breaks_nothing(house: FakeHouse) -> None:
    house.log.append(an_access(subject=MARY.subject, organisation="abolished-board"))
    judgement = house.trail.judgement(a_citizen(MARY))
    assert (judgement.looks, judgement.organisations) == (1, (("abolished-board", 1),))
    assert house.trail.knowledge(a_citizen(MARY)) == []
