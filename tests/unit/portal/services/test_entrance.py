"""Coming in and going out leave entries, and nobody comes in without one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit.entry import Access
from audit.errors import LogUnavailable
from audit.log import TrailQuery
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.actors import Actor, Role
from portal.domain.assurance import Assurance, Demand
from portal.domain.devices import Device
from portal.domain.errors import DisclosureUnavailable, NothingHere
from portal.models.accounts import Account
from portal.services.accounts import NewAccount
from portal.services.entrance import Present, Visit
from portal.services.sessions import Method, Proof
from tests.factories.houses import FakeHouse
from tests.factories.people import JUHAN, KADRI, MARY

FIREFOX = Device("Firefox", "Linux")
PROOF = Proof(Method.DEMONSTRATION, Assurance.SUBSTANTIAL)


def _person(house: FakeHouse, role: Role = Role.CITIZEN) -> Actor:
    code = MARY if role is Role.CITIZEN else KADRI
    [account_id] = house.accounts.open([NewAccount(role, "Mari", personal_code=code)])
    return house.accounts.actor(account_id)


def _let_in(house: FakeHouse, actor: Actor, token: str | None = None) -> str:
    return house.entrance.let_in(actor, PROOF, Visit("r-in", FIREFOX, token))


def _visit(token: str, *, device: Device = FIREFOX, network: str = "") -> Visit:
    return Visit("r-next", device, token, network)


def _present(house: FakeHouse, token: str) -> Present:
    present = house.entrance.who(_visit(token))
    assert present is not None
    return present


def _history(house: FakeHouse) -> list[Access]:
    """Mary's own part of the log, oldest first."""
    return [logged.access for logged in house.log.stream(TrailQuery(subject=MARY.subject)) if logged.access]


def test_signing_in_and_out_is_in_the_persons_own_history(house: FakeHouse) -> None:
    present = _present(house, _let_in(house, _person(house)))
    house.entrance.sign_out(present, "r-out")
    came, went = _history(house)
    assert (came.action, came.outcome, came.request_id) == (Action.SIGN_IN, Outcome.DONE, "r-in")
    assert dict(came.details) == {
        "session": present.session.session_id, "method": "demonstration", "assurance": "substantial",
    }  # fmt: skip
    assert (went.action, went.details["session"]) == (Action.SIGN_OUT, present.session.session_id)


def test_an_officials_sign_in_is_about_the_official_and_no_data_subject(house: FakeHouse) -> None:
    actor = _person(house, Role.CASEWORKER)
    _let_in(house, actor)
    access = house.log.entry(0).access
    assert access is not None
    assert (access.subject, access.official) == (None, actor.account_id)


def test_nobody_comes_in_when_the_entry_cannot_be_made(house: FakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = _person(house)
    monkeypatch.setattr(house.log.__class__, "append_all", _broken)
    with pytest.raises(DisclosureUnavailable):
        _let_in(house, actor)
    assert house.sessions.of_account(actor.account_id) == []


def test_going_out_does_not_wait_for_the_log(house: FakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    token = _let_in(house, _person(house))
    present = _present(house, token)
    monkeypatch.setattr(house.log.__class__, "append_all", _broken)
    with pytest.raises(DisclosureUnavailable):
        house.entrance.sign_out(present, "r-out")
    assert house.entrance.who(_visit(token)) is None


def test_signing_in_again_ends_the_session_that_the_browser_had(house: FakeHouse) -> None:
    actor = _person(house)
    first = _let_in(house, actor)
    second = _let_in(house, actor, first)
    assert house.entrance.who(_visit(first)) is None
    assert _present(house, second).actor == actor


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "auditor"}])
def test_a_closed_account_or_another_role_ends_its_sessions(house: FakeHouse, change: dict[str, object]) -> None:
    actor = _person(house)
    token = _let_in(house, actor)
    _alter(house, actor, **change)
    assert house.entrance.who(_visit(token)) is None
    _alter(house, actor, is_active=True, role="citizen")
    assert house.entrance.who(_visit(token)) is None, "it ended for good"


def test_a_person_ends_one_session_or_all_others(house: FakeHouse) -> None:
    actor = _person(house)
    here, there, elsewhere = (_let_in(house, actor) for _ in range(3))
    present = _present(house, here)
    house.entrance.end_one(present, _present(house, there).session.session_id, "r-end")
    assert house.entrance.who(_visit(there)) is None
    assert house.entrance.end_others(present, "r-end") == 1
    assert house.entrance.who(_visit(elsewhere)) is None
    assert _present(house, here).session == present.session
    ended = _history(house)[-2:]
    assert {(one.action, one.reason) for one in ended} == {(Action.SESSION_END, Reason.ENDED_ELSEWHERE)}


def test_nobody_ends_a_session_of_somebody_else_or_this_one_by_the_list(house: FakeHouse) -> None:
    token = _let_in(house, _person(house))
    [other_id] = house.accounts.open([NewAccount(Role.CITIZEN, "Juhan", personal_code=JUHAN)])
    others = _let_in(house, house.accounts.actor(other_id))
    present = _present(house, token)
    for session_id in ("", "none", present.session.session_id, _present(house, others).session.session_id):
        with pytest.raises(NothingHere):
            house.entrance.end_one(present, session_id, "r-end")
    assert house.entrance.who(_visit(others)) is not None


def test_a_refused_sign_in_is_in_the_history_of_the_person_it_would_have_been(house: FakeHouse) -> None:
    house.entrance.refuse(MARY, Reason.ASSURANCE_TOO_LOW, "r-in")
    [refused] = _history(house)
    assert (refused.action, refused.outcome, refused.reason) == (
        Action.SIGN_IN, Outcome.DENIED, Reason.ASSURANCE_TOO_LOW,
    )  # fmt: skip


def test_a_visit_does_not_show_its_token() -> None:
    assert "secret" not in repr(Visit("r", Device(), "secret"))


def _broken(*_: object) -> None:
    raise LogUnavailable("no disk")


def _alter(house: FakeHouse, actor: Actor, **change: object) -> None:
    from sqlalchemy import create_engine, update

    engine = create_engine(f"sqlite:///{house.folder / 'portal.db'}")
    with engine.begin() as connection:
        connection.execute(update(Account).where(Account.id == actor.account_id).values(**change))
    engine.dispose()


def test_a_token_from_another_kind_of_device_was_copied_and_ends_the_session(house: FakeHouse) -> None:
    token = _let_in(house, _person(house))
    assert house.entrance.who(_visit(token, device=Device("Chrome", "Windows"))) is None
    assert house.entrance.who(_visit(token)) is None, "it ended for good"
    last = _history(house)[-1]
    assert (last.action, last.reason) == (Action.SESSION_END, Reason.DEVICE_CHANGED)


def test_a_proof_from_another_network_is_fresh_no_longer_and_a_new_one_is(house: FakeHouse) -> None:
    person = _person(house)
    token = house.entrance.let_in(person, PROOF, Visit("r", Device(), network="192.0.2.0/24"))
    anywhere, fresh = Demand(Assurance.SUBSTANTIAL), Demand(Assurance.SUBSTANTIAL, timedelta(minutes=10))

    def come(token: str, network: str) -> Present:
        present = house.entrance.who(_visit(token, device=Device(), network=network))
        assert present is not None
        return present

    here, there = come(token, "192.0.2.0/24"), come(token, "198.51.100.0/24")
    assert house.entrance.meets(here, fresh)
    assert house.entrance.meets(there, anywhere), "a citizen's telephone changes networks all day"
    assert not house.entrance.meets(there, fresh)
    proved = house.entrance.step_up(there, PROOF, "r-up")
    assert house.entrance.meets(come(proved, "198.51.100.0/24"), fresh)


@pytest.mark.parametrize(
    ("role", "does"), [(Role.CASEWORKER, True), (Role.AUDITOR, False), (Role.ADMINISTRATOR, False)]
)
def test_a_powerful_role_proves_itself_anew_in_another_network(house: FakeHouse, role: Role, does: bool) -> None:
    token = house.entrance.let_in(_person(house, role), PROOF, Visit("r", Device(), network="192.0.2.0/24"))
    present = house.entrance.who(_visit(token, device=Device(), network="2001:db8::/48"))
    assert present is not None
    assert house.entrance.meets(present, Demand(Assurance.SUBSTANTIAL)) is does
