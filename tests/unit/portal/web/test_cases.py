"""Working from cases, through a browser's requests: little ado within one, and no way round its limits."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.entry import Access
from audit.log import TrailQuery
from portal.domain.actions import Action, Reason
from portal.domain.actors import Role
from portal.domain.marks import MarkKind
from portal.services.accounts import NewAccount
from tests.factories.apps import FakePortal
from tests.factories.cases import a_row, take_over
from tests.factories.people import JUHAN, KADRI, MARY

REASON = "Deciding the housing benefit claim received on 3 March"


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[FakePortal]:
    """A portal whose own tables are on SQLite or on PostgreSQL."""
    portal = FakePortal.build(tmp_path, monkeypatch, database_url=database_url)
    yield portal
    portal.close()


def _a_case(portal: FakePortal, account: str = "caseworker", **changes: Any) -> str:
    """Take over a case of this account's and give its id."""
    row = a_row(officials=[portal.accounts[account]], **changes)
    (outcome,) = take_over(portal.house.casework_room, row)
    assert outcome.problem is None
    actor = portal.house.accounts.actor(portal.accounts[account])
    case = portal.house.casework_room.cases.named(actor, row.reference)
    assert case is not None
    return case.case_id


def _person(portal: FakePortal, case_id: str, account: str = "caseworker") -> str:
    page = portal.client(account).get(f"/casework/cases/{case_id}").get_data(as_text=True)
    found = re.search(r'name="person"[^>]*value="([^"]+)"', page)
    assert found is not None
    return found.group(1)


def _open(portal: FakePortal, case_id: str, account: str = "caseworker", **changes: Any) -> Any:
    form = {"person": "", "registries": ["population"], "purpose": "benefit-claim", "justification": ""} | changes
    return portal.post(portal.client(account), f"/casework/cases/{case_id}", **form)


def _entries(portal: FakePortal, **criteria: Any) -> list[Access]:
    items = portal.house.log.read(TrailQuery(**criteria), limit=200).items
    return [item.access for item in items if item.access is not None]


def _reviews(portal: FakePortal) -> list[Any]:
    supervisor = portal.house.accounts.actor(portal.accounts["supervisor"])
    return portal.house.casework_room.supervision.open_reviews(supervisor)


@pytest.mark.parametrize(
    ("column", "written"),
    [
        ("reference", "S\u041aA-2026-00017"),  # a Cyrillic K
        ("reference", "SKA\u20102026"),
        ("reference", "SKA-2026\u200b-00017"),
        ("subjects", ("\uff13" + MARY.reveal()[1:],)),
        ("subjects", (MARY.reveal()[:5] + "\u00ad" + MARY.reveal()[5:],)),
        ("organisation", "social-insurance-b\u043eard"),
        ("purpose", "benefit-cl\u0430im"),
        ("officials", ("00000000-0000-0000-0000-00000000000\u0660",)),
    ],
)
def test_a_file_of_cases_takes_no_name_that_only_looks_like_a_known_one(
    portal: FakePortal, column: str, written: Any
) -> None:
    officials = {"officials": [portal.accounts["caseworker"]]} | ({column: written} if column == "officials" else {})
    (outcome,) = take_over(
        portal.house.casework_room,
        dataclasses.replace(a_row(**officials), **{column: written}),
    )
    assert outcome.problem is not None
    assert str(written) not in repr(outcome)
    assert "SKA-2026-00017" not in portal.client("caseworker").get("/casework/cases").get_data(as_text=True)


def test_a_record_opens_from_an_assigned_case_without_a_reason(portal: FakePortal) -> None:
    portal.registries["population"].holds(MARY, **{"given-names": "Mari"})
    case_id = _a_case(portal)
    client = portal.client("caseworker")
    assert "SKA-2026-00017" in client.get("/casework/cases").get_data(as_text=True)
    answer = _open(portal, case_id, person=_person(portal, case_id))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "Mari" in page
    assert "list of reviews" not in page
    (look,) = _entries(portal, actions=frozenset({Action.READ}))
    assert (look.case, look.justification, look.purpose) == ("SKA-2026-00017", None, "benefit-claim")
    assert _reviews(portal) == []


def test_the_person_reads_in_which_case_it_was(portal: FakePortal) -> None:
    case_id = _a_case(portal)
    _open(portal, case_id, person=_person(portal, case_id))
    client = portal.client("citizen")
    history = client.get("/me/accesses").get_data(as_text=True)
    assert "Case SKA-2026-00017" in history
    link = re.search(r"/me/accesses/[A-Za-z0-9_=-]+", history)
    assert link is not None
    assert "It was needed in case SKA-2026-00017" in client.get(link.group()).get_data(as_text=True)


def test_an_access_outside_a_case_asks_for_a_reason_and_goes_to_the_supervisor(portal: FakePortal) -> None:
    form = {"personal_code": MARY.reveal(), "case": "X-1", "justification": REASON, "registries": ["population"]}
    answer = portal.post(portal.client("caseworker"), "/casework/benefit-claim", **form)
    assert answer.status_code == 200
    assert "list of reviews" in answer.get_data(as_text=True)
    (review,) = _reviews(portal)
    assert review.entries is not None
    assert "case-unknown" in review.grounds


def test_a_typed_reference_of_ones_own_open_case_is_within_it(portal: FakePortal) -> None:
    _a_case(portal, reference="SKA-9")
    form = {"personal_code": MARY.reveal(), "case": "SKA-9", "justification": "", "registries": ["population"]}
    assert portal.post(portal.client("caseworker"), "/casework/benefit-claim", **form).status_code == 200
    assert _reviews(portal) == []


@pytest.mark.parametrize("ground", ["case-of-another", "case-closed", "case-does-not-fit"])
def test_a_typed_reference_that_does_not_hold_is_reviewed_for_what_it_is(portal: FakePortal, ground: str) -> None:
    {
        "case-of-another": lambda: _a_case(portal, "colleague"),
        "case-closed": lambda: _a_case(portal, closed="2026-03-01"),
        "case-does-not-fit": lambda: _a_case(portal, subjects=[JUHAN]),
    }[ground]()
    form = {
        "personal_code": MARY.reveal(),
        "case": "SKA-2026-00017",
        "justification": REASON,
        "registries": ["population"],
    }
    assert portal.post(portal.client("caseworker"), "/casework/benefit-claim", **form).status_code == 200
    (review,) = _reviews(portal)
    assert ground in review.grounds


def test_another_officials_case_looks_absent_and_opens_nothing(portal: FakePortal) -> None:
    case_id = _a_case(portal, "colleague")
    person = _person(portal, case_id, "colleague")
    client = portal.client("caseworker")
    for path in (f"/casework/cases/{case_id}", "/casework/cases/00000000-0000-0000-0000-000000000000"):
        assert client.get(path).status_code == 404
    assert _open(portal, case_id, person=person).status_code == 404
    assert not any(registry.asked for registry in portal.registries.values())


def test_a_person_of_another_case_cannot_be_opened_through_this_one(portal: FakePortal) -> None:
    mine = _a_case(portal)
    other = _a_case(portal, reference="SKA-2", subjects=[JUHAN])
    for person in (_person(portal, other), JUHAN.reveal(), "0", ""):
        answer = _open(portal, mine, person=person)
        assert answer.status_code == (400 if not person else 404)
    assert not any(registry.asked for registry in portal.registries.values())


def test_a_case_that_was_closed_between_form_and_submit_opens_nothing_and_says_so(portal: FakePortal) -> None:
    portal.registries["population"].holds(MARY, **{"given-names": "Salajane"})
    case_id = _a_case(portal)
    person = _person(portal, case_id)
    _a_case(portal, closed="2026-03-01")
    answer = _open(portal, case_id, person=person)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert "This case is closed" in page
    assert "Salajane" not in page
    assert {entry.reason for entry in _entries(portal, outcome="denied")} == {Reason.CASE_CLOSED}


def test_a_case_taken_away_between_form_and_submit_is_not_there_any_more(portal: FakePortal) -> None:
    case_id = _a_case(portal)
    person = _person(portal, case_id)
    _a_case(portal, "colleague")
    assert _open(portal, case_id, person=person).status_code == 404


@pytest.mark.parametrize(
    ("purpose", "status", "reason"),
    [
        ("tax-audit", 403, Reason.ORGANISATION),
        ("conflict-check", 403, Reason.ROLE),
        ("oversight", 403, Reason.ROLE),
        ("curiosity", 404, None),
    ],
)
def test_a_purpose_that_was_changed_in_the_form_opens_nothing(
    portal: FakePortal, purpose: str, status: int, reason: Reason | None
) -> None:
    case_id = _a_case(portal)
    answer = _open(portal, case_id, person=_person(portal, case_id), purpose=purpose)
    assert answer.status_code == status
    assert {entry.reason for entry in _entries(portal, outcome="denied")} == ({reason} if reason else set())
    assert not any(registry.asked for registry in portal.registries.values())


def test_a_purpose_that_the_case_system_changed_between_form_and_submit_is_noticed(portal: FakePortal) -> None:
    clerk = NewAccount(Role.CASEWORKER, "Linna Ametnik", "jarvelinn", KADRI)
    (portal.accounts["clerk"],) = portal.house.accounts.open([clerk], demonstration=True)
    town = {"organisation": "jarvelinn", "reference": "JL-1"}
    case_id = _a_case(portal, "clerk", purpose="social-assistance", **town)
    person = _person(portal, case_id, "clerk")
    _a_case(portal, "clerk", purpose="residence-registration", **town)
    answer = _open(portal, case_id, "clerk", person=person, purpose="social-assistance")
    assert answer.status_code == 403
    assert {entry.reason for entry in _entries(portal, outcome="denied")} == {Reason.CASE_DOES_NOT_FIT}


@pytest.mark.parametrize("registry", ["vehicles", "secrets"])
def test_a_registry_that_the_purpose_does_not_reach_stays_closed(portal: FakePortal, registry: str) -> None:
    case_id = _a_case(portal)
    answer = _open(portal, case_id, person=_person(portal, case_id), registries=["population", registry])
    assert answer.status_code == (403 if registry == "vehicles" else 404)
    assert not any(known.asked for known in portal.registries.values())


def test_fields_that_the_form_does_not_have_change_nothing(portal: FakePortal) -> None:
    case_id = _a_case(portal)
    forged = {
        "subject": JUHAN.reveal(),
        "personal_code": JUHAN.reveal(),
        "case": "SKA-2",
        "role": "auditor",
        "approved": "true",
        "emergency": "true",
        "relation": "none",
    }
    answer = _open(portal, case_id, person=_person(portal, case_id), **forged)
    assert answer.status_code == 200
    (look,) = _entries(portal, actions=frozenset({Action.READ}))
    assert (look.subject, look.case, look.role) == (MARY.subject, "SKA-2026-00017", "caseworker")


def test_a_note_within_a_case_may_be_short_but_never_names_a_code(portal: FakePortal) -> None:
    case_id = _a_case(portal)
    person = _person(portal, case_id)
    assert _open(portal, case_id, person=person, justification="call of today").status_code == 200
    answer = _open(portal, case_id, person=person, justification=f"see {JUHAN.reveal()}")
    assert answer.status_code == 400
    denied = _entries(portal, outcome="denied")
    assert {entry.reason for entry in denied} == {Reason.JUSTIFICATION}
    assert all(entry.justification is None for entry in denied)


def test_ones_own_record_and_that_of_a_relative_or_a_flatmate_stay_closed_within_a_case(portal: FakePortal) -> None:
    population = portal.registries["population"]
    population.holds(KADRI, **{"address": "Kase 3", "relative-code": JUHAN.reveal()})
    population.holds(MARY, **{"address": "Kase 3", "given-names": "Salajane"})
    population.holds(JUHAN, **{"address": "Tamme 5", "given-names": "Salajane"})
    for number, (subject, reason) in enumerate(
        ((KADRI, Reason.OWN_RECORD), (MARY, Reason.CLOSE_PERSON), (JUHAN, Reason.CLOSE_PERSON))
    ):
        case_id = _a_case(portal, reference=f"SKA-{number}", subjects=[subject])
        answer = _open(portal, case_id, person=_person(portal, case_id))
        assert answer.status_code == 403
        assert "Salajane" not in answer.get_data(as_text=True)
        assert _entries(portal, outcome="denied")[0].reason == reason
    assert _entries(portal, actions=frozenset({Action.READ}), outcome="released") == []


def test_a_colleagues_record_waits_for_a_second_person(portal: FakePortal) -> None:
    for code in (KADRI, MARY):
        portal.registries["employment"].holds(code, **{"employer-code": "10400000"})
    case_id = _a_case(portal)
    answer = _open(portal, case_id, person=_person(portal, case_id))
    assert answer.status_code == 403
    assert "A second person has to approve" in answer.get_data(as_text=True)
    assert {entry.reason for entry in _entries(portal, outcome="denied")} == {Reason.SECOND_PERSON}


def test_when_closeness_cannot_be_found_out_the_look_is_reviewed(portal: FakePortal) -> None:
    portal.registries["employment"].is_down = True
    case_id = _a_case(portal)
    assert _open(portal, case_id, person=_person(portal, case_id)).status_code == 200
    (review,) = _reviews(portal)
    assert review.grounds == ("closeness-unknown",)


def test_a_restricted_field_stays_closed_and_marks_come_first(portal: FakePortal) -> None:
    portal.registries["population"].holds(MARY, **{"given-names": "Mari", "address": "Salajane 1"})
    marks = portal.house.casework_room.marks
    marks.put(MARY, MarkKind.RESTRICTED, "population", "address")
    marks.put(MARY, MarkKind.CONTESTED, "population", "given-names")
    case_id = _a_case(portal)
    page = _open(portal, case_id, person=_person(portal, case_id)).get_data(as_text=True)
    assert "Salajane" not in page
    assert page.index("Contested: Given names") < page.index("gh-table--record")
    assert page.index("Restricted: Home address") < page.index("gh-table--record")
    (look,) = _entries(portal, actions=frozenset({Action.READ}))
    assert "address" not in look.fields
    marks.lift(MARY, MarkKind.RESTRICTED, "population", "address")
    assert "Salajane 1" in _open(portal, case_id, person=_person(portal, case_id)).get_data(as_text=True)


def test_a_record_wholly_restricted_is_refused(portal: FakePortal) -> None:
    portal.house.casework_room.marks.put(MARY, MarkKind.RESTRICTED, "population")
    case_id = _a_case(portal)
    assert _open(portal, case_id, person=_person(portal, case_id)).status_code == 403
    assert {entry.reason for entry in _entries(portal, outcome="denied")} == {Reason.RESTRICTED}


@pytest.mark.parametrize("token", [None, "", "forged"])
def test_a_form_without_its_token_opens_nothing(portal: FakePortal, token: str | None) -> None:
    case_id = _a_case(portal)
    data = {"person": _person(portal, case_id), "registries": "population", "purpose": "benefit-claim"}
    answer = portal.client("caseworker").post(
        f"/casework/cases/{case_id}", data=data if token is None else data | {"csrf_token": token}
    )
    assert answer.status_code == 403
    assert not any(registry.asked for registry in portal.registries.values())


def test_the_check_before_a_sealed_look_is_withheld_with_it(portal: FakePortal) -> None:
    """Otherwise the portal's own check would tell the person that somebody is looking."""
    detective = NewAccount(Role.CASEWORKER, "Uku Uurija", "police", KADRI)
    (portal.accounts["sleuth"],) = portal.house.accounts.open([detective], demonstration=True)
    client = portal.client("sleuth")
    last = datetime.now(UTC).date() + timedelta(days=30)
    order = {
        "purpose": "criminal-proceedings",
        "personal_code": MARY.reveal(),
        "case": "K-7",
        "authority": "prosecutors-office",
        "ordered_by": "Prosecutor P. Prokurör",
        "order": "KV-14/2026",
        "until": [last.day, last.month, last.year],
    }
    seal = portal.post(client, "/casework/seals/new", **order).headers["Location"].rpartition("/")[2]
    form = {"justification": "Finding out where the stolen car was kept", "registries": ["population"]}
    assert portal.post(client, f"/casework/seals/{seal}", **form).status_code == 200
    person = portal.client("citizen")
    for kind in ("", "human", "automatic", "check"):
        assert "Police" not in person.get(f"/me/accesses?kind={kind}").get_data(as_text=True)
    form = {"personal_code": MARY.reveal(), "case": "K-8", "justification": REASON, "registries": ["population"]}
    assert portal.post(client, "/casework/criminal-proceedings", **form).status_code == 200
    assert "the portal compared your data" in person.get("/me/accesses?kind=check").get_data(as_text=True)
    assert "the portal compared your data" not in person.get("/me/accesses").get_data(as_text=True)
