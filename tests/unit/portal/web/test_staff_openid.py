"""Staff through their employer's provider: its claims say what they are, at each sign-in, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.entry import Access
from audit.log import TrailQuery
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.staff import Standing
from portal.furnishing import StartRefused
from portal.services.staff_accounts import AccountFilter
from tests.factories.apps import FakePortal
from tests.factories.sign_ins import SignIn, provider_settings
from tests.fakes.hostile_provider import CLIENT_ID, MARYS_SUB, HostileProvider, hostile_provider, signed

RETURN = "/staff/sign-in/return"
ROLES = {"gh-caseworker": "caseworker", "gh-auditor": "auditor", "gh-admin": "administrator"}
ORGANISATIONS = {"ska": "social-insurance-board", "aki": "data-protection-inspectorate"}


def _settings(issuer: str, **changes: Any) -> dict[str, Any]:
    """A provider of staff alone: the tests' citizens would have another one."""
    [oidc] = provider_settings(issuer).values()
    return {"staff_oidc": oidc | {"roles": ROLES, "organisations": ORGANISATIONS} | changes}


@pytest.fixture
def provider() -> Iterator[HostileProvider]:
    with hostile_provider() as provider:
        provider.sub = "kadri.kask"
        yield provider


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: HostileProvider) -> Iterator[FakePortal]:
    portal = FakePortal.build(tmp_path, monkeypatch, **_settings(provider.issuer))
    yield portal
    portal.close()


def _sign_in(portal: FakePortal, provider: HostileProvider, roles: object, organisation: object = "ska") -> SignIn:
    provider.change = lambda claims: claims.update(roles=roles, organisation=organisation)
    sign_in = SignIn.begin(portal, provider, "/staff/sign-in/provider")
    sign_in.answer = sign_in.client.get(RETURN, query_string=_answer(sign_in, provider))  # type: ignore[attr-defined]
    return sign_in


def _answer(sign_in: SignIn, provider: HostileProvider) -> dict[str, str]:
    provider.nonce = sign_in.asked["nonce"]
    return {"state": sign_in.asked["state"], "code": f"code-{sign_in.asked['nonce']}", "iss": provider.issuer}


def _entries(portal: FakePortal, action: Action) -> list[Access]:
    stream = portal.house.log.stream(TrailQuery())
    return [logged.access for logged in stream if logged.access and logged.access.action == action]


def test_the_claims_say_what_somebody_is_from_the_first_sign_in_on(
    portal: FakePortal, provider: HostileProvider
) -> None:
    sign_in = _sign_in(portal, provider, ["somebody-elses-role", "gh-caseworker"])
    assert sign_in.asked["redirect_uri"].endswith(RETURN)
    assert sign_in.client.get("/casework").status_code == 200
    [entry] = _entries(portal, Action.SIGN_IN)
    assert (entry.details["method"], entry.organisation, entry.subject) == (
        "staff-openid", "social-insurance-board", None,
    )  # fmt: skip
    again = _sign_in(portal, provider, ["gh-caseworker"])
    assert again.client.get("/casework").status_code == 200
    assert len(portal.house.staff.accounts.page(AccountFilter(name="Mari Maasikas")).lines) == 1
    assert "You sign in through another service" in again.client.get("/account").get_data(as_text=True)


@pytest.mark.parametrize(
    ("roles", "organisation"),
    [
        ([], "ska"),
        (None, "ska"),
        (["citizen", "administrator"], "ska"),
        (["gh-caseworker", "gh-auditor"], "ska"),
        ({"gh-auditor": True}, "ska"),
        ("GH-AUDITOR", "ska"),
        (["gh-caseworker"], "nowhere"),
        (["gh-caseworker"], ["ska"]),
        (["gh-caseworker"], None),
    ],
    ids=str,
)
def test_whoever_the_claims_give_no_single_role_is_nobody(
    portal: FakePortal, provider: HostileProvider, roles: object, organisation: object
) -> None:
    sign_in = _sign_in(portal, provider, roles, organisation)
    assert sign_in.answer.status_code == 403  # type: ignore[attr-defined]
    assert "You have no role here" in sign_in.answer.get_data(as_text=True)  # type: ignore[attr-defined]
    assert not portal.house.staff.accounts.page(AccountFilter(name="Mari Maasikas")).lines
    assert [(entry.outcome, entry.reason) for entry in _entries(portal, Action.SIGN_IN)] == [
        (Outcome.DENIED, Reason.NO_ROLE)
    ]


def test_another_role_ends_what_was_there_before(portal: FakePortal, provider: HostileProvider) -> None:
    working = _sign_in(portal, provider, ["gh-caseworker"])
    assert working.client.get("/casework").status_code == 200
    moved = _sign_in(portal, provider, ["gh-auditor"], "aki")
    assert working.client.get("/casework").status_code == 302
    assert moved.client.get("/oversight").status_code == 200
    assert moved.client.get("/casework").status_code == 404
    change = _entries(portal, Action.RIGHTS_CHANGE)[-1]
    assert (change.details["role-before"], change.details["role"]) == ("caseworker", "auditor")


def test_whoever_loses_the_role_is_closed_and_an_administrator_decides_on_the_way_back(
    portal: FakePortal, provider: HostileProvider
) -> None:
    working = _sign_in(portal, provider, ["gh-caseworker"])
    _sign_in(portal, provider, [])
    assert working.client.get("/casework").status_code == 302
    [line] = portal.house.staff.accounts.page(AccountFilter(name="Mari Maasikas")).lines
    assert line.standing is Standing.CLOSED
    assert _entries(portal, Action.ACCOUNT_CLOSURE)[-1].reason == Reason.NO_ROLE
    back = _sign_in(portal, provider, ["gh-caseworker"])
    assert "Your account is closed" in back.answer.get_data(as_text=True)  # type: ignore[attr-defined]
    administrator = portal.client("administrator", stepped_up=True)
    form = {"reason": "Back from parental leave"}
    portal.post(administrator, f"/administration/accounts/{line.account_id}/reopen", **form)
    assert _sign_in(portal, provider, ["gh-caseworker"]).client.get("/casework").status_code == 200


def test_the_providers_word_ends_the_session_at_once(portal: FakePortal, provider: HostileProvider) -> None:
    working = _sign_in(portal, provider, ["gh-caseworker"])
    stranger = portal.client("caseworker")
    path = "/staff/sign-in/back-channel-logout"
    client = portal.app.test_client()
    for lie in ({"aud": "another"}, {"sid": ...}, {"events": ...}):
        token = signed(provider.logout_claims(**lie))
        assert client.post(path, data={"logout_token": token}).status_code == 400, lie
    assert working.client.get("/casework").status_code == 200
    assert client.post(path, data={"logout_token": signed(provider.logout_claims())}).status_code == 200
    assert working.client.get("/casework").status_code == 302
    assert stranger.get("/casework").status_code == 200
    assert _entries(portal, Action.SESSION_END)[-1].reason == Reason.ENDED_BY_PROVIDER


def test_the_hostile_answers_that_citizens_are_kept_from_let_no_staff_in_either(
    portal: FakePortal, provider: HostileProvider
) -> None:
    lies: list[dict[str, Any]] = [{"nonce": "x"}, {"iss": "http://127.0.0.1:1"}, {"aud": "another"}, {"exp": 1}]
    for lie in lies:
        sign_in = SignIn.begin(portal, provider, "/staff/sign-in/provider")
        answer = _answer(sign_in, provider)
        provider.change = lambda claims, lie=lie: claims.update(roles="gh-admin", organisation="ska", **lie)
        assert sign_in.client.get(RETURN, query_string=answer).status_code == 400, lie
        assert sign_in.client.get("/administration").status_code == 302
    assert CLIENT_ID


def test_a_citizens_personal_code_in_sub_is_no_citizens_account_here(
    portal: FakePortal, provider: HostileProvider
) -> None:
    provider.sub = MARYS_SUB
    sign_in = _sign_in(portal, provider, "gh-caseworker")
    assert sign_in.client.get("/casework").status_code == 200
    assert sign_in.client.get("/me").status_code == 404


def test_what_is_grave_is_confirmed_at_the_same_provider_by_the_same_person(
    portal: FakePortal, provider: HostileProvider
) -> None:
    provider.acr = "substantial"
    sign_in = _sign_in(portal, provider, "gh-auditor", "aki")
    led = portal.post(sign_in.client, "/oversight/export", format="csv")
    assert led.location.endswith("/employer")
    assert "your employer’s sign-in service once more" in sign_in.client.get(led.location).get_data(as_text=True)
    there = sign_in.client.get(f"{led.location}/start").location
    assert there.startswith(provider.issuer)
    assert "acr_values=high" in there


def test_settings_that_name_no_role_of_staff_do_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: HostileProvider
) -> None:
    wrong = {"roles": {"x": "citizen", "y": "root"}, "organisations": {"z": "nowhere"}}
    with pytest.raises(StartRefused) as refused:
        FakePortal.build(tmp_path, monkeypatch, **_settings(provider.issuer, **wrong))
    for named in ("citizen is no role of staff", "root is no role of staff", "nowhere is not in the catalogue"):
        assert named in str(refused.value)
