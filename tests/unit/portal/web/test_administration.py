"""Joiners, movers and leavers, and what takes two administrators, as the people concerned meet them over HTTP."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from audit.entry import Access
from audit.errors import LogUnavailable
from audit.log import TrailQuery
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.actors import Role
from tests.factories.apps import FakePortal
from tests.factories.staff import REASON, Member, enrol, enrolled
from tests.fakes.authenticator import SoftAuthenticator

BOARD, FUND, INSPECTORATE = "social-insurance-board", "insurance-fund", "data-protection-inspectorate"


@dataclass
class Office:
    """A portal with two administrators, signed in a moment ago, and a clock."""

    portal: FakePortal
    now: datetime
    tiina: Member
    olev: Member

    def __post_init__(self) -> None:
        self.first, self.second = self.tiina.signed_in(), self.olev.signed_in()

    def act(self, client: FlaskClient, account: str, step: str, **more: str) -> Any:
        return self.portal.post(client, f"/administration/accounts/{account}/{step}", reason=REASON, **more)

    def invite(self, client: FlaskClient, role: Role, name: str = "Mart Mets") -> tuple[str, str]:
        """The code that the administrator is shown, and the new account."""
        form = {"name": name, "role": role.value, "organisation": BOARD, "reason": REASON}
        page = self.portal.post(client, "/administration/invite", **form)
        return _code(page), self.account_of(name)

    def account_of(self, name: str) -> str:
        from portal.services.staff_accounts import AccountFilter

        [line] = self.portal.house.staff.accounts.page(AccountFilter(name=name)).lines
        return line.account_id

    def request(self) -> str:
        """The one open request, as the page names it."""
        page = self.second.get("/administration/requests").get_data(as_text=True)
        [reference] = set(re.findall(r"/administration/requests/([^/\"]+)/refuse", page))
        return reference

    def decide(self, client: FlaskClient, what: str, reference: str | None = None) -> Any:
        return self.portal.post(client, f"/administration/requests/{reference or self.request()}/{what}")

    def again(self, member: Member) -> FlaskClient:
        """A fresh session, after so much time that the old one is not fresh any more."""
        return member.signed_in()

    def entries(self, *actions: Action) -> list[Access]:
        stream = self.portal.house.log.stream(TrailQuery())
        return [logged.access for logged in stream if logged.access and logged.access.action in actions]


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    times = [datetime(2026, 3, 2, 8, 0, tzinfo=UTC)]
    portal = FakePortal.build(tmp_path, monkeypatch, clock=lambda: times[0])
    tiina = enrolled(portal, Role.ADMINISTRATOR, "population-authority")
    olev = enrolled(portal, Role.ADMINISTRATOR, "population-authority", "Olev Oja")
    office = Office(portal, times[0], tiina, olev)
    office.times = times  # type: ignore[attr-defined]
    yield office
    portal.close()


def _later(office: Office, **span: int) -> None:
    office.times[0] += timedelta(**span)  # type: ignore[attr-defined]


def _code(page: Any) -> str:
    found = re.search(r"/staff/enrol#([\w-]+)", page.get_data(as_text=True))
    assert found, page.get_data(as_text=True)[-3000:]
    return found[1]


def _second_half(page: Any) -> str:
    found = re.search(r"<code>([A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4})</code>", page.get_data(as_text=True))
    assert found, page.get_data(as_text=True)[-3000:]
    return html.unescape(found[1])


def _new(office: Office, account: str) -> Member:
    return Member(office.portal, account, SoftAuthenticator(office.tiina.key.origin))


def test_a_caseworker_joins_on_one_administrators_word(office: Office) -> None:
    code, account = office.invite(office.first, Role.CASEWORKER)
    member = _new(office, account)
    assert enrol(office.portal, member, code).status_code == 200
    assert member.signed_in().get("/casework").status_code == 200
    invited = office.entries(Action.STAFF_INVITATION)[-1]
    assert (invited.official, invited.justification) == (office.tiina.account_id, REASON)
    assert dict(invited.details) == {"account": account, "role": "caseworker", "organisation": BOARD}


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR, Role.SUPERVISOR])
def test_a_powerful_role_takes_two_and_neither_can_enrol_alone(office: Office, role: Role) -> None:
    code, account = office.invite(office.first, role)
    member = _new(office, account)
    assert "This code does not open anything" in enrol(office.portal, member, code).get_data(as_text=True)
    own = office.decide(office.first, "approve")
    assert (own.status_code, "Nobody decides about" in own.get_data(as_text=True)) == (409, True)
    second_half = _second_half(office.decide(office.second, "approve"))
    guessed = enrol(office.portal, member, code, "AAAA-BBBB-CCCC")
    assert "The second code is not right" in guessed.get_data(as_text=True)
    assert enrol(office.portal, member, code, second_half.lower().replace("-", " ")).status_code == 200
    member.signed_in()
    assert [entry.official for entry in office.entries(Action.RIGHTS_REQUEST, Action.RIGHTS_APPROVAL)] == [
        office.tiina.account_id,
        office.olev.account_id,
    ]


def test_five_wrong_second_codes_end_the_link(office: Office) -> None:
    code, account = office.invite(office.first, Role.AUDITOR)
    second_half = _second_half(office.decide(office.second, "approve"))
    for _ in range(5):
        enrol(office.portal, _new(office, account), code, "AAAA-BBBB-CCCC")
    answer = enrol(office.portal, _new(office, account), code, second_half)
    assert "This code does not open anything" in answer.get_data(as_text=True)


def test_a_request_that_is_refused_withdrawn_or_late_comes_to_nothing(office: Office) -> None:
    code, account = office.invite(office.first, Role.AUDITOR)
    assert office.decide(office.second, "refuse").status_code == 303
    line = office.portal.house.staff.accounts.line(account)
    assert line.standing == "closed"
    _, another = office.invite(office.first, Role.AUDITOR, "Liis Luik")
    assert office.decide(office.first, "refuse").status_code == 303
    _, late = office.invite(office.first, Role.AUDITOR, "Riho Rebane")
    reference = office.request()
    _later(office, hours=73)
    fresh = office.olev.signed_in()
    assert office.decide(fresh, "approve", reference).status_code == 409
    assert "Ran out" in fresh.get("/administration/requests").get_data(as_text=True)
    for one in (account, another, late):
        assert "This code does not open" in enrol(office.portal, _new(office, one), code).get_data(as_text=True)
    endings = [(entry.outcome, entry.reason) for entry in office.entries(Action.RIGHTS_REFUSAL)]
    assert endings == [(Outcome.DENIED, None), (Outcome.DENIED, Reason.WITHDRAWN)]


def test_why_somebody_was_asked_for_is_read_on_the_page_and_not_on_the_disk(office: Office) -> None:
    office.invite(office.first, Role.AUDITOR)
    assert REASON in office.second.get("/administration/requests").get_data(as_text=True)
    for file in office.portal.settings.data_dir.rglob("*"):
        assert not file.is_file() or REASON.encode() not in file.read_bytes(), file


def test_of_two_decisions_only_the_first_counts(office: Office) -> None:
    office.invite(office.first, Role.AUDITOR)
    reference = office.request()
    assert office.decide(office.second, "approve", reference).status_code == 200
    assert office.decide(office.second, "approve", reference).status_code == 409
    assert office.decide(office.first, "refuse", reference).status_code == 409
    assert office.decide(office.first, "refuse", "none").status_code == 404


def test_a_mover_loses_the_old_rights_in_the_middle_of_a_session(office: Office) -> None:
    portal = office.portal
    working = portal.client("auditor")
    assert working.get("/oversight").status_code == 200
    moved = office.act(office.first, portal.accounts["auditor"], "rights", role="caseworker", organisation=BOARD)
    assert moved.status_code == 303
    assert working.get("/oversight").status_code == 302
    assert working.get("/casework").status_code == 302
    [change] = office.entries(Action.RIGHTS_CHANGE)
    assert change.details["role-before"] == "auditor"
    assert change.details["organisation-before"] == "data-protection-inspectorate"
    [ended] = office.entries(Action.SESSION_END)
    assert (ended.official, ended.reason) == (portal.accounts["auditor"], Reason.RIGHTS_CHANGED)
    assert portal.client("auditor").get("/casework").status_code == 200


def test_an_administrator_signs_somebody_out_everywhere_and_changes_nothing_else(office: Office) -> None:
    portal, auditor = office.portal, office.portal.accounts["auditor"]
    one, other = portal.client("auditor"), portal.client("auditor")
    assert office.act(office.first, auditor, "sign-out").status_code == 303
    assert one.get("/oversight").status_code == other.get("/oversight").status_code == 302
    again = portal.client("auditor")
    assert again.get("/oversight").status_code == 200
    assert "An administrator signed you out everywhere." in again.get("/account").get_data(as_text=True)
    [deed] = office.entries(Action.SIGN_OUT_BY_ADMINISTRATOR)
    assert deed.details["account"] == auditor
    assert deed.justification
    ended = office.entries(Action.SESSION_END)
    assert {(one.official, one.reason) for one in ended} == {(auditor, Reason.ENDED_BY_ADMINISTRATOR)}


def test_another_organisation_ends_the_session_as_well(office: Office) -> None:
    portal = office.portal
    working = portal.client("caseworker")
    assert (
        office.act(
            office.first, portal.accounts["caseworker"], "rights", role="caseworker", organisation=FUND
        ).status_code
        == 303
    )
    assert working.get("/casework").status_code == 302
    again = portal.client("caseworker")
    assert portal.house.accounts.actor(portal.accounts["caseworker"]).organisation == FUND
    assert "Your role or your organisation was changed." in again.get("/account").get_data(as_text=True)


def test_a_powerful_role_comes_only_with_the_second_word_and_until_then_all_stays(office: Office) -> None:
    portal = office.portal
    working = portal.client("caseworker")
    asked = office.act(
        office.first,
        portal.accounts["caseworker"],
        "rights",
        role="auditor",
        organisation="data-protection-inspectorate",
    )
    assert asked.status_code == 303
    assert working.get("/casework").status_code == 200
    assert working.get("/oversight").status_code == 404
    twice = office.act(office.first, portal.accounts["caseworker"], "rights", role="administrator", organisation=BOARD)
    assert "There is a request about this account already" in twice.get_data(as_text=True)
    assert office.decide(office.second, "approve").status_code == 200
    assert working.get("/casework").status_code == 302
    assert portal.client("caseworker").get("/oversight").status_code == 200


def test_a_leaver_is_out_at_once_with_everything_they_asked_for(office: Office) -> None:
    office.act(office.first, office.portal.accounts["administrator"], "close")
    working = office.olev.signed_in()
    office.invite(working, Role.AUDITOR)
    assert office.act(office.first, office.olev.account_id, "close").status_code == 303
    assert working.get("/administration").status_code == 302
    assert office.second.get("/administration").status_code == 302
    assert office.olev.sign_in(office.portal.app.test_client()).status_code == 401
    assert office.portal.house.staff.requests.waiting(office.portal.house.accounts.actor(office.tiina.account_id)) == []
    assert office.portal.house.staff.accounts.line(office.olev.account_id).passkeys == 0
    assert "You are the only administrator" in office.first.get("/administration").get_data(as_text=True)


def test_somebody_who_comes_back_starts_with_new_credentials(office: Office) -> None:
    code, account = office.invite(office.first, Role.CASEWORKER)
    member = _new(office, account)
    assert enrol(office.portal, member, code).status_code == 200
    office.act(office.first, account, "close")
    again = _code(office.act(office.first, account, "reopen"))
    assert member.sign_in(office.portal.app.test_client()).status_code == 401
    assert "This code does not open" in enrol(office.portal, member, code).get_data(as_text=True)
    assert enrol(office.portal, member, again).status_code == 200
    assert member.signed_in().get("/casework").status_code == 200
    kinds = [entry.action for entry in office.entries(Action.ACCOUNT_CLOSURE, Action.ACCOUNT_REOPENING)]
    assert kinds == [Action.ACCOUNT_CLOSURE, Action.ACCOUNT_REOPENING]


def test_reopening_an_auditor_takes_two(office: Office) -> None:
    portal = office.portal
    office.act(office.first, portal.accounts["auditor"], "close")
    assert office.act(office.first, portal.accounts["auditor"], "reopen").status_code == 303
    assert portal.house.staff.accounts.line(portal.accounts["auditor"]).standing == "closed"
    assert office.decide(office.second, "approve").status_code == 200
    assert portal.client("auditor").get("/oversight").status_code == 200


def test_a_recovery_takes_two_and_time_and_the_person_is_told(office: Office) -> None:
    member = enrolled(office.portal, Role.CASEWORKER, name="Kai Kuusk")
    working = member.signed_in()
    code = _code(office.act(office.first, member.account_id, "recover"))
    assert "Something happened to your account." in working.get("/casework").get_data(as_text=True)
    assert "Did you lose your passkey or password?" in working.get("/account").get_data(as_text=True)
    second_half = _second_half(office.decide(office.second, "approve"))
    assert working.get("/casework").status_code == 302, "all sessions ended"
    assert member.sign_in(office.portal.app.test_client()).status_code == 401, "the old passkey is void"
    renewed = _new(office, member.account_id)
    assert "Not yet" in enrol(office.portal, renewed, code, second_half).get_data(as_text=True)
    _later(office, hours=24, minutes=1)
    assert "The second code is not right" in enrol(office.portal, renewed, code, "x").get_data(as_text=True)
    assert enrol(office.portal, renewed, code, second_half).status_code == 200
    page = renewed.signed_in().get("/account").get_data(as_text=True)
    assert "A new password and a new passkey were set with the codes of the recovery." in page
    assert "Something happened to your account." in renewed.signed_in().get("/casework").get_data(as_text=True)
    recovery = (Action.RECOVERY_REQUEST, Action.RECOVERY_APPROVAL, Action.RECOVERY_NOTICE, Action.STAFF_ENROLMENT)
    steps = [entry.action for entry in office.entries(*recovery)][-5:]
    assert steps == [
        Action.RECOVERY_REQUEST,
        Action.RECOVERY_NOTICE,
        Action.RECOVERY_APPROVAL,
        Action.RECOVERY_NOTICE,
        Action.STAFF_ENROLMENT,
    ]


def test_the_person_stops_a_recovery_that_they_did_not_ask_for(office: Office) -> None:
    member = enrolled(office.portal, Role.CASEWORKER, name="Kai Kuusk")
    working = member.signed_in()
    office.act(office.first, member.account_id, "recover")
    reference = office.request()
    assert office.portal.post(working, "/account/recovery/stop").status_code == 303
    assert office.decide(office.second, "approve", reference).status_code == 409
    assert working.get("/casework").status_code == 200
    [stopped] = office.entries(Action.RECOVERY_REFUSAL)
    assert (stopped.official, stopped.reason) == (member.account_id, Reason.STOPPED_BY_PERSON)


def test_any_administrator_stops_a_recovery_while_it_waits(office: Office) -> None:
    member = enrolled(office.portal, Role.CASEWORKER, name="Kai Kuusk")
    code = _code(office.act(office.first, member.account_id, "recover"))
    second_half = _second_half(office.decide(office.second, "approve"))
    assert office.act(office.first, member.account_id, "stop").status_code == 303
    _later(office, hours=25)
    answer = enrol(office.portal, _new(office, member.account_id), code, second_half)
    assert "This code does not open anything" in answer.get_data(as_text=True)


def test_nobody_administers_or_recovers_themselves(office: Office) -> None:
    own = office.tiina.account_id
    for step in ("close", "reopen", "recover", "stop", "renew"):
        answer = office.act(office.first, own, step)
        assert (answer.status_code, "Nobody decides about" in answer.get_data(as_text=True)) == (409, True), step
    moved = office.act(office.first, own, "rights", role="auditor", organisation=BOARD)
    assert moved.status_code == 409
    office.act(office.second, own, "recover")
    reference = office.request()
    for what in ("approve", "refuse"):
        assert office.decide(office.first, what, reference).status_code == 409
    assert office.decide(office.second, "approve", reference).status_code == 409


def test_administrators_see_no_personal_records_no_trail_and_no_citizen(office: Office) -> None:
    for path in ("/oversight", "/casework", "/me", "/me/records", "/oversight/verification", "/casework/history"):
        assert office.first.get(path).status_code == 404, path
    page = office.first.get("/administration").get_data(as_text=True)
    assert "Kadri Kask" in page
    assert "Mari Maasikas" not in page
    citizen = office.portal.accounts["citizen"]
    refused = office.first.get(f"/administration/accounts/{citizen}")
    missing = office.first.get("/administration/accounts/none")
    assert refused.status_code == missing.status_code == 404
    assert refused.get_data(as_text=True).replace(citizen, "none") == missing.get_data(as_text=True)
    for step in ("close", "reopen", "recover", "stop", "renew", "anything"):
        assert office.act(office.first, citizen, step).status_code == 404, step
    assert office.portal.client("citizen").get("/me").status_code == 200


def test_the_list_is_filtered_by_name_role_organisation_and_standing(office: Office) -> None:
    def names(**asked: str) -> set[str]:
        page = office.first.get("/administration", query_string=asked).get_data(as_text=True)
        return set(re.findall(r'href="/administration/accounts/[^"]+">([^<]+)</a>', page))

    assert names(name="kask") == {"Kadri Kask"}
    assert names(name="%") == set()
    assert names(role="auditor") == {"Aita Aruste"}
    assert names(role="citizen") == set()
    assert names(organisation=BOARD) == {"Kadri Kask", "Karl Kuusk", "Siiri Saar", "Data Ametnik"}
    assert names(standing="closed") == set()
    assert office.first.get("/administration?page=x").status_code == 200


def test_a_change_needs_a_fresh_passkey_and_goes_on_with_what_was_filled_in(office: Office) -> None:
    _later(office, minutes=11)
    path = f"/administration/accounts/{office.portal.accounts['auditor']}/close"
    led = office.portal.post(office.first, path, reason=REASON)
    assert led.status_code == 303
    assert office.portal.client("auditor").get("/oversight").status_code == 200
    page = office.tiina.confirm(office.first, led).get_data(as_text=True)
    assert f'action="{path}"' in page
    assert office.portal.post(office.first, path, reason=REASON).status_code == 303
    assert office.portal.house.staff.accounts.line(office.portal.accounts["auditor"]).standing == "closed"


def test_a_change_without_a_reason_or_with_nonsense_does_nothing(office: Office) -> None:
    auditor = office.portal.accounts["auditor"]
    silent = office.portal.post(office.first, f"/administration/accounts/{auditor}/close", reason=" ")
    assert (silent.status_code, "Say why." in silent.get_data(as_text=True)) == (400, True)
    for role, organisation in (("citizen", BOARD), ("root", BOARD), ("caseworker", "nowhere"), ("", "")):
        answer = office.act(office.first, auditor, "rights", role=role, organisation=organisation)
        assert answer.status_code == 400, (role, organisation)
    planted = {"standing": "active", "is_active": "1", "account_id": auditor}
    form = {"name": "Mart Mets", "role": "caseworker", "organisation": BOARD, "reason": REASON, **planted}
    office.portal.post(office.first, "/administration/invite", **form)
    assert office.portal.house.staff.accounts.line(office.account_of("Mart Mets")).standing == "invited"


def test_nothing_changes_when_it_cannot_be_recorded(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise LogUnavailable("gone")

    auditor = office.portal.accounts["auditor"]
    with monkeypatch.context() as without_log:
        without_log.setattr(office.portal.house.log.__class__, "append_all", broken)
        assert office.act(office.first, auditor, "close").status_code == 503
    assert office.portal.house.staff.accounts.line(auditor).standing == "active"


def test_an_administrator_who_was_moved_decides_nothing_any_more(office: Office) -> None:
    office.invite(office.first, Role.AUDITOR)
    reference = office.request()
    office.act(office.first, office.olev.account_id, "rights", role="caseworker", organisation=BOARD)
    answer = office.decide(office.second, "approve", reference)
    assert answer.status_code in {302, 401}
    assert office.entries(Action.RIGHTS_APPROVAL) == []
