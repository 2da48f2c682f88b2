"""Findings through HTTP: the trip of an auditor, an official's answer, and what each of them may not do."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from flask.testing import FlaskClient

from audit.log import TrailQuery
from portal.domain.actions import Action
from tests.factories.apps import FakePortal, token_of
from tests.factories.logs import an_access
from tests.factories.people import MARY


def look(portal: FakePortal, official: str = "caseworker") -> str:
    """A look by an official at Mary; gives the page of its entry as the auditor reaches it."""
    portal.house.log.append(
        an_access(subject=MARY.subject, official=portal.accounts[official], official_name="Kadri Kask")
    )
    auditor = portal.client("auditor")
    found = portal.post(auditor, "/oversight", official=portal.accounts[official]).get_data(as_text=True)
    return re.findall(r'href="(/oversight/entries/[^"]+)"', found)[0]


def opened(portal: FakePortal, auditor: FlaskClient, page: str) -> str:
    answer = portal.post(auditor, "/oversight/findings", entry=page.rpartition("/")[2], text="She is his neighbour")
    assert answer.status_code == 303, answer.get_data(as_text=True)[:400]
    return str(answer.headers["Location"])


def text_of(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def test_from_an_entry_to_the_notice_in_the_persons_own_history(portal: FakePortal) -> None:
    page = look(portal)
    auditor, official, citizen = (portal.client(one) for one in ("auditor", "caseworker", "citizen"))
    assert "Open a finding" in text_of(auditor.get(page))
    assert "What seems wrong about it?" in text_of(auditor.get(f"{page}/finding"))
    finding = opened(portal, auditor, page)
    second = look(portal)
    assert "Add to finding 1" in text_of(auditor.get(second))
    portal.post(auditor, f"{finding}/evidence", entry=second.rpartition("/")[2])
    assert text_of(auditor.get(finding)).count("/oversight/entries/") == 2
    portal.post(auditor, f"{finding}/question", text="Why did you look?")
    assert "Waiting for the official’s statement" in text_of(auditor.get(finding))
    asked = text_of(official.get("/casework/questions"))
    assert "Why did you look?" in asked
    assert MARY.reveal() not in asked
    finding_id = finding.rpartition("/")[2]
    portal.post(official, f"/casework/questions/{finding_id}", **{f"{finding_id}-text": "I was curious"})
    portal.post(auditor, f"{finding}/decision", verdict="confirmed", sanction="warning", text="By her own word")
    assert "You should know" not in text_of(citizen.get("/me"))
    early = portal.post(auditor, f"{finding}/end", text="over")
    assert early.status_code == 409
    assert "have to be told first" in text_of(early)
    portal.post(auditor, f"{finding}/notice")
    assert "You should know" in text_of(citizen.get("/me"))
    assert "without a good reason" in text_of(citizen.get("/me/accesses"))
    portal.post(auditor, f"{finding}/end", text="The employer was told")
    shown = text_of(auditor.get(finding))
    assert "Misuse was confirmed" in shown
    assert "What comes next" not in shown


def test_the_proofs_come_as_one_archive(portal: FakePortal) -> None:
    auditor = portal.client("auditor")
    finding = opened(portal, auditor, look(portal))
    archive = zipfile.ZipFile(io.BytesIO(auditor.get(f"{finding}/proofs.zip").data))
    [name] = archive.namelist()
    assert archive.read(name).startswith(b"glasshouse receipt v1\n")


def test_nobody_but_an_auditor_reaches_a_finding(portal: FakePortal) -> None:
    finding = opened(portal, portal.client("auditor"), look(portal))
    for account in ("citizen", "caseworker"):
        stranger = portal.client(account)
        for step in ("/evidence", "/assignment", "/question", "/decision", "/notice", "/end", "/proofs.zip", ""):
            assert stranger.get(f"{finding}{step}").status_code in {404, 405}
            assert portal.post(stranger, f"{finding}{step}", text="x").status_code in {404, 405}


def test_a_finding_that_does_not_exist_and_a_forged_entry_are_not_there(portal: FakePortal) -> None:
    auditor = portal.client("auditor")
    for path in ("/oversight/findings/x", "/oversight/findings/00000000-0000-0000-0000-000000000000"):
        assert auditor.get(path).status_code == 404
        for step, form in (("assignment", {}), ("notice", {}), ("question", {"text": "x"}), ("end", {"text": "x"})):
            assert portal.post(auditor, f"{path}/{step}", **form).status_code == 404
    assert auditor.get("/oversight/entries/forged/finding").status_code == 404
    assert portal.post(auditor, "/oversight/findings", entry="forged", text="x").status_code == 404
    assert portal.post(auditor, "/oversight/findings", text="x").status_code == 404


def test_an_official_answers_no_question_that_was_put_to_another(portal: FakePortal) -> None:
    auditor = portal.client("auditor")
    finding = opened(portal, auditor, look(portal))
    portal.post(auditor, f"{finding}/question", text="Why?")
    finding_id = finding.rpartition("/")[2]
    colleague = portal.client("colleague")
    assert "Why?" not in text_of(colleague.get("/casework/questions"))
    answer = portal.post(colleague, f"/casework/questions/{finding_id}", **{f"{finding_id}-text": "for her"})
    assert answer.status_code == 404


def test_empty_words_are_asked_for_again_and_nothing_is_lost(portal: FakePortal) -> None:
    auditor = portal.client("auditor")
    finding = opened(portal, auditor, look(portal))
    empty = portal.post(auditor, f"{finding}/decision", sanction="warning", text="The reasons, at length")
    assert empty.status_code == 400
    assert "Choose what the review came to." in text_of(empty)
    assert "The reasons, at length" in text_of(empty)
    assert portal.post(auditor, f"{finding}/question", text=" \u200b ").status_code == 400
    unknown = portal.post(auditor, f"{finding}/decision", verdict="guilty", sanction="prison", text="x")
    assert unknown.status_code == 400


def test_script_in_a_statement_stays_text(portal: FakePortal) -> None:
    auditor, official = portal.client("auditor"), portal.client("caseworker")
    finding = opened(portal, auditor, look(portal))
    portal.post(auditor, f"{finding}/question", text="Why?")
    finding_id = finding.rpartition("/")[2]
    portal.post(official, f"/casework/questions/{finding_id}", **{f"{finding_id}-text": "<script>alert(1)</script>"})
    shown = text_of(auditor.get(finding))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script>alert" not in shown


def test_a_step_without_the_mark_against_forgery_is_refused(portal: FakePortal) -> None:
    auditor = portal.client("auditor")
    finding = opened(portal, auditor, look(portal))
    token_of(auditor)
    assert auditor.post(f"{finding}/notice").status_code == 403
    assert auditor.post(f"{finding}/decision", data={"verdict": "confirmed", "text": "x"}).status_code == 403


def test_a_finding_names_people_once_the_auditor_said_why(portal: FakePortal) -> None:
    """Before that the proofs hold no contents either; the reveal is an entry about each person."""
    auditor = portal.client("auditor", stepped_up=True)
    finding = opened(portal, auditor, look(portal))

    def seen() -> tuple[bool, bool, bool]:
        archive = zipfile.ZipFile(io.BytesIO(auditor.get(f"{finding}/proofs.zip").data))
        page = text_of(auditor.get(finding))
        return "Kadri Kask" in page, MARY.reveal() in page, b"Kadri Kask" in archive.read(archive.namelist()[0])

    assert seen() == (False, False, False)
    assert "Kadri Kask" not in text_of(auditor.get("/oversight/findings"))
    assert portal.post(auditor, f"{finding}/reveal", reason="short").status_code == 400
    assert seen() == (False, False, False)
    assert portal.post(auditor, f"{finding}/reveal", reason="To ask for a statement").status_code == 303
    assert seen() == (True, True, True)
    query = TrailQuery(subject=MARY.subject, actions=frozenset({Action.IDENTITY_REVEAL}))
    assert portal.house.log.count(query) == 1
    assert "Kadri Kask" not in text_of(portal.client("auditor").get(finding)), "another session sees pseudonyms"
