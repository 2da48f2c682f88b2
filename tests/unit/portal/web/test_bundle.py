"""Taking all away over HTTP: what the bundle holds and proves, who may have it, and when it is gone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import update

from audit.errors import LogUnavailable
from audit.keys import load_signer
from audit.log import TrailQuery
from audit.verify import verify_receipt
from portal.domain.actions import BUNDLE_STEPS, Action, Outcome
from portal.models.bundles import BundleJob
from portal.models.errands import HeldErrand
from portal.services.bundle.desk import MOST_ATTEMPTS, BundleUnderWay
from portal.services.file_jobs import SILENCE, JobState
from portal.web.bundle_telling import telling
from tests.factories.age_files import DoesNotOpen, opened
from tests.factories.apps import FakePortal
from tests.factories.commands import run_audit
from tests.factories.logs import TickingClock, an_access
from tests.factories.people import JUHAN, MARY
from tests.unit.portal.web.test_attachments import send
from tests.unit.portal.web.test_disputes import DATUM, WHY, contested

PASSPHRASE = "neli korrektset hobust õunaaias"
LOOKS = 4


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
    portal.registries["population"].holds(MARY, **{"given-names": "Mari", "address": "=HYPERLINK(1)"})
    looks = [an_access(subject=MARY.subject, case=f"C-{number}") for number in range(LOOKS)]
    portal.house.log.append_all([*looks, an_access(subject=JUHAN.subject, case="C-of-Juhan")])
    # The test makes bundles itself, when it has seen them waiting; a guess need not be dear here.
    monkeypatch.setattr("portal.jobs.runner.JobRunner.start", lambda *_: None)
    monkeypatch.setattr("portal.services.bundle.age.lock_with.__kwdefaults__", {"work_factor": 4})
    yield portal
    portal.close()


@pytest.fixture
def client(portal: FakePortal) -> FlaskClient:
    return portal.client("citizen", stepped_up=True)


def _asked_for(portal: FakePortal, client: FlaskClient, passphrase: str | None = None) -> str:
    """The page of a bundle that waits."""
    form = {"protection": "none"}
    if passphrase is not None:
        form = {"protection": "passphrase", "passphrase": passphrase, "repeated": passphrase}
    answer = portal.post(client, "/me/bundle/new", **form)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location)


def _make(portal: FakePortal) -> int:
    return portal.house.bundles.resume_due(telling(portal.app))


def _done(portal: FakePortal, client: FlaskClient, passphrase: str | None = None) -> str:
    page = _asked_for(portal, client, passphrase)
    assert _make(portal) == 1
    return page


def _archive(portal: FakePortal, client: FlaskClient) -> ZipFile:
    answer = client.get(f"{_done(portal, client)}/file")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    return ZipFile(io.BytesIO(answer.data))


def _text(client: FlaskClient, page: str) -> str:
    return client.get(page).get_data(as_text=True)


def _row(portal: FakePortal, page: str, **values: object) -> BundleJob:
    job_id = page.rpartition("/")[2]
    with portal.house.bundles._on.sessions.begin() as session:
        if values:
            session.execute(update(BundleJob).where(BundleJob.id == job_id).values(**values))
        row = session.get(BundleJob, job_id)
        assert row is not None
        session.expunge(row)
    return row


def _steps(portal: FakePortal) -> list[tuple[str, str]]:
    """What the log says of bundles, the oldest first."""
    items = portal.house.log.read(TrailQuery(subject=MARY.subject, actions=frozenset(BUNDLE_STEPS))).items
    return [(item.access.action, item.access.outcome) for item in reversed(items) if item.access is not None]


def test_a_bundle_is_asked_for_followed_and_fetched(portal: FakePortal, client: FlaskClient) -> None:
    page = _asked_for(portal, client)
    waiting = _text(client, page)
    assert "Your bundle is being made" in waiting
    assert '<noscript><meta http-equiv="refresh"' in waiting
    assert client.get(f"{page}/file").status_code == 404
    assert _make(portal) == 1
    assert "Your bundle is ready" in _text(client, page)
    answer = client.get(f"{page}/file")
    assert answer.headers["content-length"] == str(len(answer.data))
    assert answer.headers["cache-control"] == "no-store"
    assert ".zip" in answer.headers["content-disposition"]
    assert page in _text(client, "/me/bundle")


def test_every_entry_about_the_person_is_told_and_proved_under_one_checkpoint(
    portal: FakePortal, client: FlaskClient
) -> None:
    archive = _archive(portal, client)
    told = json.loads(archive.read("accesses.json"))
    rows = told["accesses"]
    expected = portal.house.log.read(TrailQuery(subject=MARY.subject), before=told["tree_size"], limit=500).items
    assert [row["entry"] for row in rows] == [item.seq for item in reversed(expected)]
    assert {"own-read", "read", "sign-in", "bundle-request"} <= {row["action"] for row in rows}
    verifier = load_signer(portal.settings.audit.signing_key_file).verifier()
    checkpoint = archive.read("checkpoint")
    for row in rows:
        receipt = archive.read(row["receipt"])
        proved = verify_receipt(receipt, [verifier])
        assert proved.access is not None
        assert (proved.index, proved.access.action, proved.access.case) == (row["entry"], row["action"], row["case"])
        assert proved.access.subject == MARY.subject
        assert proved.is_own_label
        assert receipt.endswith(checkpoint)
    assert {name for name in archive.namelist() if name.startswith("receipts/")} == {row["receipt"] for row in rows}


def test_anybody_can_check_a_receipt_of_the_bundle_with_what_lies_in_it(
    portal: FakePortal, client: FlaskClient, tmp_path: Path
) -> None:
    archive = _archive(portal, client)
    archive.extractall(tmp_path / "bundle")
    folder = tmp_path / "bundle"
    receipts = sorted((folder / "receipts").iterdir())
    assert len(receipts) > LOOKS
    for receipt in receipts:
        checked = run_audit(["check-receipt", receipt, "--vkey", folder / "log-keys.txt"])
        assert checked.returncode == 0, checked.stderr
    spoilt = folder / "spoilt.txt"
    spoilt.write_bytes(receipts[0].read_bytes().replace(b"C-0", b"C-9", 1))
    assert run_audit(["check-receipt", spoilt, "--vkey", folder / "log-keys.txt"]).returncode != 0
    key = portal.house.log.published_keys().split()[0]
    assert f'<meta name="glasshouse-log-vkey" content="{key}' in (folder / "verify.html").read_text(encoding="utf-8")
    read_me = (folder / "README.txt").read_text(encoding="utf-8")
    assert "python -m audit check-receipt receipts/" in read_me
    named = [line.split()[0] for line in read_me.splitlines() if line[:1].isalpha() and "   " in line]
    assert {name for name in named if "." in name or "/" in name} <= {*archive.namelist(), "receipts/"}


def test_csv_and_json_tell_the_same_and_no_cell_is_a_formula(portal: FakePortal, client: FlaskClient) -> None:
    archive = _archive(portal, client)
    accesses = json.loads(archive.read("accesses.json"))["accesses"]
    lines = list(csv.DictReader(io.StringIO(archive.read("accesses.csv").decode())))
    assert [(line["entry"], line["what"], line["case"]) for line in lines] == [
        (str(row["entry"]), row["what"], row["case"] or "") for row in accesses
    ]
    registries = json.loads(archive.read("records.json"))["registries"]
    assert [one["registry"] for one in registries] == list(portal.house.catalogue.registries)
    [population] = [one["records"] for one in registries if one["registry"] == "population"]
    assert population[0]["address"]["value"] == "=HYPERLINK(1)"
    cells = {line["field"]: line["value"] for line in csv.DictReader(io.StringIO(archive.read("records.csv").decode()))}
    assert cells == {"given-names": "Mari", "address": "'=HYPERLINK(1)"}
    assert "of-Juhan" not in archive.read("accesses.json").decode()


def test_disputes_with_what_was_written_and_attached_are_in_it(portal: FakePortal, client: FlaskClient) -> None:
    contested(portal, client)
    letter = b"See on minu kiri.\n"
    sent = send(portal, client, DATUM, ("kiri.txt", letter), kind="rectification", text=WHY)
    assert sent.status_code == 303
    archive = _archive(portal, client)
    looks, datum = json.loads(archive.read("disputes.json"))
    assert (looks["kind"], datum["kind"], datum["steps"][0]["text"]) == ("access", "rectification", WHY)
    assert f"receipts/{looks['steps'][0]['entry']}.txt" in archive.namelist()
    assert archive.read(f"disputes/{datum['number']}/01 kiri.txt") == letter
    assert json.loads(archive.read("consents.json")) == []


TITLES = {
    "en": "Your data, and who looked at it",
    "et": "Teie andmed ja kes neid on vaadanud",
    "ru": "Ваши данные и кто их смотрел",
}


def test_the_report_is_a_tagged_pdf_with_its_language_and_title(portal: FakePortal, client: FlaskClient) -> None:
    for language, title in TITLES.items():
        client.set_cookie("language", language)
        archive = _archive(portal, client)
        report = PdfReader(io.BytesIO(archive.read("report.pdf")))
        root = report.trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"]
        assert "/StructTreeRoot" in root
        assert (root["/Lang"], report.metadata and report.metadata.title) == (language, title)
        written = _written(report)
        assert [found for found in (title, "Mari", "C-3") if found not in written] == []
        assert title in archive.read("README.txt").decode()


def _written(report: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in report.pages).split())


def test_asking_making_fetching_and_deleting_are_entries_with_receipts(portal: FakePortal, client: FlaskClient) -> None:
    page = _done(portal, client)
    client.get(f"{page}/file")
    portal.post(client, f"{page}/delete")
    done = Outcome.DONE
    assert _steps(portal) == [
        (Action.BUNDLE_REQUEST, done),
        (Action.BUNDLE_COMPLETION, done),
        (Action.BUNDLE_DOWNLOAD, done),
        (Action.BUNDLE_DELETION, done),
    ]
    own = _text(client, "/me/accesses?kind=own")
    for said in (
        "asked for a bundle",
        "bundle of all your data was made",
        "downloaded the bundle",
        "deleted the bundle",
    ):
        assert said in own
    assert "bundle" not in _text(client, "/me/accesses")
    [latest] = portal.house.log.read(TrailQuery(subject=MARY.subject), limit=1).items
    reference = portal.house.trail.reference(portal.house.accounts.actor(portal.accounts["citizen"]), latest.seq)
    assert client.get(f"/me/accesses/{reference}/receipt").status_code == 200


def test_a_locked_bundle_opens_with_its_passphrase_and_with_no_other(portal: FakePortal, client: FlaskClient) -> None:
    page = _done(portal, client, PASSPHRASE)
    answer = client.get(f"{page}/file")
    assert answer.data.startswith(b"age-encryption.org/v1\n-> scrypt ")
    assert ".zip.age" in answer.headers["content-disposition"]
    assert "age --decrypt" in _text(client, page)
    with ZipFile(io.BytesIO(opened(answer.data, PASSPHRASE))) as archive:
        assert archive.testzip() is None
        assert "report.pdf" in archive.namelist()
    with pytest.raises(DoesNotOpen):
        opened(answer.data, PASSPHRASE + "!")


def test_the_passphrase_is_nowhere_and_once_it_is_made_not_even_the_portal_can_open_it(
    portal: FakePortal, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        page = _asked_for(portal, client, PASSPHRASE)
        waiting = _row(portal, page)
        _make(portal)
    said = "\n".join(f"{one.getMessage()} {vars(one)}" for one in caplog.records)
    assert PASSPHRASE not in said
    made = _row(portal, page)
    for row in (waiting, made):
        kept = [getattr(row, column.key) for column in BundleJob.__table__.columns]
        assert not [value for value in kept if PASSPHRASE in str(value) or PASSPHRASE.encode() in _bytes(value)]
    assert waiting.sealed_file_key is not None
    assert (made.sealed_file_key, made.file_header, made.is_encrypted) == (None, None, True)
    [file] = portal.settings.export_folder.iterdir()
    assert b"age-encryption" not in file.read_bytes()  # sealed once more, as every file there


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


NOT_MEANT_SO = [
    ({}, "Choose whether to lock it with a passphrase."),
    ({"protection": "passphrase"}, "Type the passphrase to lock the bundle with."),
    ({"protection": "passphrase", "passphrase": "short", "repeated": "short"}, "The passphrase is too short."),
    ({"protection": "passphrase", "passphrase": "Mari Maasikas!", "repeated": ""}, "The passphrase is mostly your"),
    ({"protection": "passphrase", "passphrase": PASSPHRASE, "repeated": "x"}, "The two are not the same."),
    ({"protection": "none", "passphrase": PASSPHRASE, "repeated": PASSPHRASE}, "chose not to lock the bundle"),
    ({"protection": "rot13"}, "Not a valid choice"),
]


def test_what_was_not_meant_so_makes_no_bundle_and_no_passphrase_comes_back(
    portal: FakePortal, client: FlaskClient
) -> None:
    for form, said in NOT_MEANT_SO:
        answer = portal.post(client, "/me/bundle/new", **form)
        page = answer.get_data(as_text=True)
        assert (answer.status_code, said in page, PASSPHRASE in page) == (400, True, False), form
    assert _steps(portal) == []


def test_somebody_elses_bundle_is_as_if_there_were_none(portal: FakePortal, client: FlaskClient) -> None:
    page = _done(portal, client)
    absent = "/me/bundle/00000000-0000-0000-0000-000000000000"
    neighbour = portal.client("neighbour", stepped_up=True)
    for tail in ("", "/file"):
        foreign, nothing = neighbour.get(page + tail), neighbour.get(absent + tail)
        assert (foreign.status_code, len(foreign.data)) == (404, len(nothing.data))
    assert portal.post(neighbour, f"{page}/delete").status_code == 404
    assert page not in _text(neighbour, "/me/bundle")
    for account in ("caseworker", "auditor", "administrator", "officer"):
        other = portal.client(account, stepped_up=True)
        for path in ("/me/bundle", "/me/bundle/new", page, f"{page}/file"):
            assert other.get(path).status_code == 404, (account, path)
    assert client.get(f"{page}/file").status_code == 200


def test_without_a_fresh_proof_nothing_is_begun_or_fetched_and_no_passphrase_is_kept(
    portal: FakePortal, client: FlaskClient
) -> None:
    page = _done(portal, client)
    weak = portal.client("citizen")
    for path in ("/me/bundle/new", f"{page}/file"):
        answer = weak.get(path)
        assert (answer.status_code, "/step-up/" in answer.location) == (303, True)
    form = {"protection": "passphrase", "passphrase": PASSPHRASE, "repeated": PASSPHRASE}
    asked = portal.post(weak, "/me/bundle/new", **form)
    assert "/step-up/" in asked.location
    with portal.house.bundles._on.sessions() as session:
        errand = session.get(HeldErrand, asked.location.split("/")[2])
        assert errand is not None
        kept = portal.house.bundles._on.sealer.unseal(errand.sealed, errand.id)
    assert "protection" in kept
    assert "hobust" not in kept
    # Whoever goes on after the proof is asked for the passphrase again and is not given an open bundle.
    assert portal.post(client, "/me/bundle/new", protection="passphrase").status_code == 400
    assert [step for step, _ in _steps(portal)] == [Action.BUNDLE_REQUEST, Action.BUNDLE_COMPLETION]


def test_a_form_from_elsewhere_begins_and_deletes_nothing(portal: FakePortal, client: FlaskClient) -> None:
    page = _done(portal, client)
    for path in ("/me/bundle/new", f"{page}/delete"):
        assert client.post(path, data={"protection": "none"}).status_code == 403
    assert client.get(f"{page}/file").status_code == 200


def test_one_bundle_of_a_person_is_made_at_a_time(
    portal: FakePortal, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = _asked_for(portal, client)
    second = portal.post(client, "/me/bundle/new", protection="none")
    assert second.status_code == 409
    assert "Your last bundle is still being made" in second.get_data(as_text=True)
    assert page in second.get_data(as_text=True)
    # Two tabs at the same moment both find that none is open: the database lets one of them through.
    desk, actor = portal.house.bundles, portal.house.accounts.actor(portal.accounts["citizen"])
    monkeypatch.setattr(desk, "recent", lambda _actor: [])
    with pytest.raises(BundleUnderWay):
        desk.request(actor, "en", None, request_id="other-tab")
    assert _steps(portal) == [(Action.BUNDLE_REQUEST, Outcome.DONE)]
    assert _make(portal) == 1


def test_when_its_time_is_over_the_file_and_its_key_are_gone(
    portal: FakePortal, client: FlaskClient, clock: TickingClock
) -> None:
    page = _done(portal, client)
    assert portal.house.bundles.discard_old() == 0
    clock.now += timedelta(days=portal.settings.protection.bundle_keep_days)
    assert portal.house.bundles.discard_old() == 1
    assert list(portal.settings.export_folder.iterdir()) == []
    assert _row(portal, page).sealed_key is None
    fresh = portal.client("citizen", stepped_up=True)
    assert fresh.get(f"{page}/file").status_code == 404
    assert "The bundle was deleted" in _text(fresh, page)


def test_a_file_whose_time_is_over_is_not_sent_though_no_job_has_deleted_it(
    portal: FakePortal, client: FlaskClient, clock: TickingClock
) -> None:
    page = _done(portal, client)
    clock.now += timedelta(days=portal.settings.protection.bundle_keep_days)
    assert portal.client("citizen", stepped_up=True).get(f"{page}/file").status_code == 404


def test_a_person_deletes_the_bundle_at_once_and_only_once(portal: FakePortal, client: FlaskClient) -> None:
    page = _done(portal, client)
    assert portal.post(client, f"{page}/delete").status_code == 303
    assert list(portal.settings.export_folder.iterdir()) == []
    assert client.get(f"{page}/file").status_code == 404
    assert portal.post(client, f"{page}/delete").status_code == 404
    assert [step for step, _ in _steps(portal)].count(Action.BUNDLE_DELETION) == 1


def test_a_newer_bundle_takes_the_place_of_the_older(portal: FakePortal, client: FlaskClient) -> None:
    first, second = _done(portal, client), _done(portal, client)
    assert client.get(f"{first}/file").status_code == 404
    assert client.get(f"{second}/file").status_code == 200
    assert len(list(portal.settings.export_folder.iterdir())) == 1


def test_what_died_half_way_is_made_by_the_next_process_and_asks_each_registry_under_the_same_entry(
    portal: FakePortal, client: FlaskClient, clock: TickingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = _asked_for(portal, client, PASSPHRASE)
    with monkeypatch.context() as dying:
        dying.setattr("portal.services.bundle.contents.typst.compile", _dies)
        with pytest.raises(KeyboardInterrupt):
            _make(portal)
    assert "Your bundle is being made" in _text(client, page)
    assert _make(portal) == 0, "it may still be running"
    clock.now += SILENCE
    assert _make(portal) == 1
    client = portal.client("citizen", stepped_up=True)
    with ZipFile(io.BytesIO(opened(client.get(f"{page}/file").data, PASSPHRASE))) as archive:
        assert archive.testzip() is None
    looks = portal.house.log.count(TrailQuery(subject=MARY.subject, actions=frozenset({Action.OWN_READ})))
    assert looks == len(portal.house.catalogue.registries)
    assert len(list(portal.settings.export_folder.iterdir())) == 1


def _dies(*_: object, **__: object) -> bytes:
    raise KeyboardInterrupt


def test_a_bundle_that_ends_every_process_is_given_up_and_says_so(
    portal: FakePortal, client: FlaskClient, clock: TickingClock
) -> None:
    page = _asked_for(portal, client, PASSPHRASE)
    _row(portal, page, attempts=MOST_ATTEMPTS)
    assert _make(portal) == 1
    assert "The bundle was not made" in _text(client, page)
    assert _row(portal, page).sealed_file_key is None
    assert _steps(portal)[-1] == (Action.BUNDLE_COMPLETION, Outcome.FAILED)
    assert "could not be made" in _text(client, "/me/accesses?kind=own")
    assert _done(portal, client)


def test_whoever_lost_the_account_gets_nothing_made(portal: FakePortal, client: FlaskClient) -> None:
    page = _asked_for(portal, client)
    _row(portal, page, requested_by=portal.accounts["caseworker"])
    _make(portal)
    _row(portal, page, requested_by=portal.accounts["citizen"])
    assert "Your account may no longer take data away." in _text(client, page)
    assert list(portal.settings.export_folder.glob("*")) == []


def test_without_the_log_nothing_is_asked_for_made_or_fetched(
    portal: FakePortal, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = _done(portal, client)
    asked = portal.registries["population"].asked.copy()
    with monkeypatch.context() as broken:
        broken.setattr(portal.house.log, "append_all", _no_log)
        assert client.get(f"{ready}/file").status_code == 503
        assert portal.post(client, f"{ready}/delete").status_code == 503
        assert portal.post(client, "/me/bundle/new", protection="none").status_code == 503
    assert client.get(f"{ready}/file").status_code == 200
    page = _asked_for(portal, client)
    with monkeypatch.context() as broken:
        broken.setattr(portal.house.log, "append", _no_log)
        broken.setattr(portal.house.log, "append_all", _no_log)
        assert _make(portal) == 1
    assert "The log could not be read or written." in _text(client, page)
    assert portal.registries["population"].asked == asked
    assert client.get(f"{ready}/file").status_code == 200, "the older one stays until there is a newer one"


def _no_log(*_: object, **__: object) -> None:
    raise LogUnavailable("no disk")


def test_a_registry_that_gives_no_answer_is_said_to_have_given_none(portal: FakePortal, client: FlaskClient) -> None:
    portal.registries["vehicles"].is_down = True
    archive = _archive(portal, client)
    registries = {one["registry"]: one["records"] for one in json.loads(archive.read("records.json"))["registries"]}
    assert registries.pop("vehicles") is None
    assert None not in registries.values()
    report = PdfReader(io.BytesIO(archive.read("report.pdf")))
    assert "gave no answer" in _written(report)


def test_a_download_that_broke_off_is_taken_up_again(portal: FakePortal, client: FlaskClient) -> None:
    file = f"{_done(portal, client)}/file"
    whole = client.get(file)
    rest = client.get(file, headers={"Range": "bytes=100-", "If-Range": whole.headers["etag"]})
    assert (rest.status_code, rest.data) == (206, whole.data[100:])


def test_a_damaged_file_is_an_error_and_not_half_an_answer(portal: FakePortal, client: FlaskClient) -> None:
    page = _done(portal, client)
    [file] = portal.settings.export_folder.iterdir()
    portal.app.testing = False
    file.write_bytes(b"\0" + file.read_bytes()[1:])
    assert client.get(f"{page}/file").status_code == 500


def test_progress_is_told_while_it_is_made(
    portal: FakePortal, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.services.file_jobs._TOLD_SECONDS", 0.0)
    page = _asked_for(portal, client)
    seen = []

    def looking(*_: object, **__: object) -> bytes:
        row = _row(portal, page)
        seen.append((row.state, row.done, row.total))
        return b"%PDF"

    monkeypatch.setattr("portal.services.bundle.contents.typst.compile", looking)
    _make(portal)
    [(state, done, total)] = seen
    assert state == JobState.RUNNING
    assert 0 < done < total + 3 * len(portal.registries)
