"""The file of a dispute: what the person takes to the supervisory authority."""

from __future__ import annotations

import json
from io import BytesIO
from zipfile import ZipFile

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader

from audit.errors import LogUnavailable
from audit.note import verifier_from_vkey
from audit.receipt import parse_receipt
from audit.verify import verify_receipt
from portal.domain.actions import Action
from tests.factories.apps import FakePortal
from tests.factories.people import MARY
from tests.unit.portal.web.test_disputes import REASONS, WHY, asked, contested, steps


def _file(portal: FakePortal, client: FlaskClient, dispute: str) -> ZipFile:
    answer = portal.post(client, f"/me/disputes/{dispute}/file.zip")
    assert answer.status_code == 200
    assert str(answer.headers["Content-Disposition"]).startswith("attachment; filename=glasshouse-dispute-")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    return ZipFile(BytesIO(answer.data))


def test_the_file_for_the_inspectorate_holds_what_was_written_and_proves_every_step(portal: FakePortal) -> None:
    citizen, officer = portal.client("citizen"), portal.client("officer")
    dispute = contested(portal, citizen)
    portal.post(officer, f"/dpo/{dispute}/decision", ruling="refused", ground="lawful-look", reasons=REASONS)
    archive = _file(portal, citizen, dispute)
    told = json.loads(archive.read("dispute.json"))
    assert [step["text"] for step in told["steps"]] == [WHY, REASONS]
    assert [step["by"] for step in told["steps"]] == ["person", "organisation"]
    assert (told["ruling"], told["basis"]) == ("refused", "GDPR Article 5(1), 15(1)")
    [key] = [line for line in archive.read("keys.txt").decode().splitlines() if line]
    proven = {
        parse_receipt(archive.read(name).decode()).proof.index: verify_receipt(
            archive.read(name).decode(), [verifier_from_vkey(key)]
        ).access
        for name in told["receipts"]
    }
    assert set(proven) == {told["contested_entry"], *(step["entry"] for step in told["steps"])}
    assert {access.action for access in proven.values() if access is not None} == {
        Action.READ,
        Action.DISPUTE_OPENING,
        Action.DISPUTE_DECISION,
    }


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Dispute "), ("et", "Vaidlus "), ("ru", "Спор ")], ids=["en", "et", "ru"]
)
def test_the_report_is_a_tagged_pdf_in_the_readers_language(portal: FakePortal, language: str, title: str) -> None:
    citizen = portal.client("citizen")
    dispute = contested(portal, citizen)
    citizen.set_cookie("language", language)
    report = PdfReader(BytesIO(_file(portal, citizen, dispute).read("dispute.pdf")))
    written = "\n".join(page.extract_text() for page in report.pages)
    assert title in written
    assert WHY in " ".join(written.split())
    assert report.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert report.trailer["/Root"]["/Lang"] == language


def test_taking_the_file_is_an_entry_that_no_list_of_the_organisation_has(portal: FakePortal) -> None:
    citizen = portal.client("citizen")
    dispute = contested(portal, citizen)
    _file(portal, citizen, dispute)
    taken = steps(portal)[-1]
    assert (taken.action, taken.subject, taken.organisation) == (Action.DISPUTE_FILE, MARY.subject, None)
    assert "You took the file of a dispute." in citizen.get("/me/accesses?kind=own").get_data(as_text=True)
    assert "file of a dispute" not in portal.client("officer").get(f"/dpo/{dispute}").get_data(as_text=True)


def test_a_dispute_about_a_value_has_a_file_too(portal: FakePortal) -> None:
    citizen = portal.client("citizen")
    told = json.loads(_file(portal, citizen, asked(portal, citizen, "erasure")).read("dispute.json"))
    assert (told["registry"], told["field"], told["contested_entry"]) == ("population", "address", None)


def test_nobody_else_is_given_the_file(portal: FakePortal) -> None:
    dispute = contested(portal, portal.client("citizen"))
    for account in ("neighbour", "officer", "caseworker", "auditor"):
        answer = portal.post(portal.client(account), f"/me/disputes/{dispute}/file.zip")
        assert answer.status_code == 404, account
    assert len(steps(portal)) == 1


def test_without_the_log_there_is_no_file(portal: FakePortal, monkeypatch: pytest.MonkeyPatch) -> None:
    citizen = portal.client("citizen")
    dispute = contested(portal, citizen)

    def fail(_: object) -> None:
        raise LogUnavailable("no disk")

    monkeypatch.setattr(portal.house.log, "append_all", fail)
    answer = portal.post(citizen, f"/me/disputes/{dispute}/file.zip")
    assert answer.status_code == 503
    assert not answer.data.startswith(b"PK")
