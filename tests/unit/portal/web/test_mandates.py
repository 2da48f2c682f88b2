"""Mandates over HTTP, with real sessions, on both databases: what is given holds, and nothing else opens."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from audit.entry import Access
from audit.log import TrailQuery
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.actors import Role
from portal.domain.identifiers import PersonalCode
from portal.services.accounts import NewAccount
from tests.factories.apps import FakePortal, token_of
from tests.factories.people import JUHAN, MARY

ANN = PersonalCode.parse("47101010033")
NOBODY = "60001019906"


@dataclass
class Clock:
    """Stands where it is put."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Town:
    """Mari gives mandates, Juhan receives them, Ann stands by."""

    portal: FakePortal
    clock: Clock

    @property
    def mari(self) -> FlaskClient:
        return self.portal.client("citizen", stepped_up=True)

    @property
    def juhan(self) -> FlaskClient:
        return self.portal.client("neighbour", stepped_up=True)

    @property
    def ann(self) -> FlaskClient:
        return self.portal.client("ann", stepped_up=True)

    def form(self, **changes: Any) -> dict[str, Any]:
        last = (self.clock.now + timedelta(days=30)).date()
        values = {
            "personal_code": JUHAN.reveal(),
            "called": "my neighbour",
            "registries": ["population"],
            "until": [str(last.day), str(last.month), str(last.year)],
        }
        return values | changes

    def give(self, client: FlaskClient | None = None, **changes: Any) -> str:
        answer = self.portal.post(client or self.mari, "/me/mandates/new", **self.form(**changes))
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return str(answer.headers["Location"].rpartition("/")[2])

    def end(self, client: FlaskClient, mandate: str) -> int:
        return int(self.portal.post(client, f"/me/mandates/{mandate}/end").status_code)

    def entries(self, *actions: Action) -> list[Access]:
        found = [logged.access for logged in self.portal.house.log.stream(TrailQuery()) if logged.access]
        return [access for access in found if access.action in actions]


def _town(folder: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> Iterator[Town]:
    clock = Clock(datetime.now(UTC))
    portal = FakePortal.build(folder, monkeypatch, clock=clock, database_url=url)
    new = NewAccount(Role.CITIZEN, "Ann Arro", personal_code=ANN)
    [portal.accounts["ann"]] = portal.house.accounts.open([new], demonstration=True)
    for code, name in ((MARY, "Mari"), (JUHAN, "Juhan"), (ANN, "Ann")):
        portal.registries["population"].holds(code, **{"given-names": name, "address": "Pikk 1"})
        portal.registries["land"].holds(code, **{"property-address": "Metsa 2"})
    yield Town(portal, clock)
    portal.close()


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[Town]:
    yield from _town(tmp_path, monkeypatch, database_url)


@pytest.fixture
def quick_town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """Where the form and the rules decide, whatever the database is."""
    yield from _town(tmp_path, monkeypatch, f"sqlite:///{tmp_path / 'portal.db'}")


def _text(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return " ".join(answer.get_data(as_text=True).split())


def test_a_mandate_is_given_used_seen_by_both_and_ended_at_once(town: Town) -> None:
    mari, juhan = town.mari, town.juhan
    mandate = town.give(mari)
    assert "Mari Maasikas" in _text(juhan, "/me/mandates")
    assert "Pikk 1" in _text(juhan, f"/me/for/{mandate}/records/population")
    assert "looked at who had opened your data" in _text(juhan, f"/me/for/{mandate}/accesses/population")
    history = _text(mari, "/me/accesses")
    assert re.search(r"Your representative Juhan Juurikas looked at \d+ fields of your data in the Population", history)
    for client in (mari, juhan):
        page = _text(client, f"/me/mandates/{mandate}")
        assert page.count("Population Register") >= 3
        assert "who had looked" in page
    assert "gave you a mandate to look at their data" in _text(juhan, "/me/accesses")
    assert town.end(mari, mandate) == 303
    for path in ("", "/records/population", "/accesses/population"):
        assert juhan.get(f"/me/for/{mandate}{path}").status_code == 404
    assert "by the other side" in _text(juhan, f"/me/mandates/{mandate}")
    assert "was refused. Nothing was shown." in _text(mari, "/me/accesses")
    refused = town.entries(Action.MANDATE_READ)[-1]
    assert (refused.outcome, refused.reason) == (Outcome.DENIED, Reason.MANDATE_NOT_IN_FORCE)


def test_each_step_and_each_look_is_an_entry_that_names_both_and_has_a_receipt(town: Town) -> None:
    mari, juhan = town.mari, town.juhan
    mandate = town.give(mari)
    _text(juhan, f"/me/for/{mandate}/records/population")
    town.end(juhan, mandate)
    said = [
        (one.action, one.subject, one.official_name)
        for one in town.entries(*(action for action in Action if action.value.startswith("mandate")))
    ]
    assert said == [
        (Action.MANDATE_GIVING, MARY.subject, None),
        (Action.MANDATE_ASSIGNMENT, JUHAN.subject, "Mari Maasikas"),
        (Action.MANDATE_READ, MARY.subject, "Juhan Juurikas"),
        (Action.MANDATE_RENUNCIATION, JUHAN.subject, None),
        (Action.MANDATE_END, MARY.subject, "Juhan Juurikas"),
    ]
    for client, kind, expected in ((mari, "mandate", 2), (mari, "own", 1), (juhan, "mandate", 1)):
        page = _text(client, f"/me/accesses?kind={kind}")
        lines = dict.fromkeys(re.findall(r'href="(/me/accesses/[^"?]+)"', page))
        assert len(lines) >= expected
        for line in lines:
            assert client.get(f"{line}/receipt").status_code == 200
            assert client.get(line).status_code == 200


def test_the_history_can_be_narrowed_to_mandates_and_they_are_not_among_officials(quick_town: Town) -> None:
    mari, juhan = quick_town.mari, quick_town.juhan
    mandate = quick_town.give(mari)
    _text(juhan, f"/me/for/{mandate}/records/population")
    assert "Your representative" in _text(mari, "/me/accesses?kind=mandate")
    assert "Your representative" not in _text(mari, "/me/accesses?kind=human")
    assert "nobody else looked at your data" in _text(mari, "/me")


def test_a_mandate_that_is_over_opens_nothing_and_says_nothing(town: Town) -> None:
    mandate = town.give()
    town.clock.now += timedelta(days=32)
    juhan = town.juhan
    for path in ("", "/records/population", "/accesses/population"):
        assert juhan.get(f"/me/for/{mandate}{path}").status_code == 404
    assert town.end(juhan, mandate) == 404
    assert "Its time is over" in _text(juhan, f"/me/mandates/{mandate}")
    assert town.portal.registries["population"].asked == []


def test_the_last_day_counts_to_its_end_where_the_portal_is(quick_town: Town) -> None:
    quick_town.clock.now = datetime(2027, 3, 10, 9, tzinfo=UTC)
    mandate = quick_town.give(until=["12", "3", "2027"])
    quick_town.clock.now = datetime(2027, 3, 12, 21, 59, tzinfo=UTC)  # 23:59 in Tallinn
    assert quick_town.juhan.get(f"/me/for/{mandate}").status_code == 200
    quick_town.clock.now = datetime(2027, 3, 12, 22, 0, tzinfo=UTC)
    assert quick_town.juhan.get(f"/me/for/{mandate}").status_code == 404


def test_a_registry_outside_the_mandate_stays_closed_and_the_attempt_is_in_the_history(town: Town) -> None:
    mari, juhan = town.mari, town.juhan
    mandate = town.give(mari)
    for path in ("records/land", "accesses/land", "records/nothing", "accesses/nothing"):
        assert juhan.get(f"/me/for/{mandate}/{path}").status_code == 404
    assert town.portal.registries["land"].asked == []
    refused = town.entries(Action.MANDATE_READ, Action.MANDATE_TRAIL_LOOK)
    assert [(one.outcome, one.reason, one.registry) for one in refused] == [
        (Outcome.DENIED, Reason.BEYOND_MANDATE, "land")
    ] * 2
    assert "Juhan Juurikas wanted to look at your data in the Land Register" in _text(mari, "/me/accesses")


def test_a_form_that_waits_while_the_mandate_ends_elsewhere_changes_nothing(town: Town) -> None:
    mandate = town.give()
    here, there = town.mari, town.mari
    token = token_of(here)
    assert town.end(there, mandate) == 303
    late = here.post(
        f"/me/mandates/{mandate}/end", data={"csrf_token": token}, headers={"Referer": "http://localhost/"}
    )
    assert late.status_code == 404
    assert len(town.entries(Action.MANDATE_REVOCATION)) == 1


def test_forged_foreign_and_absent_mandates_get_one_answer(town: Town) -> None:
    mandate = town.give()
    ann, absent = town.ann, uuid.uuid4()
    bodies = set()
    for path in ("/me/for/{}", "/me/for/{}/records/population", "/me/for/{}/accesses/population", "/me/mandates/{}"):
        for one in (mandate, absent, f"{mandate}x", "' OR 1=1 --"):
            answer = ann.get(path.format(one))
            assert answer.status_code == 404, path
            lines = answer.get_data(as_text=True).splitlines()
            # The switch of languages repeats what was asked, and a form's token the second at which it was made.
            bodies.add("\n".join(line for line in lines if "/language/" not in line and "csrf_token" not in line))
    assert len(bodies) == 1
    assert town.end(ann, mandate) == 404
    assert town.entries(Action.MANDATE_READ, Action.MANDATE_TRAIL_LOOK) == []
    assert town.mari.get(f"/me/for/{mandate}").status_code == 404  # who gave it acts for nobody by it


def test_what_was_received_cannot_be_passed_on(town: Town) -> None:
    """Juhan may look for Mari. What he gives to Ann opens his own data and none of hers, whatever he writes."""
    first = town.give()
    juhan = town.juhan
    tried = town.form(personal_code=ANN.reveal(), principal=MARY.reveal(), giver=MARY.reveal(), mandate=first)
    answer = town.portal.post(juhan, "/me/mandates/new", **tried)
    second = str(answer.headers["Location"]).rpartition("/")[2]
    page = _text(town.ann, f"/me/for/{second}/records/population")
    assert "Juhan" in page
    assert "Mari" not in page
    assert town.entries(Action.MANDATE_READ)[-1].subject == JUHAN.subject
    for path in (f"/me/for/{first}/mandates/new", f"/me/for/{second}/for/{first}"):
        assert town.ann.get(path).status_code == 404
        assert town.portal.post(juhan, path, **tried).status_code == 404
    assert town.ann.get(f"/me/for/{first}/records/population").status_code == 404


def test_nobody_gives_a_mandate_to_themselves_and_the_attempt_is_an_entry(quick_town: Town) -> None:
    answer = quick_town.portal.post(quick_town.mari, "/me/mandates/new", **quick_town.form(personal_code=MARY.reveal()))
    assert answer.status_code == 400
    assert "This is your own code" in answer.get_data(as_text=True)
    [entry] = quick_town.entries(Action.MANDATE_GIVING)
    assert (entry.outcome, entry.reason) == (Outcome.DENIED, Reason.OWN_MANDATE)


def test_the_answer_is_the_same_whether_the_code_is_anybodys(town: Town) -> None:
    mari, answers = town.mari, []
    for code in (JUHAN.reveal(), NOBODY):
        answer = town.portal.post(mari, "/me/mandates/new", **town.form(personal_code=code))
        page = _text(mari, answer.headers["Location"])
        mandate = answer.headers["Location"].rpartition("/")[2]
        words = re.sub(r'(nonce|csrf_token|value)="[^"]*"', "", page.replace(mandate, "")).replace(code, "")
        answers.append((answer.status_code, re.sub(r"\d+", "0", words)))
    assert answers[0] == answers[1]


#: What is wrong with a form, and what the page says of it.
MISTAKES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"personal_code": "38001085719"}, "not a valid personal code"),
    ({"personal_code": ""}, "Enter the personal code"),
    ({"registries": []}, "Choose at least one registry"),
    ({"registries": ["nothing"]}, "not a valid choice"),
    ({"called": " "}, "Write a name"),
    ({"until": ["", "", ""]}, "Enter the last day"),
    ({"until": ["1", "1", "2020"]}, "The last day is past"),
    ({"until": ["1", "1", "2099"]}, "The last day is too far away"),
)


def test_a_mandate_that_cannot_be_is_told_what_is_wrong_and_not_given(quick_town: Town) -> None:
    mari = quick_town.mari
    for changes, told in MISTAKES:
        answer = quick_town.portal.post(mari, "/me/mandates/new", **quick_town.form(**changes))
        assert answer.status_code == 400, changes
        assert told in answer.get_data(as_text=True)
    assert quick_town.entries(Action.MANDATE_GIVING, Action.MANDATE_ASSIGNMENT) == []


def test_giving_asks_for_a_fresh_proof_and_ending_does_not(quick_town: Town) -> None:
    stale = quick_town.portal.client("citizen")
    quick_town.clock.now += timedelta(minutes=15)
    for answer in (stale.get("/me/mandates/new"), quick_town.portal.post(stale, "/me/mandates/new")):
        assert "/step-up/" in answer.headers["Location"]
    assert quick_town.entries(Action.MANDATE_GIVING) == []
    mandate = quick_town.give()
    assert quick_town.end(quick_town.portal.client("citizen"), mandate) == 303


def test_a_step_without_the_mark_of_its_own_session_changes_nothing(quick_town: Town) -> None:
    mari = quick_town.mari
    mandate = quick_town.give(mari)
    for path, form in ((f"/me/mandates/{mandate}/end", {}), ("/me/mandates/new", quick_town.form())):
        for token in ({}, {"csrf_token": token_of(quick_town.juhan)}):
            answer = mari.post(path, data=form | token, headers={"Referer": "http://localhost/"})
            assert answer.status_code == 403
    assert quick_town.juhan.get(f"/me/for/{mandate}").status_code == 200
    assert len(quick_town.entries(Action.MANDATE_GIVING)) == 1


def test_nobody_has_more_mandates_in_force_than_the_house_allows(quick_town: Town) -> None:
    mari = quick_town.mari
    mandates = [quick_town.give(mari) for _ in range(20)]
    answer = quick_town.portal.post(mari, "/me/mandates/new", **quick_town.form())
    assert "as many mandates in force" in answer.get_data(as_text=True)
    quick_town.end(mari, mandates[0])
    quick_town.give(mari)


def test_a_silent_registry_is_told_and_is_an_entry(quick_town: Town) -> None:
    mandate = quick_town.give()
    quick_town.portal.registries["population"].is_down = True
    assert "gives no answer" in _text(quick_town.juhan, f"/me/for/{mandate}/records/population")
    assert "gave no answer" in _text(quick_town.mari, "/me/accesses")


def test_both_are_told_of_a_mandate_and_the_other_of_its_end(quick_town: Town) -> None:
    mari, juhan = quick_town.mari, quick_town.juhan
    mandate = quick_town.give(mari)
    for client in (mari, juhan):
        page = _text(client, "/me")
        assert "A mandate to look at somebody’s data was given" in page
        assert f"/me/mandates/{mandate}" in page
    quick_town.end(juhan, mandate)
    assert "The other side ended a mandate" in _text(mari, "/me")
    assert "The other side ended a mandate" not in _text(juhan, "/me")


def test_no_code_and_no_name_lies_open_in_the_database(quick_town: Town) -> None:
    quick_town.give(called="Juku the neighbour")
    kept = b"".join(file.read_bytes() for file in quick_town.portal.settings.data_dir.rglob("*.db*"))
    for word in (JUHAN.reveal(), MARY.reveal(), "Juku the neighbour"):
        assert word.encode() not in kept
