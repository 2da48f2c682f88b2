"""A supervisor's pages, through a browser's requests and on both databases: accesses, never data; and no way round."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from audit.entry import Access
from audit.log import TrailQuery
from portal.domain.actions import Action, Reason
from portal.domain.actors import Role
from portal.domain.reviews import ReviewState
from portal.services.accounts import NewAccount
from portal.services.reviews import AlreadyDecided, Review
from tests.factories.apps import FakePortal
from tests.factories.client_systems import write_catalogue
from tests.factories.people import KADRI, MARY

REASON = "Deciding the housing benefit claim received on 3 March"
WHY = "The claim named in the reason is not known to the case system at all."
HEADER = "reference,kind,purpose,organisation,team,opened,closed,subjects,officials\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[FakePortal]:
    """A portal whose own tables are on SQLite or on PostgreSQL."""
    portal = FakePortal.build(tmp_path, monkeypatch, database_url=database_url)
    yield portal
    portal.close()


def _look(portal: FakePortal, account: str = "caseworker") -> None:
    form = {"personal_code": MARY.reveal(), "case": "X-1", "justification": REASON, "registries": ["population"]}
    assert portal.post(portal.client(account), "/casework/benefit-claim", **form).status_code == 200


def _review(portal: FakePortal, account: str = "supervisor") -> Review:
    supervisor = portal.house.accounts.actor(portal.accounts[account])
    return portal.house.casework_room.reviews.of_team(supervisor, tuple(ReviewState))[0]


def _entries(portal: FakePortal, **criteria: Any) -> list[Access]:
    items = portal.house.log.read(TrailQuery(**criteria), limit=200).items
    return [item.access for item in items if item.access is not None]


def test_a_look_is_confirmed_or_handed_over_and_settled_and_each_step_is_an_entry(here: FakePortal) -> None:
    here.registries["population"].holds(MARY, **{"given-names": "Salajane"})
    _look(here)
    review = _review(here)
    client, auditor = here.client("supervisor"), here.client("auditor")
    path = f"/supervision/reviews/{review.review_id}"
    page = client.get(path).get_data(as_text=True)
    assert REASON in page
    assert "Kadri Kask" in page
    for hidden in (MARY.reveal(), "Salajane", MARY.reveal()[-4:] + "<"):
        assert hidden not in page
    assert auditor.get(f"/oversight/escalations/{review.review_id}").status_code == 404
    assert here.post(client, f"{path}/escalate", reason="odd").status_code == 400
    assert here.post(client, f"{path}/escalate", reason=WHY).status_code == 303
    assert WHY in auditor.get(f"/oversight/escalations/{review.review_id}").get_data(as_text=True)
    settled = here.post(
        auditor, f"/oversight/escalations/{review.review_id}", verdict="misuse", finding="No such claim was ever made."
    )
    assert settled.status_code == 303
    assert _review(here).state is ReviewState.UPHELD
    acts = {entry.action: entry for entry in _entries(here)}
    assert acts[Action.REVIEW_ESCALATION].justification == WHY
    assert acts[Action.ESCALATION_VERDICT].details["verdict"] == "upheld"
    for action in (Action.SUPERVISION_LOOK, Action.REVIEW_ESCALATION, Action.ESCALATION_VERDICT):
        assert acts[action].subject is None


def test_another_teams_review_and_official_look_absent(here: FakePortal) -> None:
    _look(here)
    review = _review(here)
    client = here.client("other supervisor")
    for path in (f"/supervision/reviews/{review.review_id}", f"/supervision/officials/{here.accounts['caseworker']}"):
        assert client.get(path).status_code == client.get(path[:-1] + "0").status_code == 404
    for step, form in (("confirm", {}), ("escalate", {"reason": WHY})):
        answer = here.post(client, f"/supervision/reviews/{review.review_id}/{step}", **form)
        assert answer.status_code == 404
    assert _review(here).state is ReviewState.OPEN


def test_nobody_judges_their_own_look(here: FakePortal) -> None:
    herself = NewAccount(Role.SUPERVISOR, "Kadri Kask", "social-insurance-board", KADRI)
    (here.accounts["herself"],) = here.house.accounts.open([herself], demonstration=True)
    _look(here)
    review = _review(here)
    answer = here.post(here.client("herself"), f"/supervision/reviews/{review.review_id}/confirm")
    assert answer.status_code == 403
    assert _review(here).state is ReviewState.OPEN
    assert {entry.reason for entry in _entries(here, outcome="denied")} == {Reason.OWN_ACCESS}


def test_what_is_decided_is_decided_once(here: FakePortal) -> None:
    _look(here)
    review = _review(here)
    client = here.client("supervisor")
    for _ in range(2):
        assert here.post(client, f"/supervision/reviews/{review.review_id}/confirm").status_code == 303
    assert here.post(client, f"/supervision/reviews/{review.review_id}/escalate", reason=WHY).status_code == 303
    assert _review(here).state is ReviewState.CONFIRMED
    assert len(_entries(here, actions=frozenset({Action.REVIEW_CONFIRMATION}))) == 1
    with pytest.raises(AlreadyDecided):
        here.house.casework_room.reviews.decide(
            review.review_id, ReviewState.ESCALATED, by="x", reason=WHY, record=lambda: None
        )


def test_of_two_supervisors_who_decide_at_once_one_holds(here: FakePortal) -> None:
    _look(here)
    path = f"/supervision/reviews/{_review(here).review_id}"
    clients = [here.client("supervisor"), here.client("officer")]
    steps: list[tuple[str, dict[str, str]]] = [("confirm", {}), ("escalate", {"reason": WHY})]
    with ThreadPoolExecutor(2) as pool:
        sent = [
            pool.submit(here.post, client, f"{path}/{step}", **form)
            for client, (step, form) in zip(clients, steps, strict=True)
        ]
        assert [answer.result().status_code for answer in sent] == [303, 303]
    decided = {Action.REVIEW_CONFIRMATION: ReviewState.CONFIRMED, Action.REVIEW_ESCALATION: ReviewState.ESCALATED}
    (entry,) = _entries(here, actions=frozenset(decided))
    assert _review(here).state is decided[Action(entry.action)]


def test_volume_above_the_threshold_and_looks_during_an_absence_stand_out(here: FakePortal) -> None:
    _look(here)
    client = here.client("supervisor")
    today = here.house.casework_room.absences.day_of(_review(here).filed_at)
    form = {"official": here.accounts["caseworker"], "first": [today.day, today.month, today.year]}
    assert here.post(client, "/supervision/absences", **form, last=["", "", ""]).status_code == 400
    assert here.post(client, "/supervision/absences", **form, last=form["first"]).status_code == 303
    forged = form | {"official": here.accounts["detective"]}
    assert here.post(client, "/supervision/absences", **forged, last=form["first"]).status_code == 404
    assert "Looked while away" in client.get("/supervision").get_data(as_text=True)
    page = client.get(f"/supervision/officials/{here.accounts['caseworker']}").get_data(as_text=True)
    assert "During an absence" in page
    assert MARY.reveal() not in page
    absence = here.house.casework_room.absences.of([here.accounts["caseworker"]])[0]
    other = here.client("other supervisor")
    assert here.post(other, f"/supervision/absences/{absence.absence_id}/take-back").status_code == 404
    assert here.post(client, f"/supervision/absences/{absence.absence_id}/take-back").status_code == 303
    assert here.house.casework_room.absences.of([here.accounts["caseworker"]]) == []


def test_an_official_above_the_organisations_threshold_stands_out_and_one_at_it_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    catalogue = write_catalogue(tmp_path)
    file = catalogue / "organisations.toml"
    before, code, after = file.read_text(encoding="utf-8").partition('code = "social-insurance-board"\n')
    after = after.replace("daily_accesses = 120", "daily_accesses = 2", 1)
    file.write_text(before + code + after, encoding="utf-8")
    portal = FakePortal.build(tmp_path, monkeypatch, database_url=database_url, catalogue_dir=catalogue)
    supervisor = portal.client("supervisor")
    for looks in (1, 2, 3):
        _look(portal)
        page = supervisor.get("/supervision").get_data(as_text=True)
        assert f"{looks} of 2" in page
        assert ("Above the threshold" in page) is (looks > 2)
    portal.close()


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..\\..\\boot.ini",
        "<b>.csv",
        "x" * 4000 + ".csv",
        "con.exe",
        "\u202evsc.exe",
    ],
)
def test_a_files_name_is_of_no_consequence(here: FakePortal, name: str) -> None:
    content = (
        HEADER + f"SKA-1,Benefit,benefit-claim,social-insurance-board,,2026-03-02,,{MARY.reveal()},{KADRI.reveal()}\n"
    )
    file = (io.BytesIO(content.encode()), name)
    answer = here.post(here.client("supervisor"), "/supervision/cases", file=file)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "Taken over" in page
    assert name not in page


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"file": "the text of a field and no file"},
        {"file": [("", b"")]},
        {"file": [("cases.csv", b"")]},
        {"file": [("a.csv", b"a"), ("b.csv", b"b")]},
        {"other": [("cases.csv", b"a")]},
        {"file": [("a\r\nSet-Cookie: a=b.csv", b"a")]},
    ],
    ids=["nothing", "a field", "no name", "empty", "two", "another field", "a name of two lines"],
)
def test_what_is_not_one_whole_file_takes_nothing_over_and_says_why(here: FakePortal, parts: dict[str, Any]) -> None:
    form = {
        field: [(io.BytesIO(content), name) for name, content in given] if isinstance(given, list) else given
        for field, given in parts.items()
    }
    answer = here.post(here.client("supervisor"), "/supervision/cases", **form)
    assert answer.status_code == 400
    assert "<h1" in answer.get_data(as_text=True)
    assert "a=b" not in str(answer.headers)
    assert not _entries(here, actions=frozenset({Action.CASE_CHANGE}))


def test_cases_from_a_file_name_each_row_and_no_person(here: FakePortal) -> None:
    client = here.client("supervisor")
    row = f"SKA-1,Benefit,benefit-claim,social-insurance-board,,2026-03-02,,{MARY.reveal()},{KADRI.reveal()}\n"
    foreign = row.replace("SKA-1", "MTA-1").replace("social-insurance-board", "tax-board")
    wrong = row.replace("SKA-1", "SKA-3").replace(KADRI.reveal(), "38001085719")
    for expected in ("Taken over", "Unchanged"):
        file = (io.BytesIO((HEADER + row + foreign + wrong).encode()), "cases.csv")
        page = here.post(client, "/supervision/cases", file=file).get_data(as_text=True)
        assert expected in page
        assert "The case belongs to another organisation." in page
        assert "Official 1 is no caseworker of this organisation." in page
        assert MARY.reveal() not in page
    assert here.client("caseworker").get("/casework/cases").get_data(as_text=True).count("SKA-1") == 1
    assert len(_entries(here, actions=frozenset({Action.CASE_CHANGE}))) == 1
    refused = here.post(client, "/supervision/cases", file=(io.BytesIO(b"\xff"), "cases.csv"))
    assert refused.status_code == 400
    assert "not in UTF-8" in refused.get_data(as_text=True)
