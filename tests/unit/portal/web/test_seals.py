"""Sealed accesses over HTTP: who may seal, for how long, what the person can tell meanwhile, and what they see then."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, text

from audit.entry import Access, decode_leaf, label
from audit.keys import load_signer
from audit.log import TrailQuery
from audit.receipt import parse_receipt
from audit.verify import verify_receipt
from config.settings import Settings
from portal.app import create_app
from portal.domain.actions import Action
from portal.domain.errors import DisclosureUnavailable
from tests.factories.apps import FakePortal
from tests.factories.logs import an_access
from tests.factories.people import JUHAN, MARY
from tests.fakes.registry import FakeRegistry

REASON = "Finding out where the stolen car of 2 March was kept"


@dataclass
class SetClock:
    """Stands still until it is set, so that two readings of one page can be compared byte for byte."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Station:
    """A portal with a detective, their chief, and a clock that can be set."""

    portal: FakePortal
    clock: SetClock
    seals: list[str] = field(default_factory=list)

    def order(self, **changes: Any) -> dict[str, Any]:
        last = (self.clock.now + timedelta(days=30)).date()
        values = {
            "purpose": "criminal-proceedings",
            "personal_code": MARY.reveal(),
            "case": "K-7",
            "authority": "prosecutors-office",
            "ordered_by": "Prosecutor P. Prokurör",
            "order": "KV-14/2026",
            "until": [last.day, last.month, last.year],
        }
        return values | changes

    def register(self, **changes: Any) -> Any:
        answer = self.portal.post(self.portal.client("detective"), "/casework/seals/new", **self.order(**changes))
        if answer.status_code == 303:
            self.seals.append(answer.headers["Location"].rpartition("/")[2])
        return answer

    def open_under(self, seal: str, account: str = "detective", **changes: Any) -> Any:
        asked = {"justification": REASON, "registries": ["population"]} | changes
        return self.portal.post(self.portal.client(account), f"/casework/seals/{seal}", **asked)

    def prolong(self, seal: str, days: int, account: str = "chief") -> Any:
        last = (self.clock.now + timedelta(days=days)).date()
        return self.portal.post(
            self.portal.client(account), f"/supervision/seals/{seal}", until=[last.day, last.month, last.year]
        )

    def sealed(self) -> str:
        """A seal on Mary in force, with one look under it; its id."""
        assert self.register().status_code == 303
        assert self.open_under(self.seals[-1]).status_code == 200
        return self.seals[-1]

    def entries(self, **criteria: Any) -> list[Access]:
        items = self.portal.house.log.read(TrailQuery(**criteria), limit=200).items
        return [item.access for item in items if item.access is not None]

    def history(self) -> str:
        return self.portal.client("citizen").get("/me/accesses").get_data(as_text=True)


def _build(folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Station:
    clock = SetClock()
    portal = FakePortal.build(folder, monkeypatch, clock=clock, **settings)
    portal.registries["population"].holds(MARY, **{"given-names": "Mari"})
    return Station(portal, clock)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def station(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Station]:
    settings: dict[str, Any] = {}
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        settings = {"database_url": url, "audit": {"database_url": url}}
    station = _build(tmp_path, monkeypatch, **settings)
    yield station
    station.portal.close()


PAGES = (
    "/me", "/me/accesses", "/me/accesses?kind=human", "/me/accesses?kind=automatic", "/me/accesses?kind=own",
    "/me/accesses?organisation=police", "/me/accesses?purpose=criminal-proceedings",
    "/me/knowledge", "/me/disputes", "/alerts",
)  # fmt: skip


def _links(page: bytes) -> list[str]:
    return sorted(set(re.findall(r"/me/accesses/[\w=-]+", page.decode())))


def _reading(client: FlaskClient) -> dict[str, bytes]:
    """Every page and header that a person can have about themselves, without the tokens against forged forms."""
    answers = {path: client.get(path) for path in PAGES}
    older = re.search(r'href="(/me/accesses\?[^"]*before=[^"]*)"', answers["/me/accesses"].get_data(as_text=True))
    if older:
        answers["older"] = client.get(older[1].replace("&amp;", "&"))
    for link in _links(answers["/me/accesses"].data):
        answers |= {at: client.get(at) for at in (link, f"{link}/sealed-receipt")}
    headers = {path: (answer.status_code, sorted(answer.headers)) for path, answer in answers.items()}
    pages = {path: answer.data for path, answer in answers.items()} | {"headers": repr(headers).encode()}
    return {path: re.sub(rb'(name="csrf_token"[^>]*value=")[^"]*', rb"\1", page) for path, page in pages.items()}


def _receipts(client: FlaskClient) -> list[bytes]:
    return [client.get(f"{link}/receipt").data for link in _links(client.get("/me/accesses").data)]


@contextmanager
def _statements() -> Iterator[list[str]]:
    """What is asked of both databases meanwhile: each statement, with how many values go with it."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append(f"{statement} /{len(parameters or ())}")

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def _ordinary_looks(station: Station, number: int) -> None:
    looks = [
        an_access(
            subject=MARY.subject, organisation="social-insurance-board", purpose="benefit-claim", case=f"C-{case}",
            fields=("address",), occurred_at=station.clock.now,
        )
        for case in range(number)
    ]  # fmt: skip
    station.portal.house.log.append_all(looks)


def test_no_byte_and_no_query_of_a_persons_pages_changes_while_a_seal_is_in_force(station: Station) -> None:
    _ordinary_looks(station, 27)
    client = station.portal.client("citizen")
    receipts = _receipts(client)
    _reading(client)
    with _statements() as asked_before:
        before = _reading(client)
    seal = station.sealed()
    assert station.open_under(seal, justification="x").status_code == 400
    assert station.prolong(seal, 60).status_code == 303
    with _statements() as asked_after:
        after = _reading(client)
    assert after == before
    assert "older" in after
    assert asked_after == asked_before
    assert [proof.partition(b"\n\n")[0] for proof in _receipts(client)] == [
        proof.partition(b"\n\n")[0] for proof in receipts
    ]


def test_two_worlds_that_differ_only_in_whom_the_seal_is_about_look_the_same_to_her(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _build(tmp_path / "one", monkeypatch)
    _ordinary_looks(first, 3)
    client = first.portal.client("citizen")
    client.get("/me")
    cookies = [(cookie.key, cookie.value) for cookie in client._cookies.values()]
    first.portal.close()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    seen = []
    for folder, subject in (("one", MARY), ("two", JUHAN)):
        station = _reopened(first, tmp_path / folder, monkeypatch)
        assert station.register(personal_code=subject.reveal()).status_code == 303
        for _ in range(3):
            assert station.open_under(station.seals[-1]).status_code == 200
        client = station.portal.app.test_client()
        for key, value in cookies:
            client.set_cookie(key, value)
        pages = _reading(client)
        receipts = [
            re.sub(rb"(?m)^[A-Za-z0-9+/=]{43,}$|(?<= )[A-Za-z0-9+/=]{88,}$", b"#", r) for r in _receipts(client)
        ]
        seen.append((pages, receipts, [len(receipt) for receipt in _receipts(client)]))
        station.portal.close()
    assert len(seen[0][1]) == 3
    assert seen[0] == seen[1]


def _reopened(station: Station, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Station:
    registries: dict[str, FakeRegistry] = {}
    monkeypatch.setattr("portal.furnishing.connectors_of", lambda _settings, _catalogue: registries)
    settings = Settings.load({"GLASSHOUSE_DATA_DIR": str(folder)})
    app = create_app(settings, clock=station.clock)
    app.testing = True
    house = app.extensions["glasshouse"]
    registries |= {code: FakeRegistry(code, house.log) for code in house.catalogue.registries}
    return Station(FakePortal(app, house, settings, registries, station.portal.accounts), station.clock)


def test_the_public_tiles_of_a_sealed_entry_carry_a_label_that_nobody_can_link(station: Station) -> None:
    _ordinary_looks(station, 2)
    seal = station.sealed()
    log = station.portal.house.log
    receipts = [parse_receipt(proof) for proof in _receipts(station.portal.client("citizen"))]
    own = receipts[0].label_key
    assert own is not None
    sealed = [item.seq for item in log.read(TrailQuery(subject=MARY.subject, seal=seal)).items]
    assert len(sealed) == 3
    leaves = {seq: log.receipt(seq).leaf for seq in range(log.checkpoint().checkpoint.size)}
    labels = {seq: decode_leaf(leaf).label for seq, leaf in leaves.items()}
    assert len(set(labels.values())) == len(labels)
    assert not {labels[seq] for seq in sealed} & {label(own, k) for k in range(1, 500)}
    for seq in sealed:
        public = leaves[seq].decode()
        assert not any(secret in public for secret in (seal, "seal", "police", MARY.reveal(), "K-7", "criminal"))
        assert {*decode_leaf(leaves[seq]).__slots__} == {*decode_leaf(leaves[0]).__slots__}
        assert len(public) - len(str(seq)) <= max(len(leaf) for leaf in leaves.values())


def test_a_sealed_look_counts_in_the_statistics_and_the_auditor_sees_it_as_sealed(station: Station) -> None:
    station.sealed()
    log = station.portal.house.log
    assert log.counts_by(TrailQuery(actions=frozenset({Action.READ})), "organisation") == {"police": 1}
    auditor = station.portal.client("auditor")
    page = station.portal.post(auditor, "/oversight", subject=MARY.reveal()).get_data(as_text=True)
    assert page.count("Sealed") == 3  # the order, the check before the look, the look
    entry = auditor.get(re.findall(r"/oversight/entries/[\w=-]+", page)[1])  # below the search itself
    assert station.seals[0] in entry.get_data(as_text=True)


def test_an_auditors_look_at_a_sealed_entry_does_not_betray_it_either(station: Station) -> None:
    station.sealed()
    before = station.history()
    auditor = station.portal.client("auditor")
    page = station.portal.post(auditor, "/oversight", organisation="police").get_data(as_text=True)
    for entry in re.findall(r"/oversight/entries/[\w=-]+", page):
        assert auditor.get(entry).status_code == 200
    assert re.sub(r'value="[^"]*"', "", station.history()) == re.sub(r'value="[^"]*"', "", before)


def test_a_seal_ends_by_itself_when_the_person_looks_though_no_job_ran(station: Station) -> None:
    looked = station.clock.now
    seal = station.sealed()
    assert station.prolong(seal, 60).status_code == 303
    station.clock.now += timedelta(days=59)
    assert "Police" not in station.history()
    station.clock.now += timedelta(days=3)
    client = station.portal.client("citizen")
    overview = client.get("/me").get_data(as_text=True)
    assert "kept from you" in overview
    page = client.get("/me/accesses").get_data(as_text=True)
    assert page.count("Was kept from you") == 4  # the order, the check before the look, the look, the prolongation
    lines = [client.get(link).get_data(as_text=True) for link in _links(page.encode())]
    look = next(line for line in lines if REASON in line)
    for said in ("Why you see this only now", "Prosecutor’s Office", "KV-14/2026", "yes; at first it was to end on"):
        assert said in look
    assert f'datetime="{looked.replace(microsecond=looked.microsecond // 1000 * 1000).isoformat()}"' in page


def test_what_was_sealed_can_be_proved_to_have_stood_in_the_log_from_the_beginning(station: Station) -> None:
    seal = station.sealed()
    sealed = [item.seq for item in station.portal.house.log.read(TrailQuery(subject=MARY.subject, seal=seal)).items]
    station.clock.now += timedelta(days=40)
    client = station.portal.client("citizen")
    verifier = load_signer(station.portal.settings.audit.signing_key_file).verifier()
    proved = []
    for link in _links(client.get("/me/accesses").data):
        revealed = verify_receipt(client.get(f"{link}/receipt").data, [verifier])
        withheld = verify_receipt(client.get(f"{link}/sealed-receipt").data, [verifier])
        assert revealed.access is not None
        assert withheld.access is not None
        assert (revealed.access.details["refers-to"], withheld.access.seal) == (withheld.index, seal)
        assert revealed.is_own_label
        assert withheld.is_own_label
        proved.append(withheld.index)
    assert sorted(proved) == sorted(sealed)


def test_lifting_twice_or_from_two_places_shows_each_look_and_the_notice_once(station: Station) -> None:
    station.sealed()
    station.clock.now += timedelta(days=40)
    lifting = station.portal.house.safeguards.lifting
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: lifting.lift_due(), range(4)))
    assert len(station.entries(subject=MARY.subject, actions=frozenset({Action.SEAL_REVEAL}))) == 3
    page = station.portal.client("citizen").get("/alerts").get_data(as_text=True)
    assert page.count("kept from you") == 1
    assert lifting.lift_due() == 0


def test_a_lifting_that_was_cut_off_is_finished_by_the_next(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    station.sealed()
    station.clock.now += timedelta(days=40)
    house = station.portal.house
    with monkeypatch.context() as broken:
        broken.setattr("portal.services.alerts.record", _unavailable)
        assert house.safeguards.lifting.lift_due() == 0
        assert station.portal.client("citizen").get("/me/accesses").status_code == 200
    assert house.safeguards.lifting.lift_due() == 1
    assert len(station.entries(subject=MARY.subject, actions=frozenset({Action.SEAL_REVEAL}))) == 3


def _unavailable(*_: object) -> None:
    raise DisclosureUnavailable


def test_a_notice_is_put_away_by_its_own_reader_only(station: Station) -> None:
    station.sealed()
    station.clock.now += timedelta(days=40)
    portal = station.portal
    client = portal.client("citizen")
    alert = re.findall(r"/alerts/([\w-]+)/put-away", client.get("/me").get_data(as_text=True))[0]
    for stranger in ("neighbour", "detective", "auditor", "chief"):
        assert portal.post(portal.client(stranger), f"/alerts/{alert}/put-away").status_code == 404
    assert client.post(f"/alerts/{alert}/put-away").status_code == 403
    assert portal.post(client, f"/alerts/{alert}/put-away").status_code == 303
    assert alert not in client.get("/me").get_data(as_text=True)
    assert portal.post(client, f"/alerts/{alert}/put-away").status_code == 404


REFUSED_ORDERS: tuple[dict[str, Any], ...] = (
    {"authority": ""}, {"authority": "police"}, {"ordered_by": ""}, {"ordered_by": "x"}, {"order": ""}, {"case": ""},
    {"until": ["", "", ""]}, {"until": [1, 1, 2020]}, {"until": [1, 1, 2099]}, {"until": [31, 2, 2027]},
    {"personal_code": "38001085719"}, {"purpose": "roadside-check"}, {"purpose": "benefit-claim"},
)  # fmt: skip


def test_without_basis_authority_official_and_an_end_within_the_maximum_there_is_no_seal(station: Station) -> None:
    for changes in REFUSED_ORDERS:
        assert station.register(**changes).status_code == 400, changes
    assert station.entries(actions=frozenset({Action.SEAL_ORDER})) == []
    assert "Police" not in station.history()


def test_only_an_office_whose_purpose_the_law_lets_seal_has_anything_to_do_with_seals(station: Station) -> None:
    seal, portal = station.sealed(), station.portal
    for stranger in ("caseworker", "colleague", "supervisor", "auditor", "citizen", "neighbour"):
        client = portal.client(stranger)
        for path in ("/casework/seals", "/casework/seals/new", f"/casework/seals/{seal}", f"/supervision/seals/{seal}"):
            assert client.get(path).status_code == 404, f"{path} as {stranger}"
        assert station.open_under(seal, stranger).status_code == 404
        assert station.prolong(seal, 60, stranger).status_code == 404
    assert station.open_under("00000000-0000-0000-0000-000000000000").status_code == 404
    assert station.portal.client("chief").get(f"/casework/seals/{seal}").status_code == 404


def test_a_form_that_was_not_made_for_this_session_seals_opens_and_prolongs_nothing(station: Station) -> None:
    seal = station.sealed()
    size = station.portal.house.log.checkpoint().checkpoint.size
    detective, chief = station.portal.client("detective"), station.portal.client("chief")
    sign_ins = station.portal.house.log.checkpoint().checkpoint.size - size
    for client, path in (
        (detective, "/casework/seals/new"),
        (detective, f"/casework/seals/{seal}"),
        (chief, f"/supervision/seals/{seal}"),
    ):
        assert client.post(path, data=station.order()).status_code == 403
    assert station.portal.house.log.checkpoint().checkpoint.size == size + sign_ins


def test_a_seal_opens_nothing_that_its_purpose_does_not_and_the_refusal_is_sealed_too(
    station: Station,
) -> None:
    seal = station.sealed()
    before = station.history()
    for registry in ("tax-benefits", "health-insurance"):
        assert station.open_under(seal, registries=[registry]).status_code == 403
    denied = station.entries(subject=MARY.subject, with_sealed=True, outcome="denied")
    assert [access.seal for access in denied] == [seal, seal]
    assert station.history().count("/me/accesses/") == before.count("/me/accesses/")


def test_what_is_posted_besides_cannot_change_whom_or_for_what_the_seal_opens(station: Station) -> None:
    seal = station.sealed()
    answer = station.open_under(seal, personal_code=JUHAN.reveal(), purpose="roadside-check", case="X-1", sealed="no")
    assert answer.status_code == 200
    newest = station.entries(subject=MARY.subject, seal=seal)[0]
    assert (newest.purpose, newest.case, newest.seal) == ("criminal-proceedings", "K-7", seal)
    assert station.entries(subject=JUHAN.subject, with_sealed=True) == []


def test_an_ended_seal_opens_nothing_and_the_attempt_is_in_the_persons_history_at_once(station: Station) -> None:
    seal = station.sealed()
    station.clock.now += timedelta(days=40)
    asked = len(station.portal.registries["population"].asked)
    assert station.open_under(seal).status_code == 403
    assert len(station.portal.registries["population"].asked) == asked
    attempt = station.entries(subject=MARY.subject, outcome="denied")
    assert [(access.reason, access.seal) for access in attempt] == [("seal-not-valid", None)]


def test_in_its_last_minutes_a_seal_takes_no_look_and_the_attempt_stays_sealed(station: Station) -> None:
    seal = station.sealed()
    station.clock.now = _end_of(station, seal) - timedelta(minutes=3)
    assert station.open_under(seal).status_code == 403
    assert station.entries(subject=MARY.subject, outcome="denied") == []
    assert station.entries(subject=MARY.subject, seal=seal, outcome="denied") != []


def _end_of(station: Station, seal: str) -> datetime:
    chief = station.portal.house.accounts.actor(station.portal.accounts["chief"])
    return station.portal.house.safeguards.seals.seal(chief, seal).ends_at


def test_a_supervisor_prolongs_within_the_maximum_and_each_time_leaves_an_entry(station: Station) -> None:
    seal = station.sealed()
    assert station.prolong(seal, 20).status_code == 400  # no later than now
    assert station.prolong(seal, 91).status_code == 400  # further than one order reaches
    assert station.prolong(seal, 80).status_code == 303
    for _ in range(3):
        station.clock.now += timedelta(days=75)
        assert station.prolong(seal, 89).status_code == 303
    station.clock.now += timedelta(days=75)
    assert station.prolong(seal, 89).status_code == 400  # beyond a year from the first day
    prolonged = station.entries(subject=MARY.subject, seal=seal, actions=frozenset({Action.SEAL_PROLONGATION}))
    assert len(prolonged) == 4
    assert all(access.official == station.portal.accounts["chief"] for access in prolonged)


def test_an_ended_seal_cannot_be_prolonged(station: Station) -> None:
    seal = station.sealed()
    station.clock.now += timedelta(days=40)
    assert station.prolong(seal, 60).status_code == 400
    assert "kept from you" in station.portal.client("citizen").get("/me").get_data(as_text=True)


def test_of_two_prolongations_at_once_both_stand_in_the_log_in_their_order_or_one_is_refused(station: Station) -> None:
    seal = station.sealed()
    with ThreadPoolExecutor(2) as pool:
        answers = [answer.status_code for answer in pool.map(lambda days: station.prolong(seal, days), (50, 60))]
    prolonged = station.entries(subject=MARY.subject, seal=seal, actions=frozenset({Action.SEAL_PROLONGATION}))
    assert len(prolonged) == answers.count(303) >= 1
    assert datetime.fromisoformat(str(prolonged[0].details["sealed-until"])) == _end_of(station, seal)


def test_registering_a_seal_tells_the_supervisors_of_the_same_organisation_and_nobody_else(station: Station) -> None:
    station.sealed()
    told = {
        account: "registered a seal" in station.portal.client(account).get("/alerts").get_data(as_text=True)
        for account in station.portal.accounts
    }
    assert {account for account, is_told in told.items() if is_told} == {"chief"}


def test_supervisors_see_the_order_and_neither_the_person_nor_any_data(station: Station) -> None:
    seal = station.sealed()
    chief = station.portal.client("chief")
    for path in ("/supervision/seals", f"/supervision/seals/{seal}"):
        page = chief.get(path).get_data(as_text=True)
        assert "K-7" in page
        assert MARY.reveal() not in page
        assert "Mari" not in page


def test_no_table_of_the_portal_finds_a_seal_by_the_person(station: Station) -> None:
    station.sealed()
    session = station.portal.house.safeguards.seals._sessions()
    row = session.execute(text("SELECT * FROM seals")).mappings().one()
    session.close()
    assert not any(MARY.reveal().encode() in str(value).encode() for value in row.values())
