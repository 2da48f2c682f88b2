"""Break-glass over HTTP: who may, for how long, who is told, and the review that nobody can skip."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from audit.entry import Access
from audit.log import TrailQuery
from tests.factories.apps import FakePortal
from tests.factories.people import JUHAN, KADRI, MARY

REASON = "Child of six found alone at the station; looking for the parents' address"
REGISTRIES = ["population", "health-insurance"]
FOUND = "The police confirm the call and the child was brought home"


@dataclass
class Glass:
    """A portal with a caseworker who may break the glass, and a clock that can be set."""

    portal: FakePortal
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def surely(self, account: str) -> FlaskClient:
        """A client that has just proved at the highest level who it is."""
        client = self.portal.client(account)
        assert self.portal.post(client, "/step-up/none/demonstration").status_code in {303, 404}
        return client

    def declare(self, client: FlaskClient | None = None, **changes: Any) -> Any:
        asked = {
            "personal_code": MARY.reveal(),
            "justification": REASON,
            "registries": ["population", "health-insurance"],
        }
        return self.portal.post(client or self.surely("caseworker"), "/casework/emergencies/new", **asked | changes)

    def declared(self) -> str:
        answer = self.declare()
        assert answer.status_code == 303, answer.get_data(as_text=True)[:2000]
        return str(answer.headers["Location"]).rpartition("/")[2]

    def open(self, emergency: str, account: str = "caseworker") -> Any:
        return self.portal.post(self.surely(account), f"/casework/emergencies/{emergency}")

    def review(self, emergency: str, account: str = "supervisor", **changes: Any) -> Any:
        said = {"verdict": "confirmed", "note": FOUND} | changes
        return self.portal.post(self.portal.client(account), f"/supervision/emergencies/{emergency}", **said)

    def entries(self, **criteria: Any) -> list[Access]:
        items = self.portal.house.log.read(TrailQuery(**criteria), limit=200).items
        return [item.access for item in items if item.access is not None]

    def told(self, account: str, words: str) -> bool:
        return words in self.portal.client(account).get("/alerts").get_data(as_text=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def glass(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Glass]:
    settings: dict[str, Any] = {}
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        settings = {"database_url": url, "audit": {"database_url": url}}
    made = Glass.__new__(Glass)
    made.now = datetime.now(UTC)
    made.portal = FakePortal.build(tmp_path, monkeypatch, clock=made, **settings)
    made.portal.registries["population"].holds(MARY, **{"given-names": "Mari", "citizenship": "Estonian"})
    yield made
    made.portal.close()


def test_an_emergency_opens_what_the_policy_refuses_and_everybody_who_must_know_is_told_before(glass: Glass) -> None:
    emergency = glass.declared()
    assert glass.told("supervisor", "declared an emergency")
    assert glass.told("officer", "declared an emergency")
    assert glass.told("citizen", "declared an emergency")
    assert not any(glass.told(account, "declared an emergency") for account in ("chief", "auditor", "neighbour"))
    assert not glass.portal.registries["population"].asked
    answer = glass.open(emergency)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "Estonian" in answer.get_data(as_text=True)  # a field that no purpose of the organisation opens
    looks = glass.entries(subject=MARY.subject, actions=frozenset({"read"}))
    assert {access.registry for access in looks} == {"population", "health-insurance"}
    assert all(access.purpose == "emergency" and access.details["emergency"] == emergency for access in looks)
    history = glass.portal.client("citizen").get("/me/accesses").get_data(as_text=True)
    assert history.count("Emergency access") >= 2
    assert "declared an emergency that concerns you" in history


def test_it_needs_the_right_and_a_sign_in_of_the_moment(glass: Glass) -> None:
    plain = glass.portal.client("caseworker")
    assert plain.get("/casework/emergencies/new").status_code == 303
    assert glass.declare(plain).status_code == 303  # to the step-up, not to an emergency
    assert glass.entries(actions=frozenset({"emergency"})) == []
    for account in ("colleague", "detective", "supervisor", "officer", "auditor", "citizen"):
        client = glass.surely(account)
        assert client.get("/casework/emergencies").status_code == 404
        assert glass.declare(client).status_code == 404, account
    emergency = glass.declared()
    assert plain.post(f"/casework/emergencies/{emergency}").status_code == 403
    for account in ("colleague", "detective", "citizen", "supervisor"):
        assert glass.open(emergency, account).status_code == 404, account


def test_without_a_reason_or_for_ones_own_record_nothing_opens_and_the_attempt_is_logged(glass: Glass) -> None:
    client = glass.surely("caseworker")
    for changes in ({"justification": "asdf"}, {"justification": ""}, {"personal_code": KADRI.reveal()}):
        assert glass.declare(client, **changes).status_code == 400, changes
    assert glass.declare(client, registries=[]).status_code == 400
    assert glass.declare(client, registries=["nowhere"]).status_code == 404
    assert {access.outcome for access in glass.entries(actions=frozenset({"emergency"}))} == {"denied"}
    assert not glass.told("supervisor", "declared an emergency")


def test_it_ends_by_itself_and_what_is_asked_after_is_refused_and_logged(glass: Glass) -> None:
    emergency = glass.declared()
    assert glass.open(emergency).status_code == 200
    glass.now += timedelta(minutes=16)
    asked = len(glass.portal.registries["population"].asked)
    assert glass.open(emergency).status_code == 403
    assert len(glass.portal.registries["population"].asked) == asked
    assert {access.reason for access in glass.entries(subject=MARY.subject, outcome="denied")} == {"emergency-over"}


def test_whoever_loses_the_right_in_between_opens_nothing(glass: Glass) -> None:
    emergency = glass.declared()
    session = glass.portal.house.safeguards.bulk._sessions()
    session.execute(text("UPDATE accounts SET duties = ''"))
    session.commit()
    session.close()
    assert glass.open(emergency).status_code == 404


def test_what_is_posted_besides_changes_neither_the_person_nor_the_registries(glass: Glass) -> None:
    emergency = glass.declared()
    answer = glass.portal.post(
        glass.surely("caseworker"),
        f"/casework/emergencies/{emergency}",
        personal_code=JUHAN.reveal(),
        registries=["land"],
    )
    assert answer.status_code == 200
    assert glass.entries(subject=JUHAN.subject, actions=frozenset({"read"})) == []
    assert not glass.portal.registries["land"].asked


def test_a_supervisor_reviews_it_once_after_it_ended_and_never_ones_own_or_anothers(glass: Glass) -> None:
    emergency = glass.declared()
    assert glass.review(emergency).status_code == 404  # still open
    glass.now += timedelta(minutes=16)
    for account in ("caseworker", "colleague", "chief", "auditor", "citizen"):
        assert glass.review(emergency, account).status_code == 404, account
    assert glass.review(emergency, verdict="").status_code == 400
    assert glass.review(emergency, verdict="forgiven").status_code == 400
    assert glass.review(emergency, note="ok").status_code == 400
    with ThreadPoolExecutor(2) as pool:
        answers = [answer.status_code for answer in pool.map(lambda _: glass.review(emergency), range(2))]
    assert sorted(answers) == [303, 404]
    assert glass.review(emergency, verdict="escalated").status_code == 404
    reviews = glass.entries(subject=MARY.subject, actions=frozenset({"emergency-review"}))
    assert [(access.details["verdict"], access.justification) for access in reviews] == [("confirmed", FOUND)]
    page = glass.portal.client("supervisor").get(f"/supervision/emergencies/{emergency}").get_data(as_text=True)
    assert MARY.reveal() not in page
    assert "Estonian" not in page


def test_a_review_that_is_overdue_says_so_and_is_told_once(glass: Glass) -> None:
    glass.declared()
    remind = glass.portal.house.safeguards.emergency_casework.remind
    remind()
    assert not glass.told("supervisor", "is overdue")
    glass.now += timedelta(hours=49)
    remind()
    remind()
    page = glass.portal.client("supervisor").get("/alerts").get_data(as_text=True)
    assert page.count("The review of an emergency access is overdue") == 1
    assert glass.told("officer", "is overdue")
    listed = glass.portal.client("supervisor").get("/supervision/emergencies").get_data(as_text=True)
    assert "Review overdue" in listed
