"""Ranking looks through HTTP: what nothing explains comes first, and whoever is asked about sees that they were."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from audit.log import TrailQuery
from portal.domain.actions import Action
from portal.domain.identifiers import PersonalCode
from portal.services.sealing import Sealer
from portal.services.unusual.rules import CODES
from portal.services.unusual_looks import UnusualState
from portal.web.flags import _SENTENCES
from tests.factories.apps import FakePortal
from tests.factories.logs import an_access
from tests.factories.people import JUHAN, KADRI, MARY
from tests.factories.proceedings import a_seal, keep


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


def pseudonym(portal: FakePortal, code: PersonalCode) -> str:
    return portal.house.identities._pseudonyms.person(code.subject)


def test_a_look_at_a_relative_comes_before_one_at_a_stranger_and_says_why(portal: FakePortal) -> None:
    portal.registries["population"].holds(KADRI, **{"relative-code": MARY.reveal()})
    look(portal, JUHAN)
    look(portal, MARY)
    shown = ranked(portal, portal.client("auditor"))
    assert "2 looks were judged" in shown
    assert shown.index("The person is a relative of the official.") < shown.index(pseudonym(portal, JUHAN))
    assert "No case was named." in shown
    assert MARY.reveal() not in shown
    assert "Kadri Kask" not in shown
    assert f"Person {pseudonym(portal, MARY)}" in shown


def test_whoever_was_asked_about_finds_it_in_their_own_history(portal: FakePortal) -> None:
    look(portal, MARY)
    ranked(portal, portal.client("auditor"))
    query = TrailQuery(subject=MARY.subject, actions=frozenset({Action.RELATION_CHECK}))
    entries = portal.house.log.read(query).items
    assert {entry.access.registry for entry in entries if entry.access} == {"population", "employment", "land"}
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


def lives(portal: FakePortal, code: PersonalCode, house: str, east: str | None) -> None:
    portal.registries["population"].holds(code, address=house, municipality="Järvelinn")
    if east is not None:
        held = {"property-address": f"{house}, Järvelinn", "map-east": east, "map-north": "6500000"}
        portal.registries["land"].holds(code, **held)


@pytest.mark.parametrize(
    ("east", "is_neighbour"),
    [("650030", True), ("650150", True), ("650151", False), (None, False)],
)
def test_a_neighbour_by_the_land_register_is_flagged_with_the_distance(
    portal: FakePortal, east: str | None, *, is_neighbour: bool
) -> None:
    lives(portal, KADRI, "Tamme 1-1", "650000.0")
    lives(portal, MARY, "Tamme 2-1", east)
    look(portal, MARY)
    shown = ranked(portal, portal.client("auditor"))
    assert ("metres from the official" in shown) is is_neighbour


def test_land_that_somebody_owns_elsewhere_makes_nobody_a_neighbour(portal: FakePortal) -> None:
    lives(portal, KADRI, "Tamme 1-1", "650000")
    lives(portal, MARY, "Kase 7-1", None)
    portal.registries["land"].holds(
        MARY, **{"property-address": "Tamme 2-1, Järvelinn", "map-east": "650030", "map-north": "6500000"}
    )
    look(portal, MARY)
    assert "metres from the official" not in ranked(portal, portal.client("auditor"))


def test_a_person_whom_the_population_register_marks_as_public_is_flagged(portal: FakePortal) -> None:
    portal.registries["population"].holds(MARY, protection="avalik")
    portal.registries["population"].holds(JUHAN, protection="aadress")
    look(portal, MARY)
    look(portal, JUHAN)
    assert ranked(portal, portal.client("auditor")).count("known to the public") == 1


def seal_on(portal: FakePortal, code: PersonalCode, registered_at: datetime) -> None:
    row = a_seal(portal.accounts["detective"], registered_at, "police")
    row.sealed_subject = Sealer(portal.settings.master_key.get_secret_value()).seal(code.reveal(), row.id)
    keep(portal.house.safeguards.seals._sessions, [row])


def test_a_look_just_before_a_seal_is_flagged_and_no_registry_is_asked_because_of_it(
    portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person sees each question to a registry: whom one is about must not depend on a seal in force."""
    monkeypatch.setattr("portal.services.unusual_looks.ASKED_ABOUT", 1)
    now = datetime.now(UTC)
    look(portal, MARY, occurred_at=now - timedelta(days=3))
    look(portal, JUHAN, occurred_at=now - timedelta(days=2))
    seal_on(portal, JUHAN, now - timedelta(hours=1))
    seal_on(portal, MARY, now - timedelta(days=20))  # before the look: it warns nobody any more
    shown = ranked(portal, portal.client("auditor"))
    assert shown.count("An investigation of the person was sealed") == 1
    asked = {
        entry.access.subject
        for entry in portal.house.log.read(TrailQuery(actions=frozenset({Action.RELATION_CHECK})), limit=50).items
        if entry.access
    }
    assert asked == {MARY.subject, KADRI.subject}


def note(portal: FakePortal, client: FlaskClient, day: date, **changes: str) -> Any:
    data = {"subject": MARY.reveal(), "words": "Interview in the evening news", "like": ""} | changes
    parts = {"day": [str(day.day), str(day.month), str(day.year)]}
    return portal.post(client, "/oversight/unusual/news", **data, **parts)


def test_looks_after_a_person_was_in_the_news_are_flagged_until_the_note_is_taken_back(portal: FakePortal) -> None:
    now = datetime.now(UTC)
    look(portal, MARY, occurred_at=now)
    look(portal, JUHAN, occurred_at=now)
    client = portal.client("auditor")
    assert note(portal, client, portal.house.oversight.day_of(now) - timedelta(days=2)).status_code == 303
    assert ranked(portal, client).count("had been in the news 2 days before") == 1
    page = client.get("/oversight/unusual/news").get_data(as_text=True)
    assert "Interview in the evening news" in page
    assert MARY.reveal() not in page
    [path] = re.findall(r'action="([^"]+/withdrawal)"', page)
    assert portal.post(client, path).status_code == 303
    assert portal.post(client, path).status_code == 404, "it was taken back before"
    assert "had been in the news" not in ranked(portal, client)


def test_a_note_about_the_news_is_an_entry_that_the_person_sees_and_the_database_does_not_name_them(
    portal: FakePortal,
) -> None:
    client = portal.client("auditor")
    note(portal, client, date(2026, 3, 2))
    query = TrailQuery(subject=MARY.subject, actions=frozenset({Action.NEWS_PEG}))
    [entry] = portal.house.log.read(query).items
    assert entry.access is not None
    assert entry.access.justification == "Interview in the evening news"
    assert entry.access.details["day"] == "2026-03-02"
    assert "noted that you were in the news" in portal.client("citizen").get("/me/accesses").get_data(as_text=True)
    with open(portal.settings.database_url.removeprefix("sqlite:///"), "rb") as file:  # noqa: PTH123
        stored = file.read()
    assert MARY.reveal().encode() not in stored
    assert b"evening news" not in stored


def test_the_person_of_an_entry_is_noted_without_being_shown(portal: FakePortal) -> None:
    look(portal, MARY)
    client = portal.client("auditor")
    reference = re.findall(r"/oversight/entries/([^\"/]+)", ranked(portal, client))[0]
    assert "the entry that you came from" in client.get(
        "/oversight/unusual/news", query_string={"about": reference}
    ).get_data(as_text=True)
    assert note(portal, client, date(2026, 3, 2), subject="", like=reference).status_code == 303
    assert [peg.subject for peg in portal.house.news.pegs()] == [MARY.subject]


def test_a_note_needs_a_person_words_and_a_day_that_has_come(portal: FakePortal) -> None:
    client = portal.client("auditor")
    tomorrow = portal.house.oversight.day_of(portal.house.oversight.now()) + timedelta(days=1)
    for day, changes, said in (
        (tomorrow, {}, "The day must not be later than today."),
        (date(2026, 3, 2), {"subject": ""}, "Enter the personal code of the person in the news."),
        (date(2026, 3, 2), {"words": " "}, "Say what was in the news."),
    ):
        answer = note(portal, client, day, **changes)
        assert (answer.status_code, said in answer.get_data(as_text=True)) == (400, True), said
    assert note(portal, client, date(2026, 3, 2), like="made-up").status_code == 404
    assert portal.house.news.standing() == []
    for account in ("citizen", "caseworker", "supervisor"):
        assert portal.client(account).get("/oversight/unusual/news").status_code == 404


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
