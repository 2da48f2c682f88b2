"""Staff sign in with passkey and password. What does not hold is answered alike, and leaves an entry."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.entry import Access
from audit.log import TrailQuery
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.actors import Role
from portal.services.passwords import WRONG_IN_A_ROW
from portal.services.sessions import Method
from tests.factories.apps import FakePortal
from tests.factories.staff import Member, asked_by, enrolled, send
from tests.fakes.authenticator import USER_PRESENT, SoftAuthenticator


@pytest.fixture
def member(portal: FakePortal) -> Member:
    return enrolled(portal, Role.CASEWORKER)


def _entries(portal: FakePortal, action: Action) -> list[Access]:
    return [
        logged.access
        for logged in portal.house.log.stream(TrailQuery())
        if logged.access and logged.access.action == action
    ]


def _plain(answer: Any) -> str:
    """The page without what is new each time: tokens, options, and the request's number."""
    text = answer.get_data(as_text=True)
    text = re.sub(r'(name="(?:csrf_token|ceremony)" value=")[^"]*', r"\1", text)
    return re.sub(r'data-options="[^"]*"|[0-9a-f]{16}', "", text)


def test_passkey_and_password_let_somebody_in_at_the_highest_level(member: Member) -> None:
    client = member.signed_in()
    assert client.get("/casework").status_code == 200
    [entry] = _entries(member.portal, Action.SIGN_IN)
    assert (entry.outcome, entry.official) == (Outcome.DONE, member.account_id)
    assert (entry.details["method"], entry.details["assurance"]) == (Method.PASSKEY, "high")


#: One lie each, and why the log says that it was refused.
LIES: list[tuple[dict[str, Any], Reason]] = [
    ({"challenge": "A" * 43}, Reason.PASSKEY_REFUSED),
    ({"origin": "https://glasshouse.example.evil"}, Reason.PASSKEY_REFUSED),
    ({"rp_id": "evil.example"}, Reason.PASSKEY_REFUSED),
    ({"flags": USER_PRESENT}, Reason.PASSKEY_REFUSED),
    ({"flags": 0}, Reason.PASSKEY_REFUSED),
    ({"type": "webauthn.create"}, Reason.PASSKEY_REFUSED),
    ({"signature": b"0\x06\x02\x01\x01\x02\x01\x01"}, Reason.PASSKEY_REFUSED),
    ({"signature": b"no signature at all"}, Reason.PASSKEY_REFUSED),
    ({"user_handle": b"somebody else"}, Reason.PASSKEY_UNKNOWN),
    ({"sign_count": 0}, Reason.PASSKEY_COUNTER),
    ({"sign_count": 1}, Reason.PASSKEY_COUNTER),
]


def test_an_answer_that_does_not_hold_lets_nobody_in(member: Member) -> None:
    member.signed_in()
    for lie, reason in LIES:
        client = member.portal.app.test_client()
        answer = member.sign_in(client, **lie)
        assert answer.status_code == 401, lie
        assert client.get("/casework").status_code == 302, lie
        assert _entries(member.portal, Action.SIGN_IN)[-1].reason == reason, lie
        member.key.sign_count = 1


def test_every_failure_gets_the_same_page(member: Member) -> None:
    """An unknown key, a known key that lies, a wrong password: whoever tries learns nothing of who is known here."""
    portal = member.portal
    stranger = Member(portal, "nobody", SoftAuthenticator(portal.house.staff.passkeys.origin))
    pages = {
        _plain(stranger.sign_in(portal.app.test_client())),
        _plain(member.sign_in(portal.app.test_client(), origin="https://evil.example")),
        _plain(member.sign_in(portal.app.test_client(), password="mitte see parool")),
    }
    assert len(pages) == 1
    outcomes = {(entry.outcome, entry.official, entry.reason) for entry in _entries(portal, Action.SIGN_IN)}
    assert outcomes == {
        (Outcome.DENIED, None, Reason.PASSKEY_UNKNOWN),
        (Outcome.DENIED, member.account_id, Reason.PASSKEY_REFUSED),
        (Outcome.DENIED, member.account_id, Reason.PASSWORD_WRONG),
    }


def test_an_unknown_credential_costs_as_much_work_as_a_known_one(
    member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted rather than timed: one signature is checked and one password digested, whoever it is."""
    import webauthn.authentication.verify_authentication_response as verification
    from argon2 import PasswordHasher

    done: list[str] = []
    check, digest = verification.verify_signature, PasswordHasher.verify
    monkeypatch.setattr(verification, "verify_signature", lambda **given: done.append("signature") or check(**given))
    monkeypatch.setattr(PasswordHasher, "verify", lambda *given: done.append("password") or digest(*given))
    portal = member.portal
    stranger = Member(portal, "nobody", SoftAuthenticator(portal.house.staff.passkeys.origin))
    for somebody in (stranger, member):
        done.clear()
        somebody.sign_in(portal.app.test_client(), password="mitte see parool")
        assert done == ["signature", "password"]


NO_ANSWERS = (
    "",
    "null",
    "[]",
    "{}",
    '{"id": 5}',
    "[" * 5000,
    "x" * 20_000,
    '{"id":"A","rawId":"A","type":"public-key","response":{}}',
    '{"id":"A","rawId":"A","type":"public-key","response":{"clientDataJSON":"A","authenticatorData":"A","signature":"A"}}',
)


def test_what_is_no_answer_at_all_is_refused_in_words(member: Member) -> None:
    client = member.portal.app.test_client()
    for credential in NO_ANSWERS:
        asked = asked_by(client.get("/staff/sign-in"))
        answer = send(client, "/staff/sign-in", asked, credential=credential, password=member.password)
        assert answer.status_code == 401, credential[:50]
        assert "You are not signed in" in answer.get_data(as_text=True)


def test_a_challenge_is_answered_once(member: Member) -> None:
    client = member.portal.app.test_client()
    asked = asked_by(client.get("/staff/sign-in"))
    proof = member.key.prove(asked.options)
    assert send(client, "/staff/sign-in", asked, credential=proof, password=member.password).status_code == 302
    again = member.portal.app.test_client()
    with client.session_transaction() as kept, again.session_transaction() as planted:
        planted.update(kept)
    asked.fields["csrf_token"] = asked_by(again.get("/staff/sign-in")).fields["csrf_token"]
    replayed = send(again, "/staff/sign-in", asked, credential=proof, password=member.password)
    assert replayed.status_code == 401


def test_a_wrong_answer_uses_the_challenge_up(member: Member) -> None:
    client = member.portal.app.test_client()
    asked = asked_by(client.get("/staff/sign-in"))
    lie = member.key.prove(asked.options, origin="https://evil.example")
    assert send(client, "/staff/sign-in", asked, credential=lie, password=member.password).status_code == 401
    truth = member.key.prove(asked.options)
    assert send(client, "/staff/sign-in", asked, credential=truth, password=member.password).status_code == 401


def test_an_answer_counts_only_in_the_browser_that_was_asked(member: Member) -> None:
    """A page that an attacker fetched, answered by the victim's authenticator, signs the attacker in to nothing."""
    attacker, victim = member.portal.app.test_client(), member.portal.app.test_client()
    asked = asked_by(attacker.get("/staff/sign-in"))
    own = asked_by(victim.get("/staff/sign-in"))
    own.fields["ceremony"] = asked.fields["ceremony"]
    proof = member.key.prove(asked.options)
    assert send(victim, "/staff/sign-in", own, credential=proof, password=member.password).status_code == 401


def test_a_challenge_runs_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [datetime(2026, 3, 2, 8, 0, tzinfo=UTC)]
    portal = FakePortal.build(tmp_path, monkeypatch, clock=lambda: now[0])
    member = enrolled(portal, Role.CASEWORKER)
    client = portal.app.test_client()
    asked = asked_by(client.get("/staff/sign-in"))
    now[0] += timedelta(minutes=11)
    proof = member.key.prove(asked.options)
    assert send(client, "/staff/sign-in", asked, credential=proof, password=member.password).status_code == 401
    assert member.sign_in(client).status_code == 302
    portal.close()


def test_a_challenge_for_something_else_does_not_sign_in(member: Member) -> None:
    client = member.signed_in()
    errand = client.get("/account/passkeys/add")
    assert errand.status_code == 200, "the sign-in itself is fresh"
    asked = asked_by(errand)
    other = member.portal.app.test_client()
    own = asked_by(other.get("/staff/sign-in"))
    own.fields["ceremony"] = asked.fields["ceremony"]
    proof = member.key.prove(own.options, challenge=_challenge(asked.options))
    assert send(other, "/staff/sign-in", own, credential=proof, password=member.password).status_code == 401


def _challenge(options: str) -> str:
    import json

    challenge: str = json.loads(options)["challenge"]
    return challenge


def test_somebody_who_closed_the_account_of_a_person_shut_that_person_out(member: Member) -> None:
    from sqlalchemy import create_engine, text

    engine = create_engine(member.portal.settings.database_url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE accounts SET is_active = :no WHERE id = :id"), {"no": False, "id": member.account_id}
        )
    engine.dispose()
    assert member.sign_in(member.portal.app.test_client()).status_code == 401
    assert _entries(member.portal, Action.SIGN_IN)[-1].reason == Reason.ACCOUNT_CLOSED


def test_wrong_passwords_lock_for_a_while_and_only_the_owner_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [datetime(2026, 3, 2, 8, 0, tzinfo=UTC)]
    portal = FakePortal.build(tmp_path, monkeypatch, clock=lambda: now[0])
    member = enrolled(portal, Role.CASEWORKER)
    client = portal.app.test_client()
    for _ in range(WRONG_IN_A_ROW):
        answer = member.sign_in(client, password="mitte see parool")
        assert answer.status_code == 401
    assert "wrong too often" in answer.get_data(as_text=True)
    assert len(_entries(portal, Action.SIGN_IN_LOCKOUT)) == 1
    assert member.sign_in(client).status_code == 401, "locked, although the password is right"
    stranger = Member(portal, "nobody", SoftAuthenticator(portal.house.staff.passkeys.origin))
    assert "wrong too often" not in stranger.sign_in(client).get_data(as_text=True)
    now[0] += timedelta(minutes=16)
    assert member.sign_in(client).status_code == 302
    assert "wrong too often with one of your passkeys" in client.get("/account").get_data(as_text=True)
    portal.close()


def test_a_stranger_locks_nobody_out(member: Member) -> None:
    portal = member.portal
    stranger = Member(portal, "nobody", SoftAuthenticator(portal.house.staff.passkeys.origin))
    stranger.key.credential_id = member.key.credential_id
    for _ in range(WRONG_IN_A_ROW + 1):
        assert stranger.sign_in(portal.app.test_client(), password="x").status_code == 401
    assert member.sign_in(portal.app.test_client()).status_code == 302


def test_the_password_is_digested_with_argon2_sealed_and_never_in_the_clear(member: Member) -> None:
    from sqlalchemy import create_engine, text

    engine = create_engine(member.portal.settings.database_url)
    with engine.connect() as connection:
        [sealed] = connection.execute(
            text("SELECT sealed_password FROM staff_credentials WHERE account_id = :id"), {"id": member.account_id}
        ).one()
    engine.dispose()
    assert b"argon2" not in sealed
    assert member.password.encode() not in b"".join(
        file.read_bytes() for file in member.portal.settings.data_dir.rglob("*") if file.is_file()
    )


def test_signing_in_leads_to_the_page_that_was_asked_for_and_to_no_other_host(member: Member) -> None:
    for wanted, led in (("/casework/history", "/casework/history"), ("//evil.example", "/casework/cases")):
        client = member.portal.app.test_client()
        asked = asked_by(client.get("/staff/sign-in", query_string={"next": wanted}))
        proof = member.key.prove(asked.options)
        answer = send(client, "/staff/sign-in", asked, credential=proof, password=member.password)
        assert answer.location == led


def test_what_is_grave_asks_for_the_passkey_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [datetime(2026, 3, 2, 8, 0, tzinfo=UTC)]
    portal = FakePortal.build(tmp_path, monkeypatch, clock=lambda: now[0])
    member, colleague = enrolled(portal, Role.CASEWORKER), enrolled(portal, Role.CASEWORKER, name="Olev Oja")
    client = member.signed_in()
    now[0] += timedelta(minutes=11)
    led = client.get("/account/passkeys/add")
    assert led.location.startswith("/step-up/")
    assert led.location.endswith("/passkey")
    asked = asked_by(client.get(led.location))
    others = colleague.key.prove(asked.options)
    assert send(client, led.location, asked, credential=others).status_code == 401
    assert _entries(portal, Action.STEP_UP)[-1].outcome == Outcome.DENIED
    assert client.get("/account/passkeys/add").status_code == 303
    assert member.confirm(client, client.get("/account/passkeys/add")).location == "/account/passkeys/add"
    assert client.get("/account/passkeys/add").status_code == 200
    portal.close()


def test_a_password_and_a_passkey_serve_as_long_as_nobody_replaces_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [datetime(2026, 3, 2, 8, 0, tzinfo=UTC)]
    portal = FakePortal.build(tmp_path, monkeypatch, clock=lambda: now[0])
    member = enrolled(portal, Role.CASEWORKER)
    now[0] += timedelta(days=5 * 365)
    assert member.signed_in().get("/casework").status_code == 200
    portal.close()
