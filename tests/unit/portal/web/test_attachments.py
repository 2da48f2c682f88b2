"""Files in disputes: checked, scanned, sealed, fetched by the two sides alone, and erased in time."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from audit.entry import Access
from audit.errors import LogUnavailable
from audit.log import TrailQuery
from portal.domain.actions import Action, Outcome
from portal.domain.attachments import LARGEST_FILE
from portal.web import uploads
from tests.databases import new_database
from tests.factories.apps import FakePortal, token_of
from tests.factories.files import WHERE, archive, jpeg, pdf, png
from tests.factories.logs import TickingClock
from tests.factories.people import MARY
from tests.fakes.clamd import EICAR, SIGNATURE, Clamd, scanning
from tests.unit.portal.web.test_disputes import officer_of

WHY = "I never lived there, as the letter and the photograph that I attach to this show."
DATUM = "/me/records/population/address/contest"
LETTER = pdf(inside=b"% a letter about Mari Maasikas\n")
NAME = "Mari kiri 2026.pdf"


@dataclass
class Scene(FakePortal):
    """One portal for all tests of this module, and what was there before the test at hand began."""

    first_entry: int = 0
    before: frozenset[Path] = frozenset()

    @property
    def lying(self) -> list[Path]:
        return sorted(set(Path(self.settings.attachments.folder).glob("*")) - self.before)

    def entries(self, *actions: Action) -> list[Access]:
        found = self.house.log.stream(TrailQuery(actions=frozenset(actions) if actions else None))
        return [item.access for item in found if item.seq >= self.first_entry and item.access is not None]

    def began(self) -> Scene:
        self.first_entry = self.house.log.checkpoint().checkpoint.size
        self.before = frozenset(self.lying) | self.before
        return self


@pytest.fixture(scope="module")
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture(scope="module")
def daemon() -> Iterator[Clamd]:
    with scanning() as running:
        yield running


@pytest.fixture
def clamd(daemon: Clamd) -> Clamd:
    daemon.scanned, daemon.answer = [], None
    return daemon


def shared_portal(request: pytest.FixtureRequest, folder: Path, clock: TickingClock, daemon: Clamd) -> Iterator[Scene]:
    """Over the database that the fixture's parameter names."""
    settings: dict[str, Any] = {"session_idle_minutes": 1440, "session_absolute_minutes": 1440}
    with ExitStack() as stack:
        if request.param == "postgresql":
            url = stack.enter_context(new_database(request.getfixturevalue("postgres_server")))
            settings |= {"database_url": url, "audit": {"database_url": url}}
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        portal = build(folder, patch, clock, attachments={"clamd": daemon.address, "timeout_seconds": 5}, **settings)
        yield portal
        portal.close()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clock: TickingClock, daemon: Clamd
) -> Iterator[Scene]:
    yield from shared_portal(request, tmp_path_factory.mktemp("portal"), clock, daemon)


@pytest.fixture
def portal(shared: Scene, clamd: Clamd) -> Scene:
    return shared.began()


def build(folder: Path, monkeypatch: pytest.MonkeyPatch, clock: TickingClock, **settings: Any) -> Scene:
    portal = Scene.build(folder, monkeypatch, clock=clock, **settings)
    assert isinstance(portal, Scene)
    portal.registries["population"].holds(MARY, **{"given-names": "Mari", "address": "Pikk 1"})
    return portal


def files(*named: tuple[str, bytes]) -> list[FileStorage]:
    return [FileStorage(io.BytesIO(content), name) for name, content in named]


def send(portal: FakePortal, client: FlaskClient, path: str, *named: tuple[str, bytes], **form: Any) -> Any:
    """As a browser sends files. Werkzeug's client would leave a large body's temporary file open."""
    box = form.pop("box", "attachments")
    boundary, body = encode_multipart({"csrf_token": token_of(client), **form, box: files(*named)})
    return client.post(
        path,
        data=body,
        content_type=f'multipart/form-data; boundary="{boundary}"',
        headers={"Referer": "http://localhost/"},
    )


def open_with(portal: Scene, client: FlaskClient, *named: tuple[str, bytes]) -> Any:
    return send(portal, client, DATUM, *named, kind="rectification", text=WHY)


def opened(portal: Scene, client: FlaskClient, *named: tuple[str, bytes]) -> str:
    answer = open_with(portal, client, *named)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location).rpartition("/")[2]


def officer(portal: Scene) -> str:
    """The data protection officer of the registry's controller, signed in as "its officer"."""
    actor = officer_of(portal, "population-authority")
    portal.accounts["its officer"] = actor.account_id
    return "its officer"


def links(page: str) -> list[str]:
    return re.findall(r'href="([^"]+/attachments/[^"]+)"', page)


def test_a_persons_file_reaches_the_officer_and_nobody_else(portal: Scene, clamd: Clamd) -> None:
    citizen = portal.client("citizen")
    dispute = opened(portal, citizen, (NAME, LETTER))
    assert clamd.scanned == [LETTER]
    [own] = links(citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True))
    assert citizen.get(own).get_data() == LETTER
    handling = portal.client(officer(portal))
    [handled] = links(handling.get(f"/dpo/{dispute}").get_data(as_text=True))
    fetched = handling.get(handled)
    assert fetched.get_data() == LETTER
    for stranger in ("neighbour", "officer", "supervisor", "caseworker", "auditor", "administrator"):
        client = portal.client(stranger)
        assert client.get(own).status_code == 404
        assert client.get(handled).status_code == 404
    assert citizen.get(handled).status_code == handling.get(own).status_code == 404


def test_a_file_is_for_saving_and_never_runs_in_the_portal(portal: Scene) -> None:
    citizen = portal.client("citizen")
    dispute = opened(portal, citizen, ("../a;\u202e filename*=evil.exe.pdf", LETTER))
    [own] = links(citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True))
    answer = citizen.get(own)
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert not any(sign in answer.headers["Content-Disposition"] for sign in (".exe.", "/", "202E", "*=evil"))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/pdf"
    assert int(answer.headers["Content-Length"]) == len(LETTER)


def test_each_file_each_refusal_and_each_fetching_is_an_entry_without_the_files_name(portal: Scene) -> None:
    citizen, handling = portal.client("citizen"), portal.client(officer(portal))
    dispute = opened(portal, citizen, (NAME, LETTER), ("photo.jpg", jpeg()))
    for link in links(handling.get(f"/dpo/{dispute}").get_data(as_text=True)):
        handling.get(link).get_data()
    citizen.get(links(citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True))[0]).get_data()
    assert send(portal, citizen, f"/me/disputes/{dispute}", ("a.zip", archive()), text=WHY).status_code == 400
    assert (
        send(portal, handling, f"/dpo/{dispute}/step", (NAME, LETTER), step="dispute-answer", text=WHY).status_code
        == 303
    )
    attached = portal.entries(Action.DISPUTE_ATTACHMENT)
    assert attached[0].details["bytes"] == len(LETTER)
    assert [one.details["file"] for one in attached] == ["pdf", "jpeg"]
    assert len(portal.entries(Action.DISPUTE_OFFICE_ATTACHMENT_DOWNLOAD)) == 2
    assert len(portal.entries(Action.DISPUTE_ATTACHMENT_DOWNLOAD)) == 1
    [refused] = portal.entries(Action.DISPUTE_ATTACHMENT_REFUSAL)
    assert (refused.outcome, refused.details["fault"]) == (Outcome.DENIED, "kind-not-taken")
    [sent] = portal.entries(Action.DISPUTE_OFFICE_ATTACHMENT)
    assert sent.official == portal.accounts["its officer"]
    every = portal.entries()
    assert all(one.subject == MARY.subject for one in [*attached, refused, sent])
    assert not any(word in repr(every) for word in ("kiri", "photo", "a.zip"))
    history = citizen.get("/me/accesses?kind=own").get_data(as_text=True)
    assert "You attached a file in a dispute." in history
    assert "was not taken" in history
    assert "opened a file of a dispute of yours" in citizen.get("/me/accesses").get_data(as_text=True)


def test_neither_the_disk_nor_the_database_holds_a_file_or_its_name_in_clear(portal: Scene) -> None:
    opened(portal, portal.client("citizen"), (NAME, LETTER))
    [sealed] = portal.lying
    assert sealed.stat().st_mode & 0o777 == 0o600
    for path in (path for path in portal.settings.data_dir.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert b"a letter about Mari" not in content, path
        assert b"Mari kiri" not in content, path
        assert b"%PDF" not in content, path


def test_a_virus_is_found_refused_and_told_to_whoever_watches_without_the_name(
    portal: Scene, clamd: Clamd, caplog: pytest.LogCaptureFixture
) -> None:
    citizen = portal.client("citizen")
    with caplog.at_level(logging.INFO, logger="glasshouse.security"):
        answer = open_with(portal, citizen, ("mari.txt", EICAR), (NAME, LETTER))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "mari.txt: a virus was found in it" in page
    assert WHY in page
    assert portal.lying == []
    assert portal.entries(Action.DISPUTE_OPENING) == []
    [event] = [record for record in caplog.records if record.message == "malware-found"]
    assert event.__dict__["malware"] == SIGNATURE
    assert not any(
        "mari.txt" in repr(record.__dict__) for record in caplog.records if record.name.startswith("glasshouse")
    )
    assert [one.details["fault"] for one in portal.entries(Action.DISPUTE_ATTACHMENT_REFUSAL)] == ["malware-found"]


def test_while_the_scanner_is_down_no_file_is_taken_and_the_text_stays(
    portal: Scene, clamd: Clamd, caplog: pytest.LogCaptureFixture
) -> None:
    citizen = portal.client("citizen")
    dispute = opened(portal, citizen)
    clamd.answer = b""
    for path, form in ((DATUM, {"kind": "erasure"}), (f"/me/disputes/{dispute}", {})):
        answer = send(portal, citizen, path, (NAME, LETTER), text=WHY, **form)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 503
        assert WHY in page
        assert "cannot be checked for viruses just now" in page
    assert portal.lying == []
    assert len(portal.entries(Action.DISPUTE_OPENING, Action.DISPUTE_MESSAGE)) == 1
    assert "scanner-silent" in caplog.text
    assert portal.post(citizen, f"/me/disputes/{dispute}", text=WHY).status_code == 303


def test_what_is_wrong_with_each_of_several_files_is_told_at_once(portal: Scene) -> None:
    citizen = portal.client("citizen")
    dispute = opened(portal, citizen)
    wrong = [("a.svg", b"<svg/>"), ("b.pdf", png()), ("c.pdf", pdf(behind=archive())), (NAME, LETTER)]
    page = send(
        portal,
        citizen,
        f"/me/disputes/{dispute}",
        *wrong,
        text=WHY,
    ).get_data(as_text=True)
    for told in ("a.svg: its name must end", "b.pdf: the content is not what the name says", "c.pdf: something else"):
        assert told in page
    assert "kiri" not in page.partition("govuk-error-summary")[2].partition("</ul>")[0]
    assert portal.lying == []


def test_five_files_are_taken_and_six_are_not(portal: Scene) -> None:
    citizen = portal.client("citizen")
    many = [(f"{number}.txt", b"one") for number in range(6)]
    assert "too many files" in open_with(portal, citizen, *many).get_data(as_text=True)
    dispute = opened(portal, citizen, *many[:5])
    assert len(links(citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True))) == 5


def test_in_one_dispute_each_side_has_room_of_its_own(portal: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.services.disputes.ledger.MOST_IN_A_DISPUTE", 1)
    citizen, handling = portal.client("citizen"), portal.client(officer(portal))
    dispute = opened(portal, citizen, ("a.txt", b"one"))
    more = ("b.txt", b"two")
    assert send(portal, citizen, f"/me/disputes/{dispute}", more, text=WHY).status_code == 400
    assert send(portal, handling, f"/dpo/{dispute}/step", more, text=WHY, step="dispute-answer").status_code == 303


def test_a_file_of_ten_megabytes_is_taken_and_a_larger_one_is_told(portal: Scene) -> None:
    citizen = portal.client("citizen")
    largest = ("Ühel päeval. " * 10).encode()
    largest = (largest * (LARGEST_FILE // len(largest) + 1))[:LARGEST_FILE].decode("utf-8", "ignore").encode()
    dispute = opened(portal, citizen, ("a.txt", largest))
    [own] = links(citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True))
    assert citizen.get(own).get_data() == largest
    answer = open_with(portal, citizen, ("a.txt", largest + b"x" * 100))
    assert "larger than 10 MB" in answer.get_data(as_text=True)
    assert WHY in answer.get_data(as_text=True)


def test_a_picture_is_kept_without_where_it_was_taken(portal: Scene) -> None:
    citizen = portal.client("citizen")
    dispute = opened(portal, citizen, ("a.jpg", jpeg()), ("a.png", png()))
    for link in links(citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True)):
        content = citizen.get(link).get_data()
        assert content
        assert WHERE not in content


def test_the_officers_decision_takes_files_too(portal: Scene) -> None:
    citizen, handling = portal.client("citizen"), portal.client(officer(portal))
    dispute = opened(portal, citizen)
    answer = send(
        portal,
        handling,
        f"/dpo/{dispute}/decision",
        ("otsus.pdf", LETTER),
        ruling="upheld",
        reasons="We looked into it, and the address is wrong as you say.",
        box="decision_attachments",
    )
    assert answer.status_code == 303
    [own] = links(citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True))
    assert citizen.get(own).get_data() == LETTER
    late = send(portal, citizen, f"/me/disputes/{dispute}", (NAME, LETTER), text=WHY)
    assert late.status_code == 409
    assert len(portal.lying) == 1


def test_what_cannot_be_recorded_leaves_no_file(portal: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    citizen = portal.client("citizen")

    def silent(*_: Any, **__: Any) -> Any:
        raise LogUnavailable("down")

    monkeypatch.setattr(portal.house.log, "append_all", silent)
    assert open_with(portal, citizen, (NAME, LETTER)).status_code == 503
    assert portal.lying == []


def test_a_file_that_was_changed_on_the_disk_is_not_given_out(portal: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    citizen = portal.client("citizen")
    dispute = opened(portal, citizen, (NAME, LETTER))
    [own] = links(citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True))
    [sealed] = portal.lying
    content = bytearray(sealed.read_bytes())
    content[5] ^= 1
    sealed.write_bytes(content)
    monkeypatch.setitem(portal.app.config, "TESTING", False)
    answer = citizen.get(own)
    assert answer.status_code == 500
    assert b"PDF" not in answer.get_data()


def test_when_its_time_is_over_everything_written_and_attached_is_erased(portal: Scene, clock: TickingClock) -> None:
    clock.now += timedelta(days=10)
    citizen = portal.client("citizen")
    closed, open_one = opened(portal, citizen, (NAME, LETTER)), opened(portal, citizen, ("a.txt", b"still open"))
    portal.post(citizen, f"/me/disputes/{closed}/withdraw")
    retention = portal.house.disputes.retention
    clock.now += timedelta(days=portal.settings.disputes.keep_days - 1)
    retention.erase_due()
    assert len(portal.lying) == 2
    earlier = len(portal.entries(Action.DISPUTE_ERASURE))
    clock.now += timedelta(days=2)
    assert retention.erase_due() == 1
    assert retention.erase_due() == 0
    [left] = portal.lying
    citizen = portal.client("citizen")
    page = citizen.get(f"/me/disputes/{closed}").get_data(as_text=True)
    assert "was erased on" in page
    assert WHY not in page
    assert links(page) == []
    assert len(links(citizen.get(f"/me/disputes/{open_one}").get_data(as_text=True))) == 1
    [entry] = portal.entries(Action.DISPUTE_ERASURE)[earlier:]
    assert (entry.subject, entry.automatic, entry.details["files"]) == (MARY.subject, True, 1)
    assert "its time was over" in citizen.get("/me/accesses").get_data(as_text=True)
    assert left.stem in links(citizen.get(f"/me/disputes/{open_one}").get_data(as_text=True))[0]


def test_a_file_that_a_crash_left_behind_goes_and_one_of_a_dispute_stays(portal: Scene, clock: TickingClock) -> None:
    opened(portal, portal.client("citizen"), (NAME, LETTER))
    [known] = portal.lying
    stray = known.with_name("0b5461a5-stray.sealed")
    unfinished = known.with_name("1b5461a5-stray.part")
    for left in (stray, unfinished):
        left.write_bytes(b"?")
    clock.now += timedelta(days=3650)
    portal.house.disputes.retention.erase_due()
    assert portal.lying == [known]


def test_whoever_is_not_signed_in_sends_no_large_body(portal: Scene) -> None:
    large = ("a.txt", b"x" * 2_000_000)
    citizen = portal.client("citizen")
    assert send(portal, portal.client(), "/me/disputes/none", large, text=WHY).status_code == 413
    assert send(portal, citizen, "/me/alerts/choices", large).status_code in {404, 413}
    assert send(portal, portal.client("auditor"), "/me/disputes/none", large, text=WHY).status_code == 404
    assert send(portal, citizen, "/me/disputes/none", large, text=WHY).status_code == 404
    assert portal.lying == []


def test_more_files_at_once_than_there_is_room_for_wait(portal: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    citizen = portal.client("citizen")
    dispute = opened(portal, citizen)
    large = [("a.txt", b"x" * 2_000_000)]
    queue = portal.app.wsgi_app
    while not isinstance(queue, uploads.UploadQueue):
        queue = queue._app  # type: ignore[attr-defined]
    for _place in range(uploads.AT_ONCE):
        assert queue._places.acquire(blocking=False)
    answer = send(portal, citizen, f"/me/disputes/{dispute}", *large, text=WHY)
    assert answer.status_code == 503
    for _place in range(uploads.AT_ONCE):
        queue._places.release()
    monkeypatch.setattr(uploads, "ARRIVAL_SECONDS", -1.0)
    slow = send(portal, citizen, f"/me/disputes/{dispute}", *large, text=WHY)
    assert slow.status_code == 408
    monkeypatch.undo()
    answer = send(portal, citizen, f"/me/disputes/{dispute}", *large, text=WHY)
    assert answer.status_code == 303


def test_without_a_scanner_a_demonstration_takes_files_and_says_that_nothing_scanned_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: TickingClock
) -> None:
    portal = build(tmp_path, monkeypatch, clock)
    citizen = portal.client("citizen")
    dispute = opened(portal, citizen, (NAME, LETTER))
    assert "not checked for viruses" in citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True)
    portal.close()


def test_where_no_files_are_taken_no_box_offers_it_and_none_comes_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: TickingClock
) -> None:
    portal = build(tmp_path, monkeypatch, clock)
    citizen = portal.client("citizen")
    assert 'type="file"' in citizen.get(DATUM).get_data(as_text=True)
    monkeypatch.setattr(portal.house.disputes.attachments._intake, "are_taken", False)
    assert 'type="file"' not in citizen.get(DATUM).get_data(as_text=True)
    assert open_with(portal, citizen, (NAME, LETTER)).status_code == 503
    assert open_with(portal, citizen).status_code == 303
    portal.close()
