"""Whoever received a value that was found wrong is told, says what became of it, and the person sees both."""

from __future__ import annotations

from portal.domain.disputes import DisputeKind, Ground, Ruling
from portal.services.disputes.citizens import Complaint
from tests.factories.apps import FakePortal
from tests.factories.logs import an_access
from tests.factories.people import MARY
from tests.unit.portal.web.test_disputes import REASONS, WHY, clock, line_of_a_look, officer_of, portal
from tests.unit.portal.web.test_hostile_requests import a_form

__all__ = ["clock", "portal"]


def _found_wrong(portal: FakePortal, ruling: Ruling = Ruling.UPHELD) -> str:
    """The address of a person is found wrong; gives the dispute."""
    house = portal.house
    actor = house.accounts.actor(portal.accounts["citizen"])
    complaint = Complaint(kind=DisputeKind.RECTIFICATION, text=WHY, registry="population", field="address")
    dispute = house.disputes.own.open(actor, complaint, request_id="r")
    ground = Ground.ACCURATE if ruling is Ruling.REFUSED else None
    officer = officer_of(portal, "population-authority")
    house.disputes.desk.decide(officer, dispute, ruling, REASONS, request_id="r", ground=ground)
    return dispute


def test_whoever_received_a_wrong_value_is_told_and_the_person_sees_who_took_it_into_account(
    portal: FakePortal,
) -> None:
    for _ in range(2):
        line_of_a_look(portal)
    dispute = _found_wrong(portal)
    caseworker, citizen = portal.client("caseworker"), portal.client("citizen")
    page = caseworker.get("/corrections").get_data(as_text=True)
    assert "Home address" in page
    assert a_form()["case"] in page
    assert MARY.reveal() not in page
    hers = citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True)
    assert "Who had received it, and was told" in hers
    assert "not yet" in hers
    notice = page.partition('action="/corrections/')[2].partition('"')[0]
    for _ in range(2):
        assert portal.post(caseworker, f"/corrections/{notice}").status_code == 303
    assert "not yet" not in citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True)
    history = citizen.get("/me/accesses").get_data(as_text=True)
    assert "was told that a value which it had received on you is not right" in history
    assert history.count("took a correction of your data into account") == 1


def test_nobody_is_told_who_did_not_receive_it_and_nothing_where_the_person_was_not_right(portal: FakePortal) -> None:
    line_of_a_look(portal)
    _found_wrong(portal, Ruling.REFUSED)
    assert "Home address" not in portal.client("caseworker").get("/corrections").get_data(as_text=True)
    _found_wrong(portal)
    assert "Home address" not in portal.client("colleague").get("/corrections").get_data(as_text=True)


def test_anothers_notice_cannot_be_answered(portal: FakePortal) -> None:
    line_of_a_look(portal)
    _found_wrong(portal)
    [notice] = portal.house.disputes.corrections.waiting(portal.house.accounts.actor(portal.accounts["caseworker"]))
    for account in ("colleague", "officer", "other supervisor"):
        assert portal.post(portal.client(account), f"/corrections/{notice.notice_id}").status_code == 404


def test_a_system_that_received_it_is_told_through_its_organisations_officer(portal: FakePortal) -> None:
    portal.house.log.append(
        an_access(
            action="automated-read", automatic=True, official=None, official_name=None, role=None, case=None,
            subject=MARY.subject, organisation="social-insurance-board", fields=("address",),
        )
    )  # fmt: skip
    dispute = _found_wrong(portal)
    assert "A system" in portal.client("citizen").get(f"/me/disputes/{dispute}").get_data(as_text=True)
    assert "Home address" in portal.client("officer").get("/corrections").get_data(as_text=True)
    assert "Home address" not in portal.client("supervisor").get("/corrections").get_data(as_text=True)


def test_whoever_received_it_under_a_seal_is_told_and_the_person_does_not_see_it(portal: FakePortal) -> None:
    official = portal.accounts["detective"]
    portal.house.log.append(
        an_access(subject=MARY.subject, organisation="police", official=official, fields=("address",), seal="seal-1")
    )
    dispute = _found_wrong(portal)
    assert "Home address" in portal.client("detective").get("/corrections").get_data(as_text=True)
    citizen = portal.client("citizen")
    for path in (f"/me/disputes/{dispute}", "/me/accesses", "/me"):
        assert "Police" not in citizen.get(path).get_data(as_text=True)
    [notice] = portal.house.disputes.corrections.waiting(portal.house.accounts.actor(official))
    portal.post(portal.client("detective"), f"/corrections/{notice.notice_id}")
    assert "took a correction" not in citizen.get("/me/accesses").get_data(as_text=True)
