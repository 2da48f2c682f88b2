"""Exports in the background: asked for, followed, fetched whole or in parts, and gone when their time is over."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from audit.log import TrailQuery
from portal.domain.actions import Action
from portal.models.exports import ExportJob
from portal.services.exporting.criteria import criteria_of, criteria_text
from portal.services.file_jobs import SILENCE, JobState
from portal.services.oversight import TrailSearch
from tests.factories.apps import FakePortal
from tests.factories.logs import TickingClock, an_access
from tests.factories.people import MARY


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def portal(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: TickingClock
) -> Iterator[FakePortal]:
    settings: dict[str, Any] = {"session_idle_minutes": 1440, "session_absolute_minutes": 1440}
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        settings |= {"database_url": url, "audit": {"database_url": url}}
    portal = FakePortal.build(tmp_path, monkeypatch, clock=clock, **settings)
    portal.house.log.append_all([an_access(case=f"C-{number}") for number in range(5)])
    # The test makes exports itself, when it has seen them waiting.
    monkeypatch.setattr("portal.jobs.runner.JobRunner.start", lambda *_: None)
    monkeypatch.setattr("portal.services.exports.AT_ONCE", 3)
    yield portal
    portal.close()


@pytest.fixture
def client(portal: FakePortal) -> FlaskClient:
    return portal.client("auditor", stepped_up=True)


#: What the page that asks for a reason sends.
NAMED = {"names": "yes", "is_asked": "yes", "reason": "The prosecutor asked for it"}


def _asked_for(portal: FakePortal, client: FlaskClient, **form: str) -> str:
    answer = portal.post(client, "/oversight/export", **{"format": "csv", "action": "read", **NAMED, **form})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location)


def _done(portal: FakePortal, client: FlaskClient, **form: str) -> str:
    page = _asked_for(portal, client, **form)
    assert portal.house.export_desk.resume_due() == 1
    return page


def _row(portal: FakePortal, page: str, **values: object) -> None:
    with portal.house.export_desk._sessions.begin() as session:
        session.execute(update(ExportJob).where(ExportJob.id == page.rpartition("/")[2]).values(**values))


def test_a_large_export_is_made_in_the_background_and_holds_what_was_found(
    portal: FakePortal, client: FlaskClient
) -> None:
    page = _asked_for(portal, client)
    assert "The export is being made" in client.get(page).get_data(as_text=True)
    assert client.get(f"{page}/file").status_code == 404
    portal.house.export_desk.resume_due()
    assert "The export is ready" in client.get(page).get_data(as_text=True)
    answer = client.get(f"{page}/file")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.read("trail.csv").count(b"\r\n") == 1 + 5
    assert answer.headers["content-length"] == str(len(answer.data))
    assert answer.headers["cache-control"] == "no-store"


def test_a_small_one_is_sent_at_once_and_a_bundle_for_a_court_never(portal: FakePortal, client: FlaskClient) -> None:
    at_once = portal.post(client, "/oversight/export", format="parquet", case="C-1")
    assert at_once.status_code == 200
    assert at_once.data.startswith(b"PK")
    page = _done(portal, client, format="court", case="C-1")
    with zipfile.ZipFile(io.BytesIO(client.get(f"{page}/file").data)) as archive:
        assert "report.pdf" in archive.namelist()


def test_names_and_codes_leave_the_portal_with_a_reason_alone(portal: FakePortal, client: FlaskClient) -> None:
    asked = {"format": "jsonl", "case": "C-1"}

    def exported(**form: str) -> str:
        answer = portal.post(client, "/oversight/export", **asked, **form)
        assert answer.status_code == 200
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            return archive.read("trail.jsonl").decode()

    assert MARY.reveal() not in exported()
    page = portal.post(client, "/oversight/export", **asked, names="yes").get_data(as_text=True)
    assert "Why do you need to see who they are?" in page
    weak = portal.post(client, "/oversight/export", **asked, **(NAMED | {"reason": "no"}))
    assert (weak.status_code, weak.mimetype) == (400, "text/html")
    assert portal.house.log.count(TrailQuery(actions=frozenset({Action.TRAIL_EXPORT}))) == 1
    assert MARY.reveal() in exported(**NAMED)
    newest = portal.house.log.read(TrailQuery(actions=frozenset({Action.TRAIL_EXPORT}))).items[0].access
    assert newest is not None
    assert newest.justification == NAMED["reason"]


def test_a_bundle_for_a_court_asks_for_a_reason_first(portal: FakePortal, client: FlaskClient) -> None:
    page = portal.post(client, "/oversight/export", format="court", action="read").get_data(as_text=True)
    assert "with the people in it" in page
    assert portal.house.log.count(TrailQuery(actions=frozenset({Action.TRAIL_EXPORT}))) == 0


def test_an_export_in_the_background_names_nobody_either_unless_it_was_asked_to(
    portal: FakePortal, client: FlaskClient
) -> None:
    page = _done(portal, client, names="", is_asked="", reason="")
    with zipfile.ZipFile(io.BytesIO(client.get(f"{page}/file").data)) as archive:
        lines = archive.read("trail.csv").decode()
    assert MARY.reveal() not in lines
    assert "Mari Maasikas" not in lines


def test_asking_and_fetching_are_entries_in_the_log(portal: FakePortal, client: FlaskClient) -> None:
    page = _done(portal, client, subject=MARY.reveal(), action="")
    client.get(f"{page}/file")
    query = TrailQuery(actions=frozenset({Action.TRAIL_EXPORT, Action.EXPORT_DOWNLOAD}))
    fetched, asked = [item.access for item in portal.house.log.read(query).items]
    assert asked is not None
    assert fetched is not None
    assert (asked.action, asked.subject) == (Action.TRAIL_EXPORT, MARY.subject)
    assert (fetched.action, fetched.official) == (Action.EXPORT_DOWNLOAD, portal.accounts["auditor"])
    assert fetched.details["export"] == page.rpartition("/")[2]


def test_what_waits_and_what_lies_on_the_disk_tells_nothing(portal: FakePortal, client: FlaskClient) -> None:
    page = _done(portal, client, subject=MARY.reveal(), action="read")
    with portal.house.export_desk._sessions() as session:
        row = session.get(ExportJob, page.rpartition("/")[2])
    assert row is not None
    assert MARY.reveal().encode() not in row.sealed_criteria
    [file] = portal.settings.export_folder.iterdir()
    assert b"trail.csv" not in file.read_bytes()


def test_a_download_that_broke_off_is_taken_up_again(portal: FakePortal, client: FlaskClient) -> None:
    file = f"{_done(portal, client)}/file"
    whole = client.get(file)
    etag = whole.headers["etag"]
    rest = client.get(file, headers={"Range": "bytes=100-", "If-Range": etag})
    assert (rest.status_code, rest.data) == (206, whole.data[100:])
    assert rest.headers["content-range"] == f"bytes 100-{len(whole.data) - 1}/{len(whole.data)}"
    assert client.get(file, headers={"Range": "bytes=-7"}).data == whole.data[-7:]
    assert client.get(file, headers={"Range": "bytes=10-19"}).data == whole.data[10:20]


def test_a_range_that_cannot_be_given_is_answered_by_the_rules(portal: FakePortal, client: FlaskClient) -> None:
    file = f"{_done(portal, client)}/file"
    size = len(client.get(file).data)
    beyond = client.get(file, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    for headers in (
        {"Range": "bytes=5-", "If-Range": '"another"'},
        {"Range": "bytes=0-1,4-5"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=x"},
    ):
        answer = client.get(file, headers=headers)
        assert (answer.status_code, len(answer.data)) == (200, size), headers


def test_another_auditors_export_is_nothing_here(portal: FakePortal, client: FlaskClient) -> None:
    page = _done(portal, client)
    _row(portal, page, requested_by=portal.accounts["citizen"])
    absent = "/oversight/exports/00000000-0000-0000-0000-000000000000"
    for path, nothing in ((page, absent), (f"{page}/file", f"{absent}/file")):
        answer = client.get(path)
        assert (answer.status_code, len(answer.data)) == (404, len(client.get(nothing).data))
    assert page not in client.get("/oversight/exports").get_data(as_text=True)


def test_when_its_time_is_over_the_file_and_its_key_are_gone(
    portal: FakePortal, client: FlaskClient, clock: TickingClock
) -> None:
    page = _done(portal, client)
    assert portal.house.export_desk.discard_old() == 0
    clock.now += timedelta(days=7)
    assert portal.house.export_desk.discard_old() == 1
    assert list(portal.settings.export_folder.iterdir()) == []
    fresh = portal.client("auditor", stepped_up=True)
    assert fresh.get(f"{page}/file").status_code == 404
    assert "The export was deleted" in fresh.get(page).get_data(as_text=True)


def test_an_export_whose_process_died_is_made_again_and_a_running_one_is_left_alone(
    portal: FakePortal, client: FlaskClient, clock: TickingClock
) -> None:
    page = _asked_for(portal, client)
    _row(portal, page, state=JobState.RUNNING, worker="dead", heartbeat_at=clock.now, done=2)
    assert portal.house.export_desk.resume_due() == 0
    clock.now += SILENCE
    assert portal.house.export_desk.resume_due() == 1
    assert "The export is ready" in client.get(page).get_data(as_text=True)


def test_whoever_is_no_auditor_any_more_gets_nothing_made(portal: FakePortal, client: FlaskClient) -> None:
    page = _asked_for(portal, client)
    _row(portal, page, requested_by=portal.accounts["caseworker"])
    portal.house.export_desk.resume_due()
    _row(portal, page, requested_by=portal.accounts["auditor"])
    shown = client.get(page).get_data(as_text=True)
    assert "The export was not made" in shown
    assert "Your account may no longer export." in shown
    assert list(portal.settings.export_folder.glob("*")) == []


def test_a_file_that_is_gone_or_damaged_is_an_error_and_not_half_an_answer(
    portal: FakePortal, client: FlaskClient
) -> None:
    page = _done(portal, client)
    [file] = portal.settings.export_folder.iterdir()
    portal.app.testing = False
    file.write_bytes(b"\0" + file.read_bytes()[1:])
    assert client.get(f"{page}/file").status_code == 500
    file.unlink()
    assert client.get(f"{page}/file").status_code == 500


def test_too_many_for_a_court_is_said_before_anything_is_made(
    portal: FakePortal, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.services.exports.MAXIMUM_ENTRIES", 4)
    answer = portal.post(client, "/oversight/export", format="court", action="read", **NAMED)
    assert answer.status_code == 400
    assert "Too many entries for a court" in answer.get_data(as_text=True)
    assert portal.house.log.count(TrailQuery(actions=frozenset({Action.TRAIL_EXPORT}))) == 0


def test_a_search_comes_back_from_its_text_as_it_was() -> None:
    for wanted in (TrailSearch(), TrailSearch(subject=MARY, case="ÕÄ-1", since=TickingClock().now.date())):
        assert criteria_of(criteria_text(wanted)) == wanted
