"""Ranking looks through HTTP: what nothing explains comes first, and whoever is asked about sees that they were."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from audit.log import TrailQuery
from portal.domain.actions import Action
from portal.services.unusual.rules import CODES
from portal.services.unusual_looks import UnusualState
from portal.web.flags import _SENTENCES
from tests.factories.apps import FakePortal
from tests.factories.logs import an_access
from tests.factories.people import JUHAN, KADRI, MARY


def look(portal: FakePortal, subject: Any, **changes: Any) -> int:
    account = portal.accounts["caseworker"]
    access = an_access(
        subject=subject.subject, official=account, official_name="Kadri Kask", organisation="social-insurance-board",
        **{"case": None, "justification": f"Reason of its own {subject.reveal()[-4:]}"} | changes,
    )  # fmt: skip
    return portal.house.log.append(access).seq


def ranked(portal: FakePortal, client: FlaskClient) -> str:
    """The page of a ranking that has come to its end."""
    page = portal.post(client, "/oversight/unusual", days="30").headers["Location"]
    for _ in range(200):
        shown = client.get(page).get_data(as_text=True)
        if "being ranked" not in shown:
            return str(shown)
        time.sleep(0.05)
    raise AssertionError("the ranking never ended")


def test_a_look_at_a_relative_comes_before_one_at_a_stranger_and_says_why(portal: FakePortal) -> None:
    portal.registries["population"].holds(KADRI, **{"relative-code": MARY.reveal()})
    look(portal, JUHAN)
    look(portal, MARY)
    shown = ranked(portal, portal.client("auditor"))
    assert "2 looks were judged" in shown
    assert shown.index("The person is a relative of the official.") < shown.index("•••0299")
    assert "No case was named." in shown
    assert MARY.reveal() not in shown


def test_whoever_was_asked_about_finds_it_in_their_own_history(portal: FakePortal) -> None:
    look(portal, MARY)
    ranked(portal, portal.client("auditor"))
    query = TrailQuery(subject=MARY.subject, actions=frozenset({Action.RELATION_CHECK}))
    entries = portal.house.log.read(query).items
    assert {entry.access.registry for entry in entries if entry.access} == {"population", "employment"}
    assert all(entry.access.automatic for entry in entries if entry.access)


def test_no_registry_is_asked_about_a_look_under_a_seal(portal: FakePortal) -> None:
    look(portal, MARY, seal="seal-1")
    shown = ranked(portal, portal.client("auditor"))
    assert "0 looks were judged" in shown
    query = TrailQuery(subject=MARY.subject, with_sealed=True, actions=frozenset({Action.RELATION_CHECK}))
    assert portal.house.log.count(query) == 0
    assert portal.registries["population"].asked == []


def test_a_registry_that_is_silent_leaves_the_rest_standing(portal: FakePortal) -> None:
    portal.registries["population"].is_down = True
    look(portal, MARY)
    assert "No case was named." in ranked(portal, portal.client("auditor"))


def test_the_request_is_an_entry_and_the_result_holds_nobody(portal: FakePortal) -> None:
    look(portal, MARY)
    ranked(portal, portal.client("auditor"))
    assert portal.house.log.count(TrailQuery(actions=frozenset({Action.UNUSUAL_SEARCH}))) == 1
    stored = portal.settings.database_url.removeprefix("sqlite:///")
    with open(stored, "rb") as file:  # noqa: PTH123 - the database's own file
        assert MARY.reveal().encode() not in file.read()


def test_a_ranking_is_its_auditors_own_and_an_unknown_span_is_not_there(portal: FakePortal) -> None:
    auditor = portal.client("auditor")
    page = portal.post(auditor, "/oversight/unusual", days="30").headers["Location"]
    for account in ("citizen", "caseworker"):
        assert portal.client(account).get(page).status_code == 404
    assert auditor.get("/oversight/unusual/00000000-0000-0000-0000-000000000000").status_code == 404
    for days in ("", "31", "x", "-1"):
        assert portal.post(auditor, "/oversight/unusual", days=days).status_code == 404


def test_a_ranking_whose_process_died_is_interrupted_and_never_empty(
    portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    unusual, auditor = portal.house.unusual, portal.house.accounts.actor(portal.accounts["auditor"])
    run_id = unusual.request(auditor, 30, request_id="r")
    assert unusual.run(auditor, run_id).state is UnusualState.RUNNING
    later = portal.house.oversight.now() + timedelta(minutes=6)
    monkeypatch.setattr(portal.house.oversight, "now", lambda: later)
    assert unusual.run(auditor, run_id).state is UnusualState.INTERRUPTED


def test_every_rule_has_its_sentence() -> None:
    assert _SENTENCES.keys() == CODES
