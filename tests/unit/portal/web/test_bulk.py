"""Lists of people over HTTP: one entry for each person, every row's outcome told, the results handed over once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from audit.entry import Access
from audit.errors import LogUnavailable
from audit.log import TrailQuery
from portal.domain.identifiers import PersonalCode
from tests.factories.apps import FakePortal, token_of
from tests.factories.people import JUHAN, KADRI, MARY, some_people

REASON = "Yearly check of the family benefits that are paid out"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def portal(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePortal]:
    settings: dict[str, Any] = {"protection": {"bulk_attention": 3}}
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        settings |= {"database_url": url, "audit": {"database_url": url}}
    portal = FakePortal.build(tmp_path, monkeypatch, **settings)
    # The test performs lists itself, when it has seen them waiting.
    monkeypatch.setattr("portal.jobs.runner.JobRunner.start", lambda *_: None)
    yield portal
    portal.close()


def _submit(portal: FakePortal, client: FlaskClient, people: list[PersonalCode], **changes: Any) -> Any:
    content = "\n".join(code.reveal() for code in people).encode()
    form = {
        "csrf_token": token_of(client),
        "people": (io.BytesIO(changes.pop("content", content)), changes.pop("name", "people.csv")),
        "case": "C-9",
        "justification": REASON,
        "registries": ["population"],
    }
    purpose = changes.pop("purpose", "benefit-claim")
    return client.post(f"/casework/lists/new/{purpose}", data=form | changes, headers={"Referer": "http://localhost/"})


def _entries(portal: FakePortal, **criteria: Any) -> list[Access]:
    items = portal.house.log.read(TrailQuery(**criteria), limit=200).items
    return [item.access for item in items if item.access is not None]


def test_each_person_has_an_entry_each_row_an_outcome_and_the_results_are_handed_over_once(portal: FakePortal) -> None:
    portal.registries["population"].holds(MARY, **{"given-names": '=HYPERLINK("http://evil.example")'})
    client = portal.client("caseworker")
    answer = _submit(portal, client, [MARY, KADRI, JUHAN])
    page = answer.headers["Location"]
    assert (answer.status_code, client.get(page).get_data(as_text=True).count("0 of 3 people done")) == (303, 1)
    assert portal.post(client, f"{page}/results").status_code == 404  # not over yet
    assert portal.house.safeguards.bulk_runs.resume_due() == 1
    shown = client.get(page).get_data(as_text=True)
    assert "3 of 3 people done" in shown
    assert "officials may not open their own record at work" in shown
    assert [len(_entries(portal, subject=code.subject, case="C-9")) for code in (MARY, KADRI, JUHAN)] == [1, 1, 1]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda c: portal.post(c, f"{page}/results"), [client, portal.client("caseworker")]))
    assert sorted(answer.status_code for answer in answers) == [200, 404]
    rows = list(csv.reader(io.StringIO(next(a for a in answers if a.status_code == 200).get_data(as_text=True))))
    assert [row[:3] for row in rows[1:]] == [
        ["1", MARY.reveal(), "released"], ["2", KADRI.reveal(), "denied"], ["3", JUHAN.reveal(), "released"],
    ]  # fmt: skip
    assert dict(zip(rows[0], rows[1], strict=True))["value"] == '\'=HYPERLINK("http://evil.example")'
    session = portal.house.safeguards.bulk._sessions()
    left = session.execute(
        text("SELECT count(*) FROM bulk_rows WHERE sealed_code IS NOT NULL OR sealed_result IS NOT NULL")
    )
    assert left.scalar_one() == 0
    session.close()
    assert [access.details["people"] for access in _entries(portal, actions=frozenset({"bulk-results"}))] == [3]


def test_a_long_list_draws_the_supervisors_attention_and_a_short_one_does_not(portal: FakePortal) -> None:
    client, supervisor = portal.client("caseworker"), portal.client("supervisor")
    assert _submit(portal, client, some_people(3)).status_code == 303
    assert "many people at once" not in supervisor.get("/alerts").get_data(as_text=True)
    assert _submit(portal, client, some_people(4)).status_code == 303
    assert "many people at once" in supervisor.get("/alerts").get_data(as_text=True)
    assert "many people at once" not in portal.client("chief").get("/alerts").get_data(as_text=True)


def test_what_is_wrong_with_a_list_is_told_by_row_and_nobody_on_it_is_looked_at(portal: FakePortal) -> None:
    client = portal.client("caseworker")
    wrong: list[tuple[dict[str, Any], str]] = [
        (
            {"content": b"38001085718\n38001085719\n38001085718\n"},
            "row 2 has no valid personal code; row 3 repeats row 1",
        ),
        ({"content": b""}, "holds no personal code"),
        ({"content": b"\x00\x01"}, "no CSV text"),
        ({"name": "people.xlsx"}, "its name ends in .csv"),
        ({"name": ""}, "Choose the file"),
        ({"case": ""}, "This purpose needs one"),
        ({"registries": []}, "Choose at least one registry"),
        ({"justification": "asdf"}, "The reason is too short"),
    ]
    for changes, told in wrong:
        answer = _submit(portal, client, [MARY], **changes)
        assert answer.status_code == 400, changes
        assert told in answer.get_data(as_text=True), changes
        assert "38001085719" not in answer.get_data(as_text=True)
    assert _submit(portal, client, [MARY], purpose="roadside-check").status_code == 404
    assert _entries(portal, subject=MARY.subject, actions=frozenset({"read"})) == []
    assert [access.outcome for access in _entries(portal, actions=frozenset({"bulk-request"}))] == ["denied"]


def test_a_list_is_its_askers_alone_and_needs_the_mark_of_their_own_session(portal: FakePortal) -> None:
    client = portal.client("caseworker")
    page = _submit(portal, client, [MARY]).headers["Location"]
    assert portal.house.safeguards.bulk_runs.resume_due() == 1
    for stranger in ("colleague", "detective", "supervisor", "auditor", "citizen"):
        assert portal.client(stranger).get(page).status_code == 404
        assert portal.post(portal.client(stranger), f"{page}/results").status_code == 404
    assert client.post(f"{page}/results").status_code == 403
    assert portal.post(client, f"{page}/results").status_code == 200


def test_whoever_loses_the_account_while_the_list_runs_gets_nothing_more(portal: FakePortal) -> None:
    client = portal.client("caseworker")
    assert _submit(portal, client, [MARY, JUHAN]).status_code == 303
    session = portal.house.safeguards.bulk._sessions()
    session.execute(text("UPDATE accounts SET is_active = false WHERE id = :id"), {"id": portal.accounts["caseworker"]})
    session.commit()
    session.close()
    assert portal.house.safeguards.bulk_runs.resume_due() == 1
    assert not portal.registries["population"].asked


def test_when_the_log_does_not_answer_the_list_waits_and_no_registry_is_asked(
    portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = portal.client("caseworker")
    page = _submit(portal, client, [MARY]).headers["Location"]
    with monkeypatch.context() as broken:
        broken.setattr(portal.house.log, "append", _unavailable)
        broken.setattr(portal.house.log, "append_all", _unavailable)
        assert portal.house.safeguards.bulk_runs.resume_due() == 0
    assert not portal.registries["population"].asked
    assert portal.house.safeguards.bulk_runs.resume_due() == 1
    assert "1 of 1 person done" in client.get(page).get_data(as_text=True)


def _unavailable(*_: object, **__: object) -> None:
    raise LogUnavailable("gone")
