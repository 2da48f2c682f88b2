"""An auditor keeps a search, runs it again, and shares it; a person's code never travels with it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from audit.log import TrailQuery
from portal.domain.actions import Action
from portal.domain.actors import Role
from portal.services.accounts import NewAccount
from tests.factories.apps import FakePortal
from tests.factories.logs import an_access
from tests.factories.people import MARY

ASKED = {"subject": MARY.reveal(), "outcome": "denied", "search_name": "Refused looks", "reason": "Quarterly check"}


@pytest.fixture
def colleague(portal: FakePortal) -> str:
    new = NewAccount(Role.AUDITOR, "Teine Audiitor", "data-protection-inspectorate", None)
    portal.accounts["second auditor"] = portal.house.accounts.open([new], demonstration=True)[0]
    portal.house.log.append_all([an_access(subject=MARY.subject, outcome="denied"), an_access()])
    return portal.accounts["second auditor"]


def _id(portal: FakePortal, account: str = "auditor") -> str:
    page = portal.client(account).get("/oversight/searches").get_data(as_text=True)
    found = re.search(r"/oversight/searches/([0-9a-f-]{36})/run", page)
    return found.group(1) if found else ""


def _saved(portal: FakePortal, **changed: Any) -> str:
    answer = portal.post(portal.client("auditor"), "/oversight/searches", **(ASKED | changed))
    assert answer.status_code == 303, answer.get_data(as_text=True)[:3000]
    return _id(portal)


def _logged(portal: FakePortal, action: Action) -> list[Any]:
    return [item.access for item in portal.house.log.read(TrailQuery(actions=frozenset({action}))).items]


def test_a_saved_search_runs_again_and_each_run_is_an_entry(portal: FakePortal, colleague: str) -> None:
    search = _saved(portal)
    client = portal.client("auditor")
    page = portal.post(client, f"/oversight/searches/{search}/run").get_data(as_text=True)
    assert "1 entry found." in page
    assert MARY.reveal() not in page
    (saved,) = _logged(portal, Action.SEARCH_SAVING)
    runs = _logged(portal, Action.TRAIL_SEARCH)
    assert [one.subject for one in (saved, *runs)] == [MARY.subject] * 2
    assert saved.details["query-sha256"] == runs[0].details["query-sha256"]


def test_the_next_page_and_the_export_of_a_saved_search_find_the_same(portal: FakePortal, colleague: str) -> None:
    portal.house.log.append_all([an_access(subject=MARY.subject, outcome="denied") for _ in range(60)])
    search = _saved(portal)
    client = portal.client("auditor", stepped_up=True)
    page = portal.post(client, f"/oversight/searches/{search}/run").get_data(as_text=True)
    older = re.findall(r'name="before" value="([^"]+)"', page.partition("gh-paging")[2])
    fields = {"saved": search, "outcome": "denied", "before": older[0]}
    second = portal.post(client, "/oversight", **fields).get_data(as_text=True)
    assert second.count("/oversight/entries/") == 11
    exported = portal.post(client, "/oversight/export", saved=search, outcome="denied", format="csv")
    assert exported.status_code == 200
    assert _logged(portal, Action.TRAIL_EXPORT)[0].subject == MARY.subject


def test_a_search_is_shared_marked_by_whom_and_taken_back(portal: FakePortal, colleague: str) -> None:
    search = _saved(portal)
    client, other = portal.client("auditor"), portal.client("second auditor")
    assert "Refused looks" not in other.get("/oversight/searches").get_data(as_text=True)
    assert portal.post(other, f"/oversight/searches/{search}/run").status_code == 404
    portal.post(client, f"/oversight/searches/{search}/share", account=colleague)
    shown = other.get("/oversight/searches").get_data(as_text=True)
    assert "Refused looks" in shown
    assert "Shared by Aita Aruste" in shown
    assert MARY.reveal() not in shown
    ran = portal.post(other, f"/oversight/searches/{search}/run").get_data(as_text=True)
    assert "1 entry found." in ran
    assert MARY.reveal() not in ran
    portal.post(client, f"/oversight/searches/{search}/withdrawal", account=colleague)
    assert "Refused looks" not in other.get("/oversight/searches").get_data(as_text=True)
    assert portal.post(other, f"/oversight/searches/{search}/run").status_code == 404
    for action in (Action.SEARCH_SHARING, Action.SEARCH_WITHDRAWAL):
        (entry,) = _logged(portal, action)
        assert entry.details["colleague"] == colleague


def test_only_the_owner_renames_shares_and_deletes(portal: FakePortal, colleague: str) -> None:
    search = _saved(portal)
    client, other = portal.client("auditor"), portal.client("second auditor")
    portal.post(client, f"/oversight/searches/{search}/share", account=colleague)
    for path, form in (
        ("name", {"search_name": "Mine now"}), ("deletion", {}), ("share", {"account": portal.accounts["auditor"]}),
        ("withdrawal", {"account": colleague}),
    ):  # fmt: skip
        assert portal.post(other, f"/oversight/searches/{search}/{path}", **form).status_code == 404
    assert portal.post(client, f"/oversight/searches/{search}/name", search_name="").status_code == 400
    assert "Refused looks" in client.get(f"/oversight/searches/{search}/name").get_data(as_text=True)
    portal.post(client, f"/oversight/searches/{search}/name", search_name="Denied looks")
    assert "Denied looks" in other.get("/oversight/searches").get_data(as_text=True)
    portal.post(client, f"/oversight/searches/{search}/deletion")
    assert _id(portal) == _id(portal, "second auditor") == ""
    assert len(_logged(portal, Action.SEARCH_RENAMING)) == len(_logged(portal, Action.SEARCH_DELETION)) == 1


def test_a_search_is_shared_with_auditors_alone(portal: FakePortal, colleague: str) -> None:
    search = _saved(portal)
    client = portal.client("auditor")
    for account in ("caseworker", "auditor", "administrator"):
        shared = portal.post(client, f"/oversight/searches/{search}/share", account=portal.accounts[account])
        assert shared.status_code == 404
    assert _logged(portal, Action.SEARCH_SHARING) == []


def test_what_is_saved_needs_a_name_and_a_reason_and_loses_nothing(portal: FakePortal, colleague: str) -> None:
    client = portal.client("auditor")
    asked = portal.post(client, "/oversight/searches/new", outcome="denied", field="population.address")
    assert "Save this search" in asked.get_data(as_text=True)
    refused = portal.post(client, "/oversight/searches", **(ASKED | {"search_name": " ", "reason": ""}))
    page = refused.get_data(as_text=True)
    assert refused.status_code == 400
    assert "Give the search a name." in page
    assert "Say what the search is for." in page
    assert 'name="outcome" value="denied"' in page
    assert _logged(portal, Action.SEARCH_SAVING) == []


def test_every_criterion_comes_back_from_where_it_was_kept(portal: FakePortal, colleague: str) -> None:
    given = {
        "subject": "", "organisation": "tax-board", "official": "o-1", "role": "supervisor", "registry": "population",
        "field": "population.address", "case": "C-1", "action": "read", "automatic": "no", "break_glass": "yes",
        "sealed": "no", "since": ["1", "3", "2026"], "until": ["2", "3", "2026"], "outcome": "denied",
    }  # fmt: skip
    search = _saved(portal, **given)
    page = portal.post(portal.client("auditor"), f"/oversight/searches/{search}/run").get_data(as_text=True)
    fields = re.findall(r'name="([^"]+)" value="([^"]*)"', page.partition("/oversight/searches/new")[2])
    for name, value in given.items():
        for one in [value] if isinstance(value, str) else value:
            assert (name, one) in fields


def test_a_kept_search_holds_no_code_in_clear(portal: FakePortal, colleague: str) -> None:
    _saved(portal)
    engine = create_engine(portal.settings.database_url)
    with engine.connect() as connection:
        (sealed,) = connection.execute(text("SELECT sealed FROM saved_searches")).scalars()
    engine.dispose()
    assert MARY.reveal().encode() not in bytes(sealed)
    assert b"Refused" not in bytes(sealed)
