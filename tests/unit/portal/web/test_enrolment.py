"""A code lets one person set a password and a passkey, once, in time, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.errors import LogUnavailable
from audit.log import TrailQuery
from portal.domain.actions import Action
from portal.domain.actors import Role
from portal.services.administration import Invitation
from tests.factories.apps import FakePortal
from tests.factories.staff import REASON, Member, asked_by, enrol, enrolled, send
from tests.fakes.authenticator import USER_PRESENT, SoftAuthenticator

MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Clock:
    now = MORNING

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[FakePortal]:
    portal = FakePortal.build(tmp_path, monkeypatch, clock=clock)
    yield portal
    portal.close()


def _invited(portal: FakePortal, name: str = "Tiina Tamm") -> tuple[Member, str]:
    """Somebody who has a code and has not used it."""
    invitation = Invitation(name, Role.CASEWORKER, "social-insurance-board", REASON)
    done = portal.house.staff.administration.invite_from_the_machine(invitation, "r")
    assert done.code is not None
    return Member(portal, done.account_id, SoftAuthenticator(portal.house.staff.passkeys.origin)), done.code


def _says(answer: Any, words: str) -> bool:
    return words in answer.get_data(as_text=True)


def test_an_account_opens_nothing_before_password_and_passkey_are_set(portal: FakePortal) -> None:
    member, code = _invited(portal)
    assert member.sign_in(portal.app.test_client()).status_code == 401
    assert enrol(portal, member, code).status_code == 200
    assert member.sign_in(portal.app.test_client()).status_code == 302
    actions = [logged.access.action for logged in portal.house.log.stream(TrailQuery()) if logged.access]
    assert actions == [Action.STAFF_INVITATION, Action.SIGN_IN, Action.STAFF_ENROLMENT, Action.SIGN_IN]


def test_a_code_is_used_once_and_runs_out(portal: FakePortal, clock: Clock) -> None:
    member, code = _invited(portal)
    assert enrol(portal, member, code).status_code == 200
    again = Member(portal, member.account_id, SoftAuthenticator(member.key.origin))
    assert _says(enrol(portal, again, code), "This code does not open anything")
    late, late_code = _invited(portal, "Olev Oja")
    clock.now += timedelta(hours=73)
    assert _says(enrol(portal, late, late_code), "This code does not open anything")
    assert late.sign_in(portal.app.test_client()).status_code == 401


def test_a_code_that_ends_while_the_form_is_filled_in_sets_nothing(portal: FakePortal, clock: Clock) -> None:
    member, code = _invited(portal)
    client = portal.app.test_client()
    asked = asked_by(portal.post(client, "/staff/enrol", code=code))
    clock.now += timedelta(hours=73)
    given = {"password": member.password, "passkey_name": "Key", "credential": member.key.make(asked.options)}
    assert _says(send(client, "/staff/enrol/complete", asked, **given), "This code does not open anything")


@pytest.mark.parametrize("code", ["", " ", "none", "x" * 5000, "' OR 1=1 --", "äöü", "\u202e"])
def test_what_is_no_code_opens_nothing(portal: FakePortal, code: str) -> None:
    answer = portal.post(portal.app.test_client(), "/staff/enrol", code=code)
    assert answer.status_code == 400
    assert not _says(answer, "data-passkey")


def test_an_authenticator_that_lies_sets_nothing_and_the_code_stays(portal: FakePortal) -> None:
    member, code = _invited(portal)
    client = portal.app.test_client()
    lies: list[dict[str, Any]] = [
        {"challenge": "A" * 43},
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"flags": USER_PRESENT},
    ]
    for lie in lies:
        asked = asked_by(portal.post(client, "/staff/enrol", code=code))
        credential = member.key.make(asked.options, **lie)
        given = {"password": member.password, "passkey_name": "Key", "credential": credential}
        answer = send(client, "/staff/enrol/complete", asked, **given)
        assert answer.status_code == 400, lie
        assert _says(answer, "The passkey was not accepted"), lie
        assert portal.house.staff.accounts.line(member.account_id).passkeys == 0
    assert enrol(portal, member, code).status_code == 200


def test_a_credential_of_somebody_else_cannot_be_registered_again(portal: FakePortal) -> None:
    colleague = enrolled(portal, Role.CASEWORKER)
    member, code = _invited(portal, "Olev Oja")
    member.key.credential_id = colleague.key.credential_id
    assert _says(enrol(portal, member, code), "The passkey was not accepted")
    assert colleague.sign_in(portal.app.test_client()).status_code == 302


def test_a_weak_password_is_named_beside_its_field_and_nothing_is_lost(portal: FakePortal) -> None:
    member, code = _invited(portal)
    assert _says(enrol(portal, member, code, password="lühike"), "The password is too short")
    assert _says(enrol(portal, member, code, password="Tiina Tamm 2026"), "The password is mostly your name")
    assert _says(enrol(portal, member, code, password="password1234"), "Many people use a password like this one")
    assert _says(enrol(portal, member, code, passkey_name=" "), "Give the passkey a name")
    assert enrol(portal, member, code).status_code == 200


def test_nothing_is_set_when_it_cannot_be_recorded(portal: FakePortal, monkeypatch: pytest.MonkeyPatch) -> None:
    member, code = _invited(portal)

    def broken(*_: object) -> None:
        raise LogUnavailable("gone")

    with monkeypatch.context() as without_log:
        without_log.setattr(portal.house.log.__class__, "append_all", broken)
        assert enrol(portal, member, code).status_code == 503
    assert portal.house.staff.accounts.line(member.account_id).passkeys == 0
    assert enrol(portal, member, code).status_code == 200


def test_the_code_is_in_no_database_and_no_log(portal: FakePortal, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    member, code = _invited(portal)
    assert enrol(portal, member, code).status_code == 200
    assert code not in caplog.text
    assert member.password not in caplog.text
    assert "Tiina" not in caplog.text
    for file in portal.settings.data_dir.rglob("*"):
        if file.is_file():
            assert code.encode() not in file.read_bytes(), file


def test_the_page_says_plainly_what_is_missing_without_javascript(portal: FakePortal) -> None:
    page = portal.app.test_client().get("/staff/sign-in").get_data(as_text=True)
    assert "A passkey needs JavaScript" in page
    assert 'data-passkey-button="True" hidden' in page or "hidden" in page.partition("data-passkey-button")[2][:40]
