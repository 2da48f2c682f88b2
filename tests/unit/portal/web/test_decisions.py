"""Decisions over HTTP: the deciding system's API, the person's pages, and the organisation's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from portal.domain.actors import Actor, Duty, Role
from portal.domain.disputes import Ruling
from portal.services.clock import system_clock
from tests.factories.apps import FakePortal
from tests.factories.client_systems import a_certificate, claims, token_form, write_catalogue
from tests.factories.deciding import HUMAN_REASON, REASONS, WHY, a_decision_body, deciding_client
from tests.factories.houses import TALLINN
from tests.factories.people import MARY
from tests.fakes.hostile_provider import signed

PARTNER = "tax-benefits/partner-name"


class Board:
    """The tax board's system behind the proxy at 127.0.0.1, in a portal whose days the test can let pass."""

    def __init__(self, portal: FakePortal, later: list[timedelta]) -> None:
        self.portal = portal
        self._later = later
        self._headers = {"X-Client-Certificate": a_certificate("tax").header}
        self._sign_in()

    def _sign_in(self) -> None:
        now = int((system_clock() + self._later[0]).timestamp())
        form = token_form(signed(claims(iss="tax-system", sub="tax-system", iat=now, exp=now + 60)))
        answer = self.portal.app.test_client().post("/api/oauth/token", data=form, headers=self._headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        self._headers["Authorization"] = f"Bearer {answer.json['access_token']}"

    def post(self, path: str, body: Any, key: str = "decision-0001") -> Any:
        headers = self._headers | {"Idempotency-Key": key}
        return self.portal.app.test_client().post(path, json=body, headers=headers)

    def get(self, path: str) -> Any:
        return self.portal.app.test_client().get(path, headers=self._headers)

    def in_days(self, days: int) -> date:
        return (system_clock() + self._later[0]).astimezone(TALLINN).date() + timedelta(days=days)

    def body(self, **changes: Any) -> dict[str, Any]:
        return a_decision_body(self.in_days(20), **changes)

    def announce(self, key: str = "decision-0001", **changes: Any) -> str:
        answer = self.post("/api/v1/decisions", self.body(**changes), key)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        decision: str = answer.json["id"]
        assert answer.headers["Location"].endswith(f"/api/v1/decisions/{decision}")
        return decision

    def wait(self, days: int) -> None:
        """The system's token has run out by then; it gets another one."""
        self._later[0] += timedelta(days=days)
        self._sign_in()

    def rule_on(self, dispute: str, ruling: Ruling) -> None:
        """The tax board's data protection officer decides."""
        account = self.portal.accounts["other supervisor"]
        duty = frozenset({Duty.DATA_PROTECTION})
        officer = Actor(account, Role.SUPERVISOR, "Tiit Teine", "tax-board", None, duties=duty)
        self.portal.house.disputes.desk.decide(officer, dispute, ruling, REASONS, request_id="ruling")


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    later = [timedelta()]
    portal = FakePortal.build(
        tmp_path,
        monkeypatch,
        clock=lambda: system_clock() + later[0],
        catalogue_dir=write_catalogue(tmp_path, deciding_client()),
        machines={"certificate_proxies": "127.0.0.1/32"},
        session_idle_minutes=1440,
        session_absolute_minutes=1440,
    )
    yield Board(portal, later)
    portal.close()


def _contest(board: Board, decision: str, about: str = PARTNER) -> str:
    answer = board.portal.post(
        board.portal.client("citizen"), f"/me/decisions/{decision}/contest", about=about, text=WHY
    )
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location).rpartition("/")[2]


def test_a_wrong_decision_goes_from_the_notice_over_the_dispute_and_the_ruling_to_its_withdrawal(board: Board) -> None:
    decision, mari = board.announce(), board.portal.client("citizen")
    assert "A decision about you is announced" in mari.get("/me").get_data(as_text=True)
    assert "Ending a benefit because of a partner" in mari.get("/me/decisions").get_data(as_text=True)
    page = mari.get(f"/me/decisions/{decision}").get_data(as_text=True)
    for told in (
        "Not in effect",
        "41 %",
        "bought commercially",
        "Believed partner",
        "TX-2026-117",
        "lives with a partner, the benefit ends",
        "no longer be paid from that day",
        "How to object",
        "Contest this decision",
    ):
        assert told in page
    dispute = _contest(board, decision)
    assert "Against the decision" in mari.get(f"/me/disputes/{dispute}").get_data(as_text=True)
    standing = board.get(f"/api/v1/decisions/{decision}").json
    assert standing["contested_since"] is not None
    assert [one["contested_since"] is not None for one in standing["data"]] == [True, False]
    assert "It is contested since" in mari.get(f"/me/decisions/{decision}").get_data(as_text=True)
    board.rule_on(dispute, Ruling.UPHELD)
    standing = board.get(f"/api/v1/decisions/{decision}").json
    assert (standing["contested_since"], standing["found_wrong"]) == (None, True)
    assert standing["data"][0]["wrong_since"] == board.in_days(0).isoformat()
    assert "You were found right" in mari.get(f"/me/decisions/{decision}").get_data(as_text=True)
    assert board.post(f"/api/v1/decisions/{decision}/withdraw", {}).json["state"] == "withdrawn"
    page = mari.get(f"/me/decisions/{decision}").get_data(as_text=True)
    assert "it does not take effect" in page
    assert "You were right" in page
    history = mari.get("/me/accesses").get_data(as_text=True)
    for step in ("announced a decision about you", "withdrew a decision about you"):
        assert step in history
    receipt = mari.get(f"/me/decisions/{decision}/receipt")
    assert receipt.headers["Content-Disposition"].startswith("attachment")


def test_a_decision_takes_no_effect_before_its_notice_and_none_while_it_is_contested(board: Board) -> None:
    early = board.post("/api/v1/decisions", a_decision_body(board.in_days(13)))
    assert early.status_code == 422
    assert "too soon" in early.json["mistakes"]["effect_on"]
    decision = board.announce()
    early = board.post(f"/api/v1/decisions/{decision}/final", {})
    assert (early.status_code, early.json["mistakes"]) == (422, {"effect_on": "the announced day has not come"})
    _contest(board, decision, "decision")
    board.wait(days=20)
    contested = board.post(f"/api/v1/decisions/{decision}/final", {})
    assert contested.status_code == 409
    assert "only a human who gives a reason" in contested.json["title"]
    mari = board.portal.client("citizen")
    history = mari.get("/me/accesses").get_data(as_text=True)
    assert "tried to make a decision about you final and was refused" in history
    by = {"human": {"official": "official-7", "reason": HUMAN_REASON}}
    assert board.post(f"/api/v1/decisions/{decision}/final", by).json["state"] == "final"
    page = mari.get(f"/me/decisions/{decision}").get_data(as_text=True)
    assert HUMAN_REASON in page
    assert "Contest this decision" not in page
    late = board.portal.post(mari, f"/me/decisions/{decision}/contest", about="decision", text=WHY)
    assert late.status_code == 409
    assert "It was settled meanwhile" in late.get_data(as_text=True)


def test_a_change_is_told_to_the_person_with_the_new_day_and_data(board: Board) -> None:
    decision = board.announce()
    body = board.body()
    change = {"effect_on": board.in_days(40).isoformat(), "data": body["data"][1:]}
    changed = board.post(f"/api/v1/decisions/{decision}/change", change).json
    assert (changed["effect_on"], len(changed["data"])) == (change["effect_on"], 1)
    mari = board.portal.client("citizen")
    assert "Believed partner" not in mari.get(f"/me/decisions/{decision}").get_data(as_text=True)
    assert "changed a decision about you" in mari.get("/me/accesses").get_data(as_text=True)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"subject": "38001085719"}, "subject"),
    ({"rule": "no-such-rule"}, "rule"),
    ({"reference": "two words"}, "reference"),
    ({"automated": "yes"}, "automated"),
    ({"data": []}, "data"),
    ({"data": [{"registry": "population", "field": "address", "source": "hearsay"}]}, "data.0.source"),
    ({"data": [{"registry": "population", "field": "address", "source": "own", "confidence": 101}]}, "data"),
    ({"effect_on": "tomorrow"}, "effect_on"),
    ({"more": 1}, "more"),
]


def test_a_notice_that_cannot_be_is_told_what_is_wrong_and_not_kept(board: Board) -> None:
    for changes, part in BAD:
        answer = board.post("/api/v1/decisions", board.body() | changes)
        assert answer.status_code == 422
        assert any(mistake.startswith(part) for mistake in answer.json["mistakes"]), answer.json
    page = board.portal.client("citizen").get("/me/decisions").get_data(as_text=True)
    assert "No decision about you has been announced" in page


def test_the_same_key_gives_the_same_decision_and_another_one_is_refused(board: Board) -> None:
    assert board.announce() == board.announce()
    assert board.post("/api/v1/decisions", board.body(automated=False)).status_code == 409
    assert board.post("/api/v1/decisions", board.body(), "short").status_code == 422


def test_an_objection_with_mistakes_loses_nothing_that_was_written(board: Board) -> None:
    decision, mari = board.announce(), board.portal.client("citizen")
    path = f"/me/decisions/{decision}/contest"
    assert 'value="tax-benefits/partner-name" checked' in mari.get(f"{path}?value={PARTNER}").get_data(as_text=True)
    answer = board.portal.post(mari, path, text=WHY)
    assert answer.status_code == 400
    page = answer.get_data(as_text=True)
    assert "Choose what is wrong." in page
    assert WHY in page
    assert board.portal.post(mari, path, about="population/given-names", text=WHY).status_code == 400


def test_another_persons_decision_and_none_at_all_look_alike(board: Board) -> None:
    decision, juhan = board.announce(), board.portal.client("neighbour")
    for path in (f"/me/decisions/{decision}", "/me/decisions/nothing", f"/me/decisions/{decision}/receipt"):
        assert juhan.get(path).status_code == 404
    answer = board.portal.post(juhan, f"/me/decisions/{decision}/contest", about="decision", text=WHY)
    assert answer.status_code == 404


def test_officials_of_the_organisation_see_what_is_contested_and_no_person(board: Board) -> None:
    decision = board.announce()
    _contest(board, decision)
    supervisor = board.portal.client("other supervisor")
    assert "Contested since" in supervisor.get("/decisions").get_data(as_text=True)
    page = supervisor.get(f"/decisions/{decision}").get_data(as_text=True)
    assert "The person contests it" in page
    assert "Mari" not in page
    assert MARY.reveal() not in page
    caseworker = board.portal.client("caseworker")
    assert "has announced no decision" in caseworker.get("/decisions").get_data(as_text=True)
    assert caseworker.get(f"/decisions/{decision}").status_code == 404


def test_the_officer_who_handles_the_dispute_sees_the_decision_that_rests_on_it(board: Board) -> None:
    """The address is the population register's; its officer answers, and sees what hangs on it."""
    house = board.portal.house
    decision = board.announce()
    dispute = _contest(board, decision, "population/address")
    shown = house.decisions.office.contested(house.disputes.own.mine(_mari(board))[0].decision)
    assert shown is not None
    assert shown.decision_id == decision
    assert house.disputes.own.one(_mari(board), dispute).organisation == "population-authority"


def _mari(board: Board) -> Actor:
    return board.portal.house.accounts.actor(board.portal.accounts["citizen"])


def test_the_auditors_figures_hide_small_numbers(board: Board) -> None:
    auditor = board.portal.client("auditor")
    for number in range(5):
        decision = board.announce(f"decision-000{number}", reference=f"TX-{number}")
        page = auditor.get("/oversight/figures").get_data(as_text=True)
        table = page.partition("Decisions that rest on data")[2].partition("</table>")[0]
        assert table.count("fewer than 5") == (5 if number < 4 else 4)
        board.post(f"/api/v1/decisions/{decision}/withdraw", {})


def test_no_personal_code_stands_in_any_answer_or_address(board: Board) -> None:
    answer = board.post("/api/v1/decisions", board.body())
    assert MARY.reveal() not in answer.headers["Location"] + answer.get_data(as_text=True)


def test_the_description_names_the_ways_and_their_bodies(board: Board) -> None:
    described = board.get("/api/v1/openapi.json").json
    for path in ("", "/{id}", "/{id}/change", "/{id}/withdraw", "/{id}/final"):
        assert f"/api/v1/decisions{path}" in described["paths"]
    body = described["paths"]["/api/v1/decisions"]["post"]["requestBody"]["content"]["application/json"]
    schema = described["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]
    assert set(schema["required"]) == {"subject", "rule", "reference", "automated", "effect_on", "data"}
    decision = described["components"]["schemas"]["Decision"]["properties"]
    answer = board.get(f"/api/v1/decisions/{board.announce()}").json
    assert set(decision) == set(answer)
    assert set(decision["data"]["items"]["properties"]) == set(answer["data"][0])
