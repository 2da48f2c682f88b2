"""A person contests a look or a datum; the officer answers in time; everybody sees what is contested."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from audit.entry import Access
from audit.errors import LogUnavailable
from audit.log import TrailQuery
from audit.note import verifier_from_vkey
from audit.receipt import parse_receipt
from audit.verify import verify_receipt
from portal.domain.actions import Action
from portal.domain.disputes import GROUND_LAW, GROUNDS, DisputeKind, Ground, Ruling
from portal.domain.marks import MarkKind
from portal.services.disputes.citizens import Complaint
from portal.services.disputes.desk import GroundUnfit
from portal.services.disputes.ledger import StepRefused
from portal.services.oversight import TrailSearch
from tests.factories.apps import FakePortal
from tests.factories.logs import TickingClock
from tests.factories.people import MARY
from tests.unit.portal.web.test_hostile_requests import LOOK, a_form

WHY = "I never asked for a benefit, and I do not know why anybody there looked at my data."
REASONS = "The official had an assigned case. We checked the file and the times, and found them in order."
DATUM = "/me/records/population/address/contest"


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def portal(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: TickingClock
) -> Iterator[FakePortal]:
    settings: dict[str, Any] = {"session_idle_minutes": 1440, "session_absolute_minutes": 1440}
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        settings |= {"database_url": url, "audit": {"database_url": url}}
    portal = FakePortal.build(tmp_path, monkeypatch, clock=clock, **settings)
    portal.registries["population"].holds(MARY, **{"given-names": "Mari", "address": "Pikk 1"})
    yield portal
    portal.close()


def line_of_a_look(portal: FakePortal, official: str = "caseworker") -> str:
    portal.post(portal.client(official), LOOK, **a_form(personal_code=MARY.reveal()))
    history = portal.client("citizen").get("/me/accesses").get_data(as_text=True)
    return history.partition('href="/me/accesses/')[2].partition('"')[0]


def contested(portal: FakePortal, client: FlaskClient) -> str:
    answer = portal.post(client, f"/me/accesses/{line_of_a_look(portal)}/contest", kind="access", text=WHY)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location).rpartition("/")[2]


def asked(portal: FakePortal, client: FlaskClient, kind: str = "rectification", where: str = DATUM) -> str:
    answer = portal.post(client, where, kind=kind, text=WHY)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location).rpartition("/")[2]


def steps(portal: FakePortal) -> list[Access]:
    wanted = frozenset(action for action in Action if action.value.startswith("dispute-")) - {Action.DISPUTE_LOOK}
    found = portal.house.log.stream(TrailQuery(actions=wanted))
    return [item.access for item in found if item.access is not None]


def _marks(portal: FakePortal) -> set[tuple[str, str | None, MarkKind]]:
    return {(mark.registry, mark.field, mark.kind) for mark in portal.house.disputes.marks.of(MARY)}


def test_a_look_is_contested_from_its_line_and_decided_by_the_officer_of_who_looked(portal: FakePortal) -> None:
    citizen, officer = portal.client("citizen"), portal.client("officer")
    dispute = contested(portal, citizen)
    assert WHY in citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True)
    queue = officer.get("/dpo").get_data(as_text=True)
    assert "1 dispute is open" in queue
    assert f"/dpo/{dispute}" in queue
    portal.post(officer, f"/dpo/{dispute}/step", step="dispute-answer", text="We are looking into it, and write again.")
    portal.post(citizen, f"/me/disputes/{dispute}", text="Thank you. I was abroad on that day, as my ticket shows.")
    assert "as my ticket shows" in officer.get(f"/dpo/{dispute}").get_data(as_text=True)
    answer = portal.post(officer, f"/dpo/{dispute}/decision", ruling="partly", ground="lawful-look", reasons=REASONS)
    assert answer.status_code == 303
    page = citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True)
    assert "You were right in part" in page
    assert REASONS in page
    assert "Articles 77 and 79" in page
    assert "There is news in a dispute of yours." in citizen.get("/me").get_data(as_text=True)


def test_every_step_is_an_entry_about_the_person_with_a_receipt_and_without_its_text(portal: FakePortal) -> None:
    citizen, officer = portal.client("citizen"), portal.client("officer")
    dispute = contested(portal, citizen)
    portal.post(officer, f"/dpo/{dispute}/step", step="dispute-answer", text="We are looking into it, and write again.")
    portal.post(officer, f"/dpo/{dispute}/decision", ruling="refused", ground="lawful-look", reasons=REASONS)
    opened, answered, decided = steps(portal)
    assert {step.subject for step in (opened, answered, decided)} == {MARY.subject}
    assert (opened.official, answered.official) == (None, portal.accounts["officer"])
    assert decided.details["ruling"] == "refused"
    assert opened.details["dispute"] == decided.details["dispute"]
    assert not any(written in repr(steps(portal)) for written in (WHY, REASONS, "looking into it"))
    history = citizen.get("/me/accesses").get_data(as_text=True)
    assert "dealt with a dispute of yours" in history
    assert "You opened a dispute" in citizen.get("/me/accesses?kind=own").get_data(as_text=True)
    reference = history.partition('href="/me/accesses/')[2].partition('"')[0]
    receipt = parse_receipt(citizen.get(f"/me/accesses/{reference}/receipt").get_data(as_text=True))
    [key] = portal.house.log.published_keys().splitlines()
    assert verify_receipt(receipt.text, [verifier_from_vkey(key)]).access == decided


def test_the_officer_reads_the_contested_look_and_that_is_an_entry_too(portal: FakePortal) -> None:
    dispute = contested(portal, portal.client("citizen"))
    page = portal.client("officer").get(f"/dpo/{dispute}").get_data(as_text=True)
    assert "Kadri Kask" in page
    assert a_form()["justification"] in page
    [look] = portal.house.log.read(TrailQuery(actions=frozenset({Action.DISPUTE_LOOK}))).items
    assert look.access is not None
    assert (look.access.subject, look.access.official) == (MARY.subject, portal.accounts["officer"])


def test_while_a_datum_is_contested_everybody_who_opens_it_sees_that_first(portal: FakePortal) -> None:
    citizen = portal.client("citizen")
    dispute = asked(portal, citizen)
    assert "contested since" in citizen.get("/me/records/population").get_data(as_text=True)
    opened = portal.post(portal.client("caseworker"), LOOK, **a_form(personal_code=MARY.reveal()))
    assert "Contested" in opened.get_data(as_text=True)
    portal.post(citizen, f"/me/disputes/{dispute}/withdraw")
    assert "contested since" not in citizen.get("/me/records/population").get_data(as_text=True)
    assert "Withdrawn" in citizen.get("/me/disputes").get_data(as_text=True)


def test_of_two_disputes_about_one_datum_the_mark_stays_until_the_last_has_ended(portal: FakePortal) -> None:
    citizen = portal.client("citizen")
    first, second = asked(portal, citizen), asked(portal, citizen, "objection")
    portal.post(citizen, f"/me/disputes/{first}/withdraw")
    assert _marks(portal) == {("population", "address", MarkKind.CONTESTED)}
    portal.post(citizen, f"/me/disputes/{second}/withdraw")
    assert _marks(portal) == set()


def test_a_restriction_that_is_granted_closes_the_datum(portal: FakePortal) -> None:
    house = portal.house
    actor = house.accounts.actor(portal.accounts["citizen"])
    complaint = Complaint(kind=DisputeKind.RESTRICTION, text=WHY, registry="population", field="address")
    dispute = house.disputes.own.open(actor, complaint, request_id="r")
    officer = officer_of(portal, "population-authority")
    house.disputes.desk.decide(officer, dispute, Ruling.UPHELD, REASONS, request_id="r")
    assert _marks(portal) == {("population", "address", MarkKind.RESTRICTED)}


def officer_of(portal: FakePortal, organisation: str) -> Any:
    from portal.domain.actors import Duty, Role
    from portal.services.accounts import NewAccount

    new = NewAccount(Role.SUPERVISOR, "Olga Oja", organisation, None, duties=frozenset({Duty.DATA_PROTECTION}))
    [account] = portal.house.accounts.open([new], demonstration=True)
    return portal.house.accounts.actor(account)


def test_the_month_runs_from_the_day_it_came_in_and_is_extended_once_within_it(
    portal: FakePortal, clock: TickingClock
) -> None:
    house = portal.house
    dispute = contested(portal, portal.client("citizen"))
    officer = house.accounts.actor(portal.accounts["officer"])
    assert house.disputes.desk.one(officer, dispute).due_on == date(2026, 4, 2)
    house.disputes.desk.extend(officer, dispute, REASONS, request_id="r")
    extended = house.disputes.desk.one(officer, dispute)
    assert (extended.due_on, extended.is_extended) == (date(2026, 6, 2), True)
    with pytest.raises(StepRefused):
        house.disputes.desk.extend(officer, dispute, REASONS, request_id="r")
    clock.now += timedelta(days=93)
    assert house.disputes.desk.one(officer, dispute).days_left == -1
    late = contested(portal, portal.client("citizen"))
    clock.now += timedelta(days=40)
    with pytest.raises(StepRefused):
        house.disputes.desk.extend(officer, late, REASONS, request_id="r")


def test_the_clock_stands_during_an_identity_check_and_the_days_are_added(
    portal: FakePortal, clock: TickingClock
) -> None:
    desk = portal.house.disputes.desk
    dispute = contested(portal, portal.client("citizen"))
    officer = portal.house.accounts.actor(portal.accounts["officer"])
    with pytest.raises(StepRefused):
        desk.resume(officer, dispute, REASONS, request_id="r")
    desk.pause(officer, dispute, REASONS, request_id="r")
    assert desk.one(officer, dispute).days_left is None
    clock.now += timedelta(days=10)
    desk.resume(officer, dispute, REASONS, request_id="r")
    assert desk.one(officer, dispute).due_on == date(2026, 4, 12)


def test_the_queue_has_what_is_due_first_at_its_top_and_names_what_is_overdue(
    portal: FakePortal, clock: TickingClock
) -> None:
    citizen = portal.client("citizen")
    old = contested(portal, citizen)
    clock.now += timedelta(days=35)
    new = contested(portal, portal.client("citizen"))
    page = portal.client("officer").get("/dpo").get_data(as_text=True)
    assert page.index(old) < page.index(new)
    assert "1 of them is overdue." in page
    assert "The time for an answer is over" in portal.client("citizen").get(f"/me/disputes/{old}").get_data(
        as_text=True
    )


@pytest.mark.parametrize("account", ["supervisor", "other supervisor", "neighbour", "caseworker", "auditor"])
def test_nobody_else_sees_a_dispute(portal: FakePortal, account: str) -> None:
    dispute = contested(portal, portal.client("citizen"))
    other = portal.client(account)
    for path in (f"/me/disputes/{dispute}", f"/dpo/{dispute}", "/dpo"):
        assert other.get(path).status_code == 404
    for path in (f"/me/disputes/{dispute}/withdraw", f"/dpo/{dispute}/decision"):
        assert portal.post(other, path, ruling="refused", reasons=REASONS).status_code == 404
    assert len(steps(portal)) == 1


def test_an_officer_never_handles_a_dispute_about_their_own_look_or_their_own_data(portal: FakePortal) -> None:
    house = portal.house
    dispute = contested(portal, portal.client("citizen"))
    caseworker = house.accounts.actor(portal.accounts["caseworker"])
    with portal.house.accounts._sessions.begin() as session:
        session.execute(
            text("UPDATE accounts SET role = 'supervisor', duties = 'data-protection' WHERE id = :id"),
            {"id": caseworker.account_id},
        )
    now_officer = house.accounts.actor(portal.accounts["caseworker"])
    assert house.disputes.desk.has_duty(now_officer)
    assert house.disputes.desk.queue(now_officer) == []
    from portal.domain.errors import NothingHere

    with pytest.raises(NothingHere):
        house.disputes.desk.one(now_officer, dispute)


@pytest.mark.parametrize(
    "path", ["/me/accesses/none/contest", "/me/records/none/address/contest", "/me/records/population/none/contest"]
)
def test_what_is_not_there_cannot_be_contested(portal: FakePortal, path: str) -> None:
    citizen = portal.client("citizen")
    assert citizen.get(path).status_code == 404
    assert portal.post(citizen, path, kind="erasure", text=WHY).status_code == 404
    assert not steps(portal)


def test_anothers_line_cannot_be_contested(portal: FakePortal) -> None:
    reference = line_of_a_look(portal)
    assert portal.client("neighbour").get(f"/me/accesses/{reference}/contest").status_code == 404


@pytest.mark.parametrize(
    "form", [{"kind": "rectification", "text": "no"}, {"text": WHY}, {"kind": "access", "text": WHY}]
)
def test_a_form_that_is_not_complete_says_so_and_loses_nothing(portal: FakePortal, form: dict[str, str]) -> None:
    answer = portal.post(portal.client("citizen"), DATUM, **form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "govuk-error-summary" in page
    assert form["text"] in page
    assert not steps(portal)


def test_a_refusal_names_its_ground_in_law_to_the_person_with_how_to_complain(portal: FakePortal) -> None:
    citizen, officer = portal.client("citizen"), portal.client("officer")
    dispute = contested(portal, citizen)
    choice = officer.get(f"/dpo/{dispute}").get_data(as_text=True)
    assert "GDPR Article 12(5)" in choice
    assert "17(3)" not in choice  # nobody asked for anything to be erased
    for form, told in (
        ({"ruling": "refused"}, "Choose the ground in law"),
        ({"ruling": "refused", "ground": "legal-obligation"}, "Not a valid choice"),
        ({"ruling": "upheld", "ground": "lawful-look"}, "nothing is refused"),
    ):
        answer = portal.post(officer, f"/dpo/{dispute}/decision", reasons=REASONS, **form)
        assert answer.status_code == 400
        assert told in answer.get_data(as_text=True)
        assert REASONS in answer.get_data(as_text=True)
    form = {"ruling": "refused", "ground": "manifestly-unfounded", "reasons": REASONS}
    assert portal.post(officer, f"/dpo/{dispute}/decision", **form).status_code == 303
    page = citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True)
    assert "The request has plainly no basis (GDPR Article 12(5))" in page
    assert "Articles 77 and 79" in page
    assert steps(portal)[-1].details["ground"] == "manifestly-unfounded"


@pytest.mark.parametrize("kind", DisputeKind)
def test_each_request_can_be_refused_on_grounds_of_its_own_articles_alone(kind: DisputeKind) -> None:
    own = {
        DisputeKind.ERASURE: {"17", "18", "21"},
        DisputeKind.OBJECTION: {"21", "17"},
        DisputeKind.RESTRICTION: {"18", "17"},
    }
    named = {article for ground in GROUNDS[kind] for article in re.findall(r"(1[678]|21)(?=\()", GROUND_LAW[ground])}
    assert named <= own.get(kind, set())
    assert {Ground.UNFOUNDED, Ground.EXCESSIVE, Ground.RESTRICTED} <= set(GROUNDS[kind])


def test_a_refusal_without_a_fitting_ground_decides_nothing(portal: FakePortal) -> None:
    desk = portal.house.disputes.desk
    dispute = contested(portal, portal.client("citizen"))
    officer = portal.house.accounts.actor(portal.accounts["officer"])
    for ground in (None, Ground.ARCHIVES):
        with pytest.raises(GroundUnfit):
            desk.decide(officer, dispute, Ruling.PARTLY, REASONS, request_id="r", ground=ground)
    assert desk.one(officer, dispute).is_open
    assert len(steps(portal)) == 1


def test_after_the_decision_nothing_more_is_written(portal: FakePortal) -> None:
    citizen, officer = portal.client("citizen"), portal.client("officer")
    dispute = contested(portal, citizen)
    portal.post(officer, f"/dpo/{dispute}/decision", ruling="refused", ground="lawful-look", reasons=REASONS)
    assert portal.post(citizen, f"/me/disputes/{dispute}", text=WHY).status_code == 409
    assert portal.post(citizen, f"/me/disputes/{dispute}/withdraw").status_code == 409
    again = portal.post(officer, f"/dpo/{dispute}/decision", ruling="upheld", reasons=REASONS)
    assert again.status_code == 409
    assert REASONS in again.get_data(as_text=True)
    assert len(steps(portal)) == 2


def test_of_two_decisions_at_once_one_holds_and_one_is_logged(portal: FakePortal) -> None:
    dispute = contested(portal, portal.client("citizen"))
    officer = portal.house.accounts.actor(portal.accounts["officer"])

    def decide(ruling: Ruling) -> bool:
        try:
            portal.house.disputes.desk.decide(
                officer, dispute, ruling, REASONS, request_id="r", ground=Ground.LAWFUL_LOOK
            )
        except StepRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        held = list(pool.map(decide, [Ruling.UPHELD, Ruling.REFUSED] * 2))
    assert held.count(True) == 1
    assert sum(step.action == Action.DISPUTE_DECISION for step in steps(portal)) == 1


def test_what_cannot_be_recorded_does_not_happen(portal: FakePortal, monkeypatch: pytest.MonkeyPatch) -> None:
    citizen = portal.client("citizen")
    dispute = contested(portal, citizen)

    def fail(_: object) -> None:
        raise LogUnavailable("no disk")

    token = portal.post(citizen, f"/me/disputes/{dispute}", text="").status_code
    assert token == 400
    monkeypatch.setattr(portal.house.log, "append_all", fail)
    assert portal.post(citizen, f"/me/disputes/{dispute}", text=WHY).status_code == 503
    assert portal.post(citizen, f"/me/disputes/{dispute}/withdraw").status_code == 503
    monkeypatch.undo()
    actor = portal.house.accounts.actor(portal.accounts["citizen"])
    shown = portal.house.disputes.own.one(actor, dispute)
    assert shown.is_open
    assert len(shown.messages) == 1


def test_nothing_of_a_dispute_lies_in_the_database_in_clear(portal: FakePortal) -> None:
    dispute = contested(portal, portal.client("citizen"))
    with portal.house.accounts._sessions() as session:
        rows = [
            *session.execute(text("SELECT * FROM disputes")).all(),
            *session.execute(text("SELECT * FROM dispute_messages")).all(),
        ]
    held = repr([bytes(cell) if isinstance(cell, memoryview) else cell for row in rows for cell in row])
    assert dispute in held
    assert MARY.reveal() not in held
    assert "benefit" not in held


def test_an_auditor_finds_the_steps_of_a_dispute(portal: FakePortal) -> None:
    contested(portal, portal.client("citizen"))
    auditor = portal.house.accounts.actor(portal.accounts["auditor"])
    wanted = TrailSearch(action=Action.DISPUTE_OPENING)
    assert len(portal.house.oversight.search(auditor, wanted, request_id="r").entries) == 1
