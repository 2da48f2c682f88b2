"""Staff look after their own passkeys and password, and are told what happened to their account."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from audit.log import TrailQuery
from portal.domain.actions import Action, Reason
from portal.domain.actors import Role
from tests.factories.apps import FakePortal
from tests.factories.staff import Member, asked_by, enrolled, send
from tests.fakes.authenticator import SoftAuthenticator


@pytest.fixture
def member(portal: FakePortal) -> Member:
    return enrolled(portal, Role.CASEWORKER)


def _add(member: Member, client: FlaskClient, key: SoftAuthenticator, name: str = "Red key") -> int:
    asked = asked_by(client.get("/account/passkeys/add"))
    answer = send(client, "/account/passkeys/add", asked, passkey_name=name, credential=key.make(asked.options))
    status: int = answer.status_code
    return status


def _keys(client: FlaskClient) -> list[str]:
    return re.findall(r'name="passkey" value="([^"]+)"', client.get("/account").get_data(as_text=True))


def _actions(portal: FakePortal) -> list[str]:
    return [logged.access.action for logged in portal.house.log.stream(TrailQuery()) if logged.access]


def test_a_person_has_several_passkeys_with_names_and_each_signs_in(member: Member) -> None:
    client = member.signed_in()
    second = SoftAuthenticator(member.key.origin)
    assert _add(member, client, second) == 303
    page = client.get("/account").get_data(as_text=True)
    assert "Blue key" in page
    assert "Red key" in page
    assert "A passkey was added." in page
    assert Member(member.portal, member.account_id, second).sign_in(member.portal.app.test_client()).status_code == 302
    assert Action.PASSKEY_ADDITION in _actions(member.portal)


def test_a_removed_passkey_opens_nothing_and_the_last_one_stays(member: Member) -> None:
    portal, client = member.portal, member.signed_in()
    second = SoftAuthenticator(member.key.origin)
    assert _add(member, client, second) == 303
    first, _ = _keys(client)
    assert portal.post(client, "/account/passkeys/remove", passkey=first).status_code == 303
    assert member.sign_in(portal.app.test_client()).status_code == 401
    [line] = portal.house.staff.passkeys.of_account(member.account_id)
    refused = portal.post(client, "/account/passkeys/remove", passkey=line.passkey_id)
    assert refused.status_code == 400
    assert "This is your only passkey" in refused.get_data(as_text=True)
    assert Member(portal, member.account_id, second).sign_in(portal.app.test_client()).status_code == 302
    assert _actions(portal).count(Action.PASSKEY_REMOVAL) == 1


def test_nobody_removes_a_passkey_of_somebody_else(member: Member) -> None:
    portal = member.portal
    attacker = enrolled(portal, Role.CASEWORKER, name="Olev Oja").signed_in()
    [line] = portal.house.staff.passkeys.of_account(member.account_id)
    refused = portal.post(attacker, "/account/passkeys/remove", passkey=line.passkey_id)
    missing = portal.post(attacker, "/account/passkeys/remove", passkey="none")
    assert (refused.status_code, missing.status_code) == (404, 404)
    assert len(portal.house.staff.passkeys.of_account(member.account_id)) == 1


def test_an_authenticator_is_not_registered_twice_and_no_account_grows_without_end(member: Member) -> None:
    client = member.signed_in()
    assert _add(member, client, member.key) == 400
    for number in range(9):
        assert _add(member, client, SoftAuthenticator(member.key.origin), f"Key {number}") == 303
    assert _add(member, client, SoftAuthenticator(member.key.origin)) == 400


def test_a_password_changes_only_for_somebody_who_knows_the_one_before(member: Member) -> None:
    portal, client = member.portal, member.signed_in()
    new = "uus parool metsa taga"
    wrong = portal.post(client, "/account/password", current="mitte see parool", new=new)
    assert "This is not your password." in wrong.get_data(as_text=True)
    weak = portal.post(client, "/account/password", current=member.password, new="password1234")
    assert "Many people use a password like this one" in weak.get_data(as_text=True)
    assert portal.post(client, "/account/password", current=member.password, new=new).status_code == 303
    assert member.sign_in(portal.app.test_client()).status_code == 401
    assert member.sign_in(portal.app.test_client(), password=new).status_code == 302
    assert "The password was changed." in client.get("/account").get_data(as_text=True)
    portal.post(client, "/account/notices")
    assert "The password was changed." not in client.get("/account").get_data(as_text=True)


def test_every_change_of_credentials_ends_the_other_sessions_and_keeps_this_one(member: Member) -> None:
    portal, here = member.portal, member.signed_in()

    def is_out(change: Callable[[], object]) -> bool:
        there = Member(portal, member.account_id, key, password[-1]).signed_in()
        assert there.get("/casework").status_code == 200
        change()
        return there.get("/casework").status_code == 302

    key, password, second = member.key, [member.password], SoftAuthenticator(member.key.origin)
    new = "uus parool metsa taga"
    assert is_out(lambda: _add(member, here, second))
    assert is_out(lambda: portal.post(here, "/account/passkeys/remove", passkey=_keys(here)[1]))
    assert is_out(lambda: portal.post(here, "/account/password", current=member.password, new=new))
    assert here.get("/casework").status_code == 200
    reasons = [one.access.reason for one in portal.house.log.stream(TrailQuery()) if one.access]
    assert reasons.count(Reason.CREDENTIALS_CHANGED) == 3


def test_an_account_without_local_credentials_is_told_so(portal: FakePortal) -> None:
    client = portal.client("auditor", stepped_up=True)
    assert "You sign in through another service" in client.get("/account").get_data(as_text=True)
    assert client.get("/account/password").status_code == 404
    assert client.get("/account/passkeys/add").status_code == 404
    assert portal.post(client, "/account/passkeys/remove", passkey="x").status_code == 404
    assert portal.client("citizen").get("/account").status_code == 404
