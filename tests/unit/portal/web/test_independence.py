"""People are hidden from an auditor until they ask with a reason; an auditor changes nothing; another audits them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from audit.log import TrailQuery
from portal.domain.actions import Action
from portal.domain.actors import Role
from portal.domain.permissions import GRANTS, OF_ALL_STAFF, Permission
from portal.services.accounts import NewAccount
from portal.services.identities import LASTS
from portal.web.guard import rule_of
from tests.factories.apps import FakePortal
from tests.factories.logs import an_access
from tests.factories.people import JUHAN, MARY

REASON = "A complaint of 3 March names this look"
CODES = (MARY.reveal(), JUHAN.reveal())


@pytest.fixture
def looks(portal: FakePortal) -> FakePortal:
    _with_looks(portal)
    return portal


def _with_looks(portal: FakePortal) -> None:
    """A second auditor, and three looks of one caseworker at two people, the last of them under a seal."""
    new = NewAccount(Role.AUDITOR, "Teine Audiitor", "data-protection-inspectorate", None)
    portal.accounts["second auditor"] = portal.house.accounts.open([new], demonstration=True)[0]
    official = portal.accounts["caseworker"]
    portal.house.log.append_all(
        [
            an_access(subject=MARY.subject, official=official, official_name="Kadri Kask"),
            an_access(subject=JUHAN.subject, official=official, official_name="Kadri Kask"),
            an_access(subject=MARY.subject, official=official, official_name="Kadri Kask", seal="S-1"),
        ]
    )


def _search(portal: FakePortal, client: Any, **asked: Any) -> str:
    text: str = portal.post(client, "/oversight", **({"action": "read"} | asked)).get_data(as_text=True)
    return text


def _entries(page: str) -> list[str]:
    return re.findall(r'href="(/oversight/entries/[^"/]+)"', page)


def _reveals(portal: FakePortal) -> list[Any]:
    return [
        item.access for item in portal.house.log.read(TrailQuery(actions=frozenset({Action.IDENTITY_REVEAL}))).items
    ]


def _shows_nobody(page: str) -> bool:
    return not any(secret in page for secret in (*CODES, "Kadri Kask"))


def test_results_and_entries_show_pseudonyms_that_stay_the_same(looks: FakePortal) -> None:
    client = looks.client("auditor")
    page = _search(looks, client)
    assert _shows_nobody(page)
    officials, people = re.findall(r"Official ([A-Z2-7]{6})", page), re.findall(r"Person ([A-Z2-7]{8})", page)
    assert len(officials) == len(people) == 3
    assert len(set(officials)) == 1
    assert people[0] == people[2] != people[1]
    opened = client.get(_entries(page)[0]).get_data(as_text=True)
    assert _shows_nobody(opened)
    assert f"Person {people[0]}" in opened
    assert looks.accounts["caseworker"] not in page + opened
    assert people[1] in _search(looks, looks.client("second auditor"))


def test_one_goes_on_from_an_entry_without_learning_who_it_is(looks: FakePortal) -> None:
    client = looks.client("auditor")
    reference = _entries(_search(looks, client))[0].rpartition("/")[2]
    about = looks.post(client, "/oversight", like=reference, action="read").get_data(as_text=True)
    assert "2 entries found." in about
    assert "the same as there, not shown" in about
    assert _shows_nobody(about)
    by = looks.post(client, "/oversight", by=reference, action="read").get_data(as_text=True)
    assert "3 entries found." in by
    other = looks.client("second auditor")
    assert looks.post(other, "/oversight", like=reference).status_code == 404


def test_a_receipt_names_nobody_until_they_were_revealed(looks: FakePortal) -> None:
    client = looks.client("auditor", stepped_up=True)
    path = _entries(_search(looks, client))[1]
    assert b"\nbody " not in client.get(f"{path}/receipt").data
    looks.post(client, f"{path}/reveal", reason=REASON)
    assert JUHAN.subject.encode() in client.get(f"{path}/receipt").data


def test_a_reveal_is_an_entry_about_the_person_with_the_reason(looks: FakePortal) -> None:
    client = looks.client("auditor", stepped_up=True)
    path = _entries(_search(looks, client))[1]
    assert looks.post(client, f"{path}/reveal", reason=REASON).status_code == 303
    opened = client.get(path)
    page = opened.get_data(as_text=True)
    assert JUHAN.reveal() in page
    assert "Kadri Kask" in page
    assert "no-store" in opened.headers["Cache-Control"]
    (entry,) = _reveals(looks)
    assert (entry.subject, entry.justification, entry.seal) == (JUHAN.subject, REASON, None)
    assert _search(looks, client).count("Kadri Kask") == 1


def test_a_reveal_of_a_page_shows_that_page_and_is_an_entry_about_each_person(looks: FakePortal) -> None:
    client = looks.client("auditor", stepped_up=True)
    page = _search(looks, client)
    again = re.search(r'name="before" value="([^"]+)"', page.partition('action="/oversight/reveal"')[2])
    assert again is not None
    looks.house.log.append_all([an_access(subject=MARY.subject, official_name="Somebody New")])
    shown = looks.post(client, "/oversight/reveal", action="read", before=again.group(1), reason=REASON)
    assert "no-store" in shown.headers["Cache-Control"]
    assert all(code in shown.get_data(as_text=True) for code in CODES)
    assert "Somebody New" not in shown.get_data(as_text=True)
    revealed = _reveals(looks)
    assert {(one.subject, one.seal) for one in revealed} == {
        (MARY.subject, None), (JUHAN.subject, None), (MARY.subject, "S-1"),
    }  # fmt: skip
    assert "Somebody New" not in _search(looks, client)


def test_a_reveal_holds_in_its_own_session_alone_and_ends(looks: FakePortal, monkeypatch: pytest.MonkeyPatch) -> None:
    client = looks.client("auditor", stepped_up=True)
    path = _entries(_search(looks, client))[0]
    looks.post(client, f"{path}/reveal", reason=REASON)
    assert not _shows_nobody(client.get(path).get_data(as_text=True))
    assert _shows_nobody(looks.client("auditor").get(path).get_data(as_text=True))
    later = looks.house.oversight.now() + LASTS * 2
    monkeypatch.setattr(type(looks.house.oversight), "now", lambda _self: later)
    assert _shows_nobody(client.get(path).get_data(as_text=True))


def test_without_a_reason_or_a_fresh_proof_nobody_is_shown(looks: FakePortal) -> None:
    client = looks.client("auditor", stepped_up=True)
    path = _entries(_search(looks, client))[0]
    for reason in ("", "   ", "because"):
        refused = looks.post(client, f"{path}/reveal", reason=reason)
        assert refused.status_code == 400
        assert _shows_nobody(refused.get_data(as_text=True))
    assert looks.post(client, "/oversight/reveal", action="read", reason="").status_code == 400
    plain = looks.client("auditor")
    asked = looks.post(plain, _entries(_search(looks, plain))[0] + "/reveal", reason=REASON)
    assert asked.status_code == 303
    assert "/step-up/" in asked.headers["Location"]
    assert _reveals(looks) == []


def test_another_auditor_reviews_what_an_auditor_did_and_nobody_their_own(looks: FakePortal) -> None:
    client, other = looks.client("auditor", stepped_up=True), looks.client("second auditor")
    looks.post(client, _entries(_search(looks, client))[0] + "/reveal", reason=REASON)
    listed = other.get("/oversight/auditors").get_data(as_text=True)
    assert "Auditor saw who people are" in listed
    assert REASON in listed
    assert "Aita Aruste" in listed
    assert _shows_nobody(listed)
    own = client.get("/oversight/auditors").get_data(as_text=True)
    assert REASON not in own
    assert "Aita Aruste" not in own.partition("<table")[2]
    first = re.findall(r'action="(/oversight/auditors/[^"]+/review)"', listed)[0]
    assert looks.post(client, first).status_code == 404
    looks.post(other, first)
    looks.post(other, first)
    again = other.get("/oversight/auditors").get_data(as_text=True)
    assert "In order" in again
    assert len(looks.house.log.read(TrailQuery(actions=frozenset({Action.AUDITOR_REVIEW}))).items) == 1
    mine = _entries(_search(looks, client, action="trail-search"))
    assert looks.post(client, mine[0].replace("/entries/", "/auditors/") + "/review").status_code == 404


@pytest.mark.postgres
def test_an_auditors_work_is_the_same_on_postgresql(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    databases = {"database_url": postgres_url, "audit": {"database_url": postgres_url}}
    portal = FakePortal.build(tmp_path, monkeypatch, **databases)
    _with_looks(portal)
    client, other = portal.client("auditor", stepped_up=True), portal.client("second auditor")
    path = _entries(_search(portal, client, role="caseworker", field="population.address"))[1]
    portal.post(client, f"{path}/reveal", reason=REASON)
    portal.post(client, f"{path}/reveal", reason=REASON)
    assert JUHAN.reveal() in client.get(path).get_data(as_text=True)
    assert len(_reveals(portal)) == 2
    portal.post(client, "/oversight/searches", subject=MARY.reveal(), search_name="One", reason="To look again")
    (kept,) = re.findall(r"/searches/([0-9a-f-]{36})/run", client.get("/oversight/searches").get_data(as_text=True))
    portal.post(client, f"/oversight/searches/{kept}/share", account=portal.accounts["second auditor"])
    shared = portal.post(other, f"/oversight/searches/{kept}/run").get_data(as_text=True)
    assert "Withheld" in shared
    assert _shows_nobody(shared)
    review = re.findall(r'action="(/oversight/auditors/[^"]+/review)"', other.get("/oversight/auditors").text)[0]
    for _ in range(2):
        assert portal.post(other, review).status_code == 303
    assert "In order" in other.get("/oversight/auditors").text
    portal.post(client, f"/oversight/searches/{kept}/deletion")
    assert portal.post(other, f"/oversight/searches/{kept}/run").status_code == 404
    portal.close()


def test_what_an_auditor_may_post_is_oversight_alone(portal: FakePortal) -> None:
    """Every route that changes something and is open to auditors belongs to oversight, or to their own session."""
    allowed = GRANTS[Role.AUDITOR] | OF_ALL_STAFF
    rooms: set[str] = set()
    for rule in portal.app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and rule_of(portal.app, rule.endpoint) in allowed:
            rooms.add(rule.endpoint.partition(".")[0])
    assert rooms == {
        "oversight", "independence", "saved_searches", "exports", "findings", "escalations", "unusual", "complaints",
        "account",
    }  # fmt: skip
    changing = {
        Permission.OPEN_RECORDS_WITH_REASON, Permission.SUPERVISE_TEAM, Permission.IMPORT_CASES,
        Permission.SEAL_ACCESSES, Permission.PROLONG_SEALS, Permission.OPEN_LISTS, Permission.ADMINISTER_ACCOUNTS,
        Permission.BREAK_GLASS, Permission.APPROVE_ACCESSES, Permission.REVIEW_EMERGENCIES, Permission.READ_OWN_RECORDS,
    }  # fmt: skip
    assert not changing & GRANTS[Role.AUDITOR]
    client = portal.client("auditor", stepped_up=True)
    for rule in portal.app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and rule_of(portal.app, rule.endpoint) in changing:
            path = rule.rule
            for name in rule.arguments:
                path = re.sub(rf"<[^<>]*{name}>", "x", path)
            assert portal.post(client, path).status_code == 404, rule.endpoint
