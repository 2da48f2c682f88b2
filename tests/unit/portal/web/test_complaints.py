"""The file of a dispute goes to the supervisory authority: its auditors alone get it, the mail says nothing of it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from audit.errors import LogUnavailable
from audit.log import TrailQuery
from audit.note import verifier_from_vkey
from audit.receipt import parse_receipt
from audit.verify import verify_receipt
from portal.domain.actions import Action
from portal.domain.actors import Role
from portal.services.accounts import NewAccount
from portal.services.disputes.filings import MOST_AT_ONCE
from tests.databases import new_database
from tests.factories.apps import FakePortal
from tests.factories.logs import TickingClock
from tests.factories.people import MARY
from tests.fakes.mail_server import MailServer, serving
from tests.unit.portal.web.test_disputes import WHY, asked

INSPECTORATE = "kaebused@inspectorate.example"


@pytest.fixture(scope="module")
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def portal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clock: TickingClock, server: MailServer
) -> Iterator[FakePortal]:
    settings: dict[str, Any] = {"session_idle_minutes": 1440, "session_absolute_minutes": 1440}
    settings["mail"] = {"host": "127.0.0.1", "port": server.port, "security": "plain", "sender": "portal@data.example"}
    settings["disputes"] = {"authority_mail": INSPECTORATE}
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "postgresql":
            with new_database(request.getfixturevalue("postgres_server")) as url:
                yield from _built(
                    tmp_path_factory, patch, clock, settings | {"database_url": url, "audit": {"database_url": url}}
                )
        else:
            yield from _built(tmp_path_factory, patch, clock, settings)


def _built(
    folders: pytest.TempPathFactory, patch: pytest.MonkeyPatch, clock: TickingClock, settings: dict[str, Any]
) -> Iterator[FakePortal]:
    portal = FakePortal.build(folders.mktemp("portal"), patch, clock=clock, **settings)
    portal.registries["population"].holds(MARY, **{"given-names": "Mari", "address": "Pikk 1"})
    stranger = NewAccount(Role.AUDITOR, "Oskar Oja", "population-authority", None)
    [portal.accounts["other auditor"]] = portal.house.accounts.open([stranger], demonstration=True)
    yield portal
    portal.close()


def filed(portal: FakePortal, clock: TickingClock) -> tuple[str, str]:
    """A dispute of Mary's that was sent, and the number that it has."""
    citizen = portal.client("citizen")
    dispute = asked(portal, citizen)
    answer = portal.post(citizen, f"/me/disputes/{dispute}/authority")
    assert answer.status_code == 303, answer.get_data(as_text=True)
    actor = portal.house.accounts.actor(portal.accounts["citizen"])
    return dispute, portal.house.disputes.own.one(actor, dispute).number


def newest_entry(portal: FakePortal, action: Action) -> Any:
    return list(portal.house.log.stream(TrailQuery(actions=frozenset({action}))))[-1].access


def place_of(portal: FakePortal, account: str, number: str) -> str:
    page = portal.client(account).get("/oversight/complaints").get_data(as_text=True)
    row = page.partition(number)[2]
    return row.partition('action="')[2].partition('"')[0]


def archives(portal: FakePortal) -> list[Path]:
    return sorted(Path(portal.settings.attachments.folder, "filed").glob("*.sealed"))


def test_the_mail_holds_the_number_and_where_to_sign_in_and_nothing_of_the_person(
    portal: FakePortal, server: MailServer, clock: TickingClock
) -> None:
    dispute, number = filed(portal, clock)
    server.arrived.clear()
    assert portal.house.disputes.filings.notify_due(portal.house.mail) == 1
    assert portal.house.disputes.filings.notify_due(portal.house.mail) == 0
    [(_, message)] = server.arrived
    assert message["To"] == INSPECTORATE
    written = str(message) + server.newest_text()
    assert number in written
    assert any(line.endswith("/oversight/complaints") for line in server.newest_text().splitlines())
    for word in ("Mari", "Maasikas", MARY.reveal(), dispute, WHY, "population", "Rahvastik", "rectification"):
        assert word not in written


def test_an_auditor_of_the_authority_fetches_it_and_the_person_sees_that(
    portal: FakePortal, clock: TickingClock
) -> None:
    dispute, number = filed(portal, clock)
    citizen = portal.client("citizen")
    assert "It waits there to be fetched until" in citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True)
    assert "&lt;" not in portal.client("auditor").get("/oversight/complaints").get_data(as_text=True)
    place = place_of(portal, "auditor", number)
    answer = portal.post(portal.client("auditor", stepped_up=True), place)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f"attachment; filename=glasshouse-dispute-{number}.zip"
    archive = ZipFile(io.BytesIO(answer.get_data()))
    assert json.loads(archive.read("dispute.json"))["steps"][0]["text"] == WHY
    assert archive.read("dispute.pdf").startswith(b"%PDF")
    fetched = newest_entry(portal, Action.DISPUTE_FILING_DOWNLOAD)
    assert (fetched.subject, fetched.official) == (MARY.subject, portal.accounts["auditor"])
    assert fetched.organisation == portal.settings.disputes.authority
    assert "Fetched there on" in citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True)
    assert "fetched the file of a dispute of yours" in citizen.get("/me/accesses").get_data(as_text=True)


def test_the_sending_is_an_entry_with_a_receipt_that_does_not_name_the_organisation(
    portal: FakePortal, clock: TickingClock
) -> None:
    filed(portal, clock)
    citizen = portal.client("citizen")
    history = citizen.get("/me/accesses?kind=own").get_data(as_text=True)
    assert "You had the file of a dispute sent to the supervisory authority." in history
    sent = newest_entry(portal, Action.DISPUTE_FILING)
    assert (sent.subject, sent.organisation) == (MARY.subject, "data-protection-inspectorate")
    [*_, entry] = portal.house.log.stream(TrailQuery(actions=frozenset({Action.DISPUTE_FILING})))
    actor = portal.house.accounts.actor(portal.accounts["citizen"])
    reference = portal.house.trail.reference(actor, entry.seq)
    receipt = parse_receipt(citizen.get(f"/me/accesses/{reference}/receipt").get_data(as_text=True))
    [key] = portal.house.log.published_keys().splitlines()
    assert verify_receipt(receipt.text, [verifier_from_vkey(key)]).access == sent


def test_nobody_else_sees_or_fetches_it(portal: FakePortal, clock: TickingClock) -> None:
    dispute, number = filed(portal, clock)
    place = place_of(portal, "auditor", number)
    assert number not in portal.client("other auditor").get("/oversight/complaints").get_data(as_text=True)
    assert portal.post(portal.client("other auditor", stepped_up=True), place).status_code == 404
    for account in ("citizen", "neighbour", "officer", "caseworker", "administrator"):
        assert portal.client(account).get("/oversight/complaints").status_code == 404
        assert portal.post(portal.client(account), place).status_code == 404
    for account in ("neighbour", "officer", "auditor"):
        assert portal.post(portal.client(account), f"/me/disputes/{dispute}/authority").status_code == 404
    assert portal.app.test_client().get("/oversight/complaints").status_code == 302


def test_it_lies_sealed_and_is_deleted_with_its_key_when_its_time_is_over(
    portal: FakePortal, clock: TickingClock
) -> None:
    dispute, number = filed(portal, clock)
    assert archives(portal)
    assert not any(b"PK" in path.read_bytes()[:2] or WHY.encode() in path.read_bytes() for path in archives(portal))
    place = place_of(portal, "auditor", number)
    clock.now += timedelta(days=portal.settings.disputes.filing_days + 1)
    auditor = portal.client("auditor", stepped_up=True)
    assert portal.post(auditor, place).status_code == 404
    portal.house.disputes.filings.discard_old()
    assert archives(portal) == []
    assert "deleted: its time was over" in auditor.get("/oversight/complaints").get_data(as_text=True)
    page = portal.client("citizen").get(f"/me/disputes/{dispute}").get_data(as_text=True)
    assert "It was not fetched in time" in page


def test_a_notice_that_the_mail_server_does_not_take_is_tried_again(
    portal: FakePortal, server: MailServer, clock: TickingClock
) -> None:
    portal.house.disputes.filings.notify_due(portal.house.mail)
    filed(portal, clock)
    server.arrived.clear()
    server.answer_to_data = "451 later"
    assert portal.house.disputes.filings.notify_due(portal.house.mail) == 0
    server.answer_to_data = "250 OK"
    assert portal.house.disputes.filings.notify_due(portal.house.mail) == 0
    clock.now += timedelta(minutes=2)
    assert portal.house.disputes.filings.notify_due(portal.house.mail) == 1
    assert len(server.arrived) == 1


def test_a_dispute_is_sent_a_few_times_and_no_more(portal: FakePortal, clock: TickingClock) -> None:
    dispute, _ = filed(portal, clock)
    citizen = portal.client("citizen")
    for _time in range(MOST_AT_ONCE - 1):
        assert portal.post(citizen, f"/me/disputes/{dispute}/authority").status_code == 303
    answer = portal.post(citizen, f"/me/disputes/{dispute}/authority")
    assert answer.status_code == 409
    assert "sent several times already" in answer.get_data(as_text=True)


def test_what_cannot_be_recorded_is_not_sent(
    portal: FakePortal, clock: TickingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = portal.client("citizen")
    dispute, before = asked(portal, citizen), archives(portal)

    def silent(*_: Any, **__: Any) -> Any:
        raise LogUnavailable("down")

    monkeypatch.setattr(portal.house.log, "append_all", silent)
    assert portal.post(citizen, f"/me/disputes/{dispute}/authority").status_code == 503
    assert archives(portal) == before
