"""Whoever asks after somebody who is not there gets the same answer, after the same work, as after somebody who is.

Time itself is measured in `benchmarks/timing.py`. Here the work is counted: SQL statements, entries, registries asked,
and passwords digested, which is all that takes time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from portal.services.enrolment_codes import digest_of
from portal.services.passwords import Passwords
from tests.factories.apps import FakePortal
from tests.factories.cases import a_row, take_over
from tests.factories.client_systems import a_certificate, a_report, token_form
from tests.factories.people import JUHAN, KADRI, MARY
from tests.factories.work import Work, counted
from tests.unit.portal.web.test_api import _build as build_agency
from tests.unit.portal.web.test_hostile_requests import LOOK, _without_what_differs_anyway, a_form


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def portal(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePortal]:
    settings: dict[str, Any] = {}
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        settings = {"database_url": url, "audit": {"database_url": url}}
    portal = FakePortal.build(tmp_path, monkeypatch, **settings)
    portal.registries["population"].holds(KADRI, **{"given-names": "Kadri"})
    yield portal
    portal.close()


#: A valid code that no registry, no account and no case knows.
STRANGER = "39002010005"


def _measured(portal: FakePortal, ask: Callable[[], Any]) -> tuple[Work, int, int]:
    ask()  # so that caches of the process are warm for both
    with counted(portal) as work:
        answer = ask()
    if answer.is_json:
        return work, answer.status_code, len(answer.get_data())
    page = _without_what_differs_anyway(answer.get_data(as_text=True))
    # Numbers of entries go on from one request to the next, and with them their digits.
    return work, answer.status_code, len(re.sub("[0-9]", "", page))


def _is_alike(portal: FakePortal, known: Callable[[], Any], unknown: Callable[[], Any]) -> Work:
    """The two are answered with one status and one length, after equal work; gives that work."""
    of_known, of_unknown = _measured(portal, known), _measured(portal, unknown)
    assert of_known[1:] == of_unknown[1:]
    assert of_known[0] == of_unknown[0]
    return of_known[0]


def test_a_person_of_whom_nothing_is_held_and_one_whom_nobody_knows(portal: FakePortal) -> None:
    client = portal.client("caseworker")

    def look(code: str) -> Callable[[], Any]:
        return lambda: portal.post(client, LOOK, **a_form(personal_code=code))

    work = _is_alike(portal, look(JUHAN.reveal()), look(STRANGER))
    assert work.entries["read", "released"] > 0
    assert sum(work.asked.values()) > 0


def test_a_refused_look_at_somebody_known_and_at_somebody_unknown(portal: FakePortal) -> None:
    portal.registries["population"].holds(MARY, **{"given-names": "Mari"})
    client = portal.client("caseworker")

    def refused(code: str) -> Callable[[], Any]:
        return lambda: portal.post(client, LOOK, **a_form(personal_code=code, justification="x"))

    work = _is_alike(portal, refused(MARY.reveal()), refused(STRANGER))
    assert work.entries["read", "denied"] == 1
    assert sum(work.asked.values()) == 0


def test_a_case_of_a_colleague_and_one_that_nobody_has(portal: FakePortal) -> None:
    officials = [portal.accounts["colleague"]]
    (outcome,) = take_over(portal.house.casework_room, a_row(officials=officials, reference="SKA-2026-1"))
    assert outcome.problem is None
    client = portal.client("caseworker")

    def look(case: str) -> Callable[[], Any]:
        return lambda: portal.post(client, LOOK, **a_form(personal_code=MARY.reveal(), case=case))

    _is_alike(portal, look("SKA-2026-1"), look("SKA-2026-2"))


def test_a_code_of_enrolment_that_ran_out_and_one_that_never_was(portal: FakePortal) -> None:
    codes = portal.house.staff.administration._codes
    account, long_ago = portal.accounts["colleague"], datetime(2020, 1, 1, tzinfo=UTC)
    used_up, none = (f"code-{number}-that-nobody-could-guess" for number in range(2))
    with portal.house.accounts._sessions.begin() as session:
        codes.put(session, account, digest_of(used_up), opens_at=long_ago, ends_at=long_ago)
    client = portal.client()

    def enrol(code: str) -> Callable[[], Any]:
        return lambda: portal.post(client, "/staff/enrol", code=code)

    _is_alike(portal, enrol(used_up), enrol(none))


def test_an_entry_of_somebody_else_and_one_that_is_none(portal: FakePortal) -> None:
    portal.post(portal.client("caseworker"), LOOK, **a_form(personal_code=MARY.reveal()))
    history = portal.client("citizen").get("/me/accesses").get_data(as_text=True)
    hers = history.partition('href="/me/accesses/')[2].partition('"')[0]
    neighbour = portal.client("neighbour")
    none = ("B" if hers[0] == "A" else "A") + hers[1:]
    for tail in ("", "/receipt"):
        _is_alike(
            portal,
            lambda tail=tail: neighbour.get(f"/me/accesses/{hers}{tail}"),  # type: ignore[misc]
            lambda tail=tail: neighbour.get(f"/me/accesses/{none}{tail}"),  # type: ignore[misc]
        )


def test_a_search_for_somebody_with_no_entries_and_for_somebody_unknown(portal: FakePortal) -> None:
    auditor = portal.client("auditor")

    def search(code: str) -> Callable[[], Any]:
        return lambda: portal.post(auditor, "/oversight", subject=code)

    first, second = (_measured(portal, search(code)) for code in (JUHAN.reveal(), STRANGER))
    assert first[0] == second[0]
    assert first[1] == second[1] == 200


def test_signing_in_as_an_account_that_is_not_offered_and_as_none(portal: FakePortal) -> None:
    closed = portal.accounts["neighbour"]
    with portal.house.accounts._sessions.begin() as session:
        from portal.models.accounts import Account

        session.get_one(Account, closed).is_active = False
    none = "00000000-0000-0000-0000-000000000000"
    client = portal.client()

    def sign_in(account: str) -> Callable[[], Any]:
        return lambda: portal.post(client, "/sign-in/demonstration", account=account)

    _is_alike(portal, sign_in(closed), sign_in(none))


@pytest.mark.parametrize("account_id", ["of a colleague", "00000000-0000-0000-0000-000000000000", None])
def test_a_wrong_password_is_digested_once_whoever_it_is_for(
    portal: FakePortal, account_id: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords: Passwords = portal.house.staff.sign_in._passwords
    digested: list[str] = []
    matches = passwords._matches
    monkeypatch.setattr(
        passwords, "_matches", lambda digest, typed: (digested.append(digest), matches(digest, typed))[1]
    )
    wanted = portal.accounts["colleague"] if account_id == "of a colleague" else account_id
    passwords.check(wanted, "a password that is wrong")
    assert len(digested) == 1


def test_a_system_learns_nothing_of_a_person_from_the_answer_to_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agency = build_agency(tmp_path, monkeypatch)
    token = agency.ask_token(token_form(), a_certificate().header).json["access_token"]
    numbers = iter(range(1000, 9999))

    def report(code: str) -> Callable[[], Any]:
        body = a_report() | {"subject": f"EE{code}"}
        return lambda: agency.report(body, token=token, key=f"report-{next(numbers)}")

    try:
        work = _is_alike(agency.portal, report(MARY.reveal()), report(STRANGER))
    finally:
        agency.portal.close()
    assert sum(work.entries.values()) == 1
