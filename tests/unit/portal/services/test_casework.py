"""A caseworker opens a record only for a stated purpose, a case and a reason; every refusal is an entry."""

from __future__ import annotations

from typing import Any

import pytest

from audit.log import TrailQuery
from portal.domain.actions import Action, Reason
from portal.domain.errors import AccessDenied, NothingHere
from portal.services.casework import JustificationRefused
from portal.services.circumstances import Opening
from portal.services.justification import Weakness
from portal.services.trail import TrailFilter
from tests.factories.houses import FakeHouse
from tests.factories.people import JUHAN, KADRI, MARY, a_caseworker, a_citizen

REASON = "Deciding the housing benefit claim received on 3 March"


def an_opening(**changes: Any) -> Opening:
    values: dict[str, Any] = {"subject": MARY, "purpose": "benefit-claim", "case": "C-1", "justification": REASON}
    return Opening(**values | changes)


def _denials(house: FakeHouse) -> list[Any]:
    return [item.access for item in house.log.read(TrailQuery(outcome="denied")).items]


def _was_asked(house: FakeHouse) -> bool:
    return any(registry.asked for registry in house.registries.values())


def test_the_record_shows_the_fields_that_the_purpose_permits_and_names_those_withheld(house: FakeHouse) -> None:
    house.registries["population"].holds(MARY, **{"given-names": "Mari", "citizenship": "EE", "relation": "mother"})
    opened = house.casework.open_record(a_caseworker(), an_opening(), request_id="r1")
    permitted = set(house.catalogue.purposes["benefit-claim"].permits["population"])
    population = next(part for part in opened.registries if part.registry.code == "population")
    assert population.records is not None
    assert {code for record in population.records for code in record.fields} <= permitted
    assert {field.code for field in population.withheld} == set(population.registry.fields) - permitted
    assert house.log.entry(population.entry).access.justification == REASON  # type: ignore[union-attr]


def test_every_registry_of_the_purpose_is_an_entry_of_its_own(house: FakeHouse) -> None:
    opened = house.casework.open_record(a_caseworker(), an_opening(), request_id="r1")
    assert [part.registry.code for part in opened.registries] == ["population", "tax-benefits", "employment"]
    assert house.log.count(TrailQuery(actions=frozenset({Action.READ}))) == 3


def test_only_the_registries_asked_for_are_opened(house: FakeHouse) -> None:
    house.casework.open_record(a_caseworker(), an_opening(registries=("employment",)), request_id="r1")
    looks = house.log.read(TrailQuery(actions=frozenset({Action.READ}))).items
    assert {logged.access.registry for logged in looks if logged.access} == {"employment"}
    # The population register was asked about family ties and addresses alone, to compare them.
    checked = set(house.catalogue.purposes["conflict-check"].permits["population"])
    assert {field for fields in house.registries["population"].asked for field in fields} == checked


@pytest.mark.parametrize("justification", ["", "x", "asdf", "check", "work needed for case", "1" * 2000])
def test_a_thoughtless_reason_opens_nothing_and_is_logged(house: FakeHouse, justification: str) -> None:
    with pytest.raises(JustificationRefused):
        house.casework.open_record(a_caseworker(), an_opening(justification=justification), request_id="r1")
    assert not _was_asked(house)
    denials = _denials(house)
    assert len(denials) == 3
    assert all(denial.reason == Reason.JUSTIFICATION and denial.fields == () for denial in denials)
    assert all(len(denial.justification or "") <= 200 for denial in denials)


def test_a_reason_that_names_a_personal_code_is_refused_and_the_code_is_not_kept(house: FakeHouse) -> None:
    justification = f"Checking the household of {JUHAN.reveal()} for the claim"
    with pytest.raises(JustificationRefused) as refused:
        house.casework.open_record(a_caseworker(), an_opening(justification=justification), request_id="r1")
    assert refused.value.weakness is Weakness.NAMES_A_PERSONAL_CODE
    assert all(denial.justification is None for denial in _denials(house))


def test_a_reason_pasted_again_for_another_person_is_refused(house: FakeHouse) -> None:
    house.casework.open_record(a_caseworker(), an_opening(), request_id="r1")
    pasted = an_opening(subject=JUHAN, case="C-2", justification=f"  {REASON.upper()}!")
    with pytest.raises(JustificationRefused) as refused:
        house.casework.open_record(a_caseworker(), pasted, request_id="r2")
    assert refused.value.weakness is Weakness.REPEATED
    assert {denial.reason for denial in _denials(house)} == {Reason.JUSTIFICATION_REPEATED}


def test_the_same_reason_serves_the_same_person_and_the_same_case(house: FakeHouse) -> None:
    house.casework.open_record(a_caseworker(), an_opening(), request_id="r1")
    house.casework.open_record(a_caseworker(), an_opening(), request_id="r2")
    house.casework.open_record(a_caseworker(), an_opening(subject=JUHAN), request_id="r3")
    assert _denials(house) == []


def test_another_officials_reason_may_be_alike(house: FakeHouse) -> None:
    house.casework.open_record(a_caseworker(account_id="one"), an_opening(), request_id="r1")
    another = an_opening(subject=JUHAN, case="C-2")
    house.casework.open_record(a_caseworker(account_id="two", code=None), another, request_id="r2")
    assert _denials(house) == []


@pytest.mark.parametrize(
    ("opening", "actor", "reason"),
    [
        (an_opening(subject=KADRI), a_caseworker(code=KADRI), Reason.OWN_RECORD),
        (an_opening(purpose="tax-audit"), a_caseworker(), Reason.ORGANISATION),
        (an_opening(), a_citizen(), Reason.ROLE),
        (an_opening(purpose="monthly-insurance-check"), a_caseworker("insurance-fund"), Reason.ROLE),
        (an_opening(registries=("vehicles",)), a_caseworker(), Reason.REGISTRY),
        (an_opening(registries=("population", "vehicles")), a_caseworker(), Reason.REGISTRY),
        (an_opening(case=None), a_caseworker(), Reason.CASE_MISSING),
        (an_opening(case=""), a_caseworker(), Reason.CASE_MISSING),
    ],
)
def test_a_denied_request_is_logged_and_discloses_nothing(
    house: FakeHouse, opening: Opening, actor: Any, reason: Reason
) -> None:
    with pytest.raises(AccessDenied) as denied:
        house.casework.open_record(actor, opening, request_id="r1")
    assert denied.value.reason is reason
    assert not _was_asked(house)
    denials = _denials(house)
    assert denials
    assert {(denial.reason, denial.subject) for denial in denials} == {(reason, opening.subject.subject)}


@pytest.mark.parametrize("changes", [{"purpose": "curiosity"}, {"registries": ("secrets",)}])
def test_what_does_not_exist_is_not_here(house: FakeHouse, changes: dict[str, Any]) -> None:
    with pytest.raises(NothingHere):
        house.casework.open_record(a_caseworker(), an_opening(**changes), request_id="r1")
    assert not _was_asked(house)


def test_a_registry_that_is_down_does_not_hide_the_others(house: FakeHouse) -> None:
    house.registries["employment"].is_down = True
    house.registries["population"].holds(MARY, **{"given-names": "Mari"})
    opened = house.casework.open_record(a_caseworker(), an_opening(), request_id="r1")
    answers = {part.registry.code: part.records for part in opened.registries}
    assert answers["employment"] is None
    assert answers["population"]


def test_an_unknown_person_looks_like_one_with_nothing_held(house: FakeHouse) -> None:
    opened = house.casework.open_record(a_caseworker(), an_opening(subject=JUHAN), request_id="r1")
    assert all(part.records == () for part in opened.registries)


def test_control_and_bidirectional_characters_never_reach_the_log(house: FakeHouse) -> None:
    reason = "Deciding the \u202eclaim\u202c of March\r\nfor housing \x1b[31mbenefit"
    opened = house.casework.open_record(a_caseworker(), an_opening(justification=reason), request_id="r1")
    assert opened.justification == "Deciding the claim of March for housing [31mbenefit"


def test_ones_own_history_holds_openings_and_refusals_and_nobody_elses(house: FakeHouse) -> None:
    house.casework.open_record(a_caseworker(account_id="one"), an_opening(registries=("population",)), request_id="r1")
    with pytest.raises(AccessDenied):
        house.casework.open_record(a_caseworker(account_id="one"), an_opening(case=None), request_id="r2")
    other = a_caseworker(account_id="two", code=None)
    house.casework.open_record(other, an_opening(registries=("population",)), request_id="r3")
    history = house.casework.history(a_caseworker(account_id="one")).items
    assert {entry.access.official for entry in history if entry.access} == {"one"}
    assert {entry.access.outcome for entry in history if entry.access} == {"released", "denied"}


def test_a_purpose_is_offered_only_to_whom_may_state_it(house: FakeHouse) -> None:
    assert house.casework.purpose(a_caseworker(), "benefit-claim").code == "benefit-claim"
    for actor, purpose in ((a_citizen(), "benefit-claim"), (a_caseworker(), "tax-audit"), (a_caseworker(), "none")):
        with pytest.raises(NothingHere):
            house.casework.purpose(actor, purpose)


def test_the_history_goes_back_page_by_page_with_references_of_ones_own(house: FakeHouse) -> None:
    official = a_caseworker(account_id="one")
    for number in range(20):
        house.casework.open_record(official, an_opening(), request_id=f"r{number}")
    first = house.casework.history(official)
    second = house.casework.history(official, before=first.older)
    shown = [entry.seq for entry in (*first.items, *second.items)]
    assert len(shown) == 60
    assert shown == sorted(shown, reverse=True)
    assert second.older is None
    with pytest.raises(NothingHere):
        house.casework.history(a_caseworker(account_id="two"), before=first.older)


def test_a_contractors_look_names_the_organisation_that_really_wants_to_know(house: FakeHouse) -> None:
    opening = an_opening(purpose="household-check")
    opened = house.casework.open_record(a_caseworker("claimcheck"), opening, request_id="r1")
    access = house.log.entry(opened.registries[0].entry).access
    assert access is not None
    assert (access.organisation, access.on_behalf_of) == ("claimcheck", "tax-board")
    line = house.trail.history(a_citizen(MARY), TrailFilter()).lines[0]
    assert line.on_behalf_of is not None
    assert line.on_behalf_of.code == "tax-board"
