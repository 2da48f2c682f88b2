"""Recipients' systems take corrections over; whoever does not answer is reminded; what is contested says so."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.entry import Access
from audit.errors import LogUnavailable
from audit.log import TrailQuery
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome
from portal.domain.disputes import DisputeKind, Ruling
from portal.registries.catalogue import CatalogueError, load_catalogue
from portal.registries.client_files import load_clients
from portal.services.disputes.citizens import Complaint
from portal.services.disputes.corrections import MOST_REMINDERS
from portal.web.api.description import described
from tests.databases import new_database
from tests.factories.apps import FakePortal
from tests.factories.client_systems import a_certificate, a_client, token_form, write_catalogue
from tests.factories.people import MARY
from tests.unit.portal.web.test_disputes import REASONS, WHY, officer_of
from tests.unit.portal.web.test_hostile_requests import LOOK, a_form

SCOPES = '["corrections.take:population", "corrections.take:tax-benefits"]'
SYSTEM = a_client(organisation='"social-insurance-board"', scopes=SCOPES)


@dataclass
class LateClock:
    """The true time, for which certificates and assertions are made, until it is set forward."""

    late: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.late


@pytest.fixture(scope="module")
def clock() -> LateClock:
    return LateClock()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def portal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clock: LateClock
) -> Iterator[FakePortal]:
    folder = tmp_path_factory.mktemp("portal")
    settings: dict[str, Any] = {
        "catalogue_dir": write_catalogue(folder, SYSTEM),
        "machines": {"certificate_proxies": "127.0.0.1/32"},
        "session_idle_minutes": 1440,
        "session_absolute_minutes": 1440,
    }
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "postgresql":
            with new_database(request.getfixturevalue("postgres_server")) as url:
                yield from _built(
                    folder, patch, clock, settings | {"database_url": url, "audit": {"database_url": url}}
                )
        else:
            yield from _built(folder, patch, clock, settings)


def _built(folder: Any, patch: pytest.MonkeyPatch, clock: LateClock, settings: dict[str, Any]) -> Iterator[FakePortal]:
    clock.late = timedelta()
    portal = FakePortal.build(folder, patch, clock=clock, **settings)
    portal.registries["population"].holds(MARY, **{"given-names": "Mari", "address": "Pikk 1"})
    yield portal
    portal.close()


def used_by_a_system(portal: FakePortal, clock: LateClock) -> None:
    portal.house.log.append(
        Access(
            action=Action.AUTOMATED_READ,
            outcome=Outcome.RELEASED,
            source=PORTAL_SOURCE,
            occurred_at=clock(),
            subject=MARY.subject,
            organisation="social-insurance-board",
            registry="population",
            fields=("address",),
            purpose="benefit-claim",
            automatic=True,
        )
    )


def found_wrong(portal: FakePortal, clock: LateClock) -> str:
    """A system of the board received Mary's address, which is found wrong; gives the dispute."""
    used_by_a_system(portal, clock)
    house = portal.house
    citizen = house.accounts.actor(portal.accounts["citizen"])
    complaint = Complaint(kind=DisputeKind.RECTIFICATION, text=WHY, registry="population", field="address")
    dispute = house.disputes.own.open(citizen, complaint, request_id="r")
    officer = officer_of(portal, "population-authority")
    house.disputes.desk.decide(officer, dispute, Ruling.UPHELD, REASONS, request_id="r")
    return dispute


def ask(portal: FakePortal, path: str, *, method: str = "GET", scope: str | None = None) -> Any:
    certified = {"X-Client-Certificate": a_certificate().header}
    form = token_form() | ({"scope": scope} if scope else {})
    issued = portal.app.test_client().post("/api/oauth/token", data=form, headers=certified)
    assert issued.status_code == 200, issued.get_data(as_text=True)
    headers = certified | {"Authorization": f"Bearer {issued.json['access_token']}"}
    return portal.app.test_client().open(path, method=method, headers=headers)


def newest(portal: FakePortal, clock: LateClock) -> str:
    found_wrong(portal, clock)
    waiting = ask(portal, "/api/v1/corrections").json["corrections"]
    correction: str = waiting[-1]["id"]
    return correction


def entries(portal: FakePortal, action: Action) -> list[Access]:
    found = portal.house.log.stream(TrailQuery(actions=frozenset({action})))
    return [one.access for one in found if one.access is not None]


def test_a_system_fetches_a_correction_and_takes_it_over_and_the_person_sees_both(
    portal: FakePortal, clock: LateClock
) -> None:
    correction = newest(portal, clock)
    listed = ask(portal, "/api/v1/corrections")
    assert MARY.reveal() not in listed.get_data(as_text=True)
    fetched = ask(portal, f"/api/v1/corrections/{correction}")
    told = fetched.json
    assert (told["subject"], told["registry"], told["field"]) == (MARY.reveal(), "population", "address")
    assert (told["kind"], told["acknowledged_at"]) == ("rectification", None)
    assert fetched.headers["Cache-Control"] == "no-store"
    first = ask(portal, f"/api/v1/corrections/{correction}/acknowledge", method="POST")
    again = ask(portal, f"/api/v1/corrections/{correction}/acknowledge", method="POST")
    assert (first.status_code, again.json) == (200, first.json)
    assert correction not in ask(portal, "/api/v1/corrections").get_data(as_text=True)
    taken, fetching = (
        entries(portal, Action.CORRECTION_ACKNOWLEDGEMENT)[-1],
        entries(portal, Action.CORRECTION_FETCH)[-1],
    )
    for entry in (taken, fetching):
        assert (entry.subject, entry.organisation, entry.automatic) == (MARY.subject, "social-insurance-board", True)
        assert entry.details["client"] == "population-system"
    assert len(entries(portal, Action.CORRECTION_ACKNOWLEDGEMENT)) == 1
    history = portal.client("citizen").get("/me/accesses").get_data(as_text=True)
    assert "fetched a correction of your data" in history
    assert "took a correction of your data into account" in history


def test_a_token_for_another_registry_opens_no_correction(portal: FakePortal, clock: LateClock) -> None:
    correction = newest(portal, clock)
    other = "corrections.take:tax-benefits"
    assert ask(portal, "/api/v1/corrections", scope=other).json == {"corrections": []}
    for path, method in (
        (f"/api/v1/corrections/{correction}", "GET"),
        (f"/api/v1/corrections/{correction}/acknowledge", "POST"),
    ):
        answer = ask(portal, path, method=method, scope=other)
        assert (answer.status_code, answer.json["error"]) == (403, "insufficient_scope")
    assert portal.app.test_client().get("/api/v1/corrections").status_code == 401


def test_what_is_not_there_or_anothers_is_not_found(portal: FakePortal, clock: LateClock) -> None:
    dispute = found_wrong(portal, clock)
    portal.post(portal.client("caseworker"), LOOK, **a_form(personal_code=MARY.reveal()))
    found_wrong(portal, clock)
    mine = portal.house.disputes.corrections.waiting(portal.house.accounts.actor(portal.accounts["caseworker"]))
    assert mine
    for unknown in ("none", dispute, mine[0].notice_id):
        assert ask(portal, f"/api/v1/corrections/{unknown}").status_code == 404
        assert ask(portal, f"/api/v1/corrections/{unknown}/acknowledge", method="POST").status_code == 404


def test_what_cannot_be_recorded_is_neither_shown_nor_taken_over(
    portal: FakePortal, clock: LateClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    correction = newest(portal, clock)
    append_all = portal.house.log.append_all

    def silent(accesses: Any) -> Any:
        accesses = list(accesses)
        if any(access.action.startswith("correction-") for access in accesses):
            raise LogUnavailable("down")
        return append_all(accesses)

    monkeypatch.setattr(portal.house.log, "append_all", silent)
    answer = ask(portal, f"/api/v1/corrections/{correction}")
    assert (answer.status_code, MARY.reveal() in answer.get_data(as_text=True)) == (503, False)
    assert ask(portal, f"/api/v1/corrections/{correction}/acknowledge", method="POST").status_code == 503
    monkeypatch.undo()
    assert ask(portal, f"/api/v1/corrections/{correction}").json["acknowledged_at"] is None


def test_a_scope_for_data_that_an_organisation_never_gets_is_a_mistake(tmp_path: Any) -> None:
    client = a_client(organisation='"land-register"', scopes='["corrections.take:health-insurance"]')
    catalogue = write_catalogue(tmp_path, client)
    with pytest.raises(CatalogueError, match="no purpose gives this organisation this registry"):
        load_clients(catalogue, load_catalogue(catalogue))


def test_the_description_names_corrections_and_marks() -> None:
    document = described()
    assert {"/api/v1/corrections", "/api/v1/corrections/{id}", "/api/v1/corrections/{id}/acknowledge"} <= set(
        document["paths"]
    )
    flows = document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"]
    assert "corrections.take:{registry}" in flows
    assert "marks" in json.dumps(document["components"]["schemas"]["Disclosed"])


def test_whoever_does_not_answer_is_reminded_a_few_times_and_that_is_counted(
    portal: FakePortal, clock: LateClock
) -> None:
    corrections = portal.house.disputes.corrections
    portal.post(portal.client("caseworker"), LOOK, **a_form(personal_code=MARY.reveal()))
    dispute = found_wrong(portal, clock)
    patience = timedelta(days=portal.settings.disputes.reminder_days)
    clock.late += patience - timedelta(hours=1)
    corrections.remind_due()
    caseworker = portal.client("caseworker")
    [notice] = [one for one in corrections.waiting(_actor(portal, "caseworker")) if one.acknowledged_at is None][:1]
    assert notice.reminders == 0
    for time in range(1, MOST_REMINDERS + 2):
        clock.late += patience
        corrections.remind_due()
        assert corrections.remind_due() == 0
        [same] = [one for one in corrections.waiting(_actor(portal, "caseworker")) if one.notice_id == notice.notice_id]
        assert same.reminders == min(time, MOST_REMINDERS)
    caseworker = portal.client("caseworker")
    assert f"You were reminded {MOST_REMINDERS} times." in caseworker.get("/corrections").get_data(as_text=True)
    alerts = portal.house.safeguards.alerts.waiting(_actor(portal, "caseworker"))
    assert sum(alert.place == f"{notice.notice_id}/{MOST_REMINDERS}" for alert in alerts) == 1
    citizen = portal.client("citizen")
    assert f"reminded {MOST_REMINDERS} times" in citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True)
    assert "was reminded of a correction of your data" in citizen.get("/me/accesses").get_data(as_text=True)
    assert all(entry.automatic for entry in entries(portal, Action.CORRECTION_REMINDER))
    portal.post(caseworker, f"/corrections/{notice.notice_id}")
    before = len(entries(portal, Action.CORRECTION_REMINDER))
    clock.late += patience
    corrections.remind_due()
    assert not any(
        entry.details.get("notice") == notice.notice_id
        for entry in entries(portal, Action.CORRECTION_REMINDER)[before:]
    )


def _actor(portal: FakePortal, account: str) -> Any:
    return portal.house.accounts.actor(portal.accounts[account])


def test_a_list_says_beside_each_value_that_it_is_contested(
    portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.jobs.runner.JobRunner.start", lambda *_: None)  # performed below, and waited for
    house = portal.house
    complaint = Complaint(kind=DisputeKind.RECTIFICATION, text=WHY, registry="population", field="address")
    dispute = house.disputes.own.open(_actor(portal, "citizen"), complaint, request_id="r")
    caseworker = portal.client("caseworker", stepped_up=True)
    form = a_form() | {"people": (io.BytesIO(f"{MARY.reveal()}\n".encode()), "people.csv")}
    form.pop("personal_code", None)
    answer = portal.post(caseworker, "/casework/lists/new/benefit-claim", **form)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    house.safeguards.bulk_runs.resume_due()
    results = portal.post(caseworker, f"{answer.location}/results").get_data(as_text=True)
    assert results.startswith("row,"), results
    rows = list(csv.DictReader(io.StringIO(results)))
    marks = {row["field"]: row["mark"] for row in rows if row["registry"] == "population"}
    assert marks.pop("address").startswith("contested since 20")
    assert set(marks.values()) <= {""}
    statement = portal.client("citizen").get("/me/statement").get_data(as_text=True)
    assert "What is contested or restricted" in statement
    house.disputes.own.withdraw(_actor(portal, "citizen"), dispute, request_id="r")
    assert "What is contested or restricted" not in portal.client("citizen").get("/me/statement").get_data(as_text=True)
