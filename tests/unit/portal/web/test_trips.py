"""The three trips through the portal, as a browser's requests without a browser."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Sequence
from typing import Any

import pytest

from audit.entry import Access
from audit.errors import LogOverloaded, LogUnavailable
from audit.keys import load_signer
from audit.log import Acknowledgement, TrailQuery
from audit.verify import verify_receipt
from portal.domain.actions import Action
from tests.factories.apps import FakePortal
from tests.factories.people import JUHAN, KADRI, MARY

REASON = "Deciding the housing benefit claim received on 3 March"


def a_form(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "personal_code": MARY.reveal(),
        "case": "C-1",
        "justification": REASON,
        "registries": ["population"],
    }
    return values | changes


def _opened_by_caseworker(portal: FakePortal, **changes: Any) -> Any:
    return portal.post(portal.client("caseworker"), "/casework/benefit-claim", **a_form(**changes))


def _entries(portal: FakePortal, **criteria: Any) -> list[Access]:
    items = portal.house.log.read(TrailQuery(**criteria), limit=200).items
    return [item.access for item in items if item.access is not None]


def _fail_with(error: Exception) -> Any:
    def fail(accesses: Sequence[Access]) -> list[Acknowledgement]:
        raise error

    return fail


def test_a_person_sees_what_is_held_and_who_looked(portal: FakePortal) -> None:
    portal.registries["population"].holds(MARY, **{"given-names": "Mari", "citizenship": "Estonian"})
    assert _opened_by_caseworker(portal).status_code == 200
    client = portal.client("citizen")
    home = client.get("/me").get_data(as_text=True)
    board = portal.house.catalogue.organisations["social-insurance-board"].name.en
    assert board in home
    assert "Mari" in client.get("/me/records/population").get_data(as_text=True)
    history = client.get("/me/accesses").get_data(as_text=True)
    assert board in history
    assert portal.house.catalogue.purposes["benefit-claim"].name.en in history


def test_a_receipt_from_the_history_verifies_without_the_portal(portal: FakePortal) -> None:
    _opened_by_caseworker(portal)
    client = portal.client("citizen")
    line = portal.house.trail.history(portal.house.accounts.actor(portal.accounts["citizen"]), _everything()).lines[0]
    assert client.get(f"/me/accesses/{line.reference}").status_code == 200
    answer = client.get(f"/me/accesses/{line.reference}/receipt")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    key = load_signer(portal.settings.audit.signing_key_file).verifier()
    verdict = verify_receipt(answer.data, [key])
    assert verdict.access is not None
    assert verdict.access.justification == REASON


def _everything() -> Any:
    from portal.services.trail import TrailFilter

    return TrailFilter()


def test_a_caseworker_sees_exactly_the_permitted_fields_and_no_copy_stays(portal: FakePortal) -> None:
    portal.registries["population"].holds(MARY, **{"given-names": "Mari", "relation": "sister of the mayor"})
    answer = _opened_by_caseworker(portal)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Mari" in page
    permitted = portal.house.catalogue.purposes["benefit-claim"].permits["population"]
    assert ("sister of the mayor" in page) == ("relation" in permitted)


@pytest.mark.parametrize(
    "changes",
    [
        {"justification": ""},
        {"justification": "x"},
        {"justification": "asdf"},
        {"case": ""},
        {"personal_code": KADRI.reveal()},
        {"registries": ["vehicles"]},
    ],
)
def test_a_request_that_is_refused_shows_no_data_keeps_what_was_typed_and_is_logged(
    portal: FakePortal, changes: dict[str, Any]
) -> None:
    for code in (MARY, KADRI):
        portal.registries["population"].holds(code, **{"given-names": "Salajane"})
    answer = _opened_by_caseworker(portal, **changes)
    page = answer.get_data(as_text=True)
    assert answer.status_code in {400, 403}
    assert "Salajane" not in page
    assert a_form(**changes)["personal_code"] in page
    assert not any(registry.asked for registry in portal.registries.values())
    assert bool(_entries(portal, outcome="denied")) == (changes != {"case": ""})


@pytest.mark.parametrize("code", ["", "1", "38001085719", "٣٨٠٠١٠٨٥٧١٨", "' OR 1=1 --", "<script>alert(1)</script>"])
def test_what_is_no_personal_code_is_told_at_its_field_and_finds_nobody(portal: FakePortal, code: str) -> None:
    answer = _opened_by_caseworker(portal, personal_code=code)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'href="#personal_code"' in page
    assert "<script>alert" not in page
    assert _entries(portal, actions=frozenset({Action.READ})) == []


def test_a_purpose_of_another_organisation_looks_absent_and_asking_under_it_is_logged(portal: FakePortal) -> None:
    client = portal.client("caseworker")
    absent = client.get("/casework/no-such-purpose")
    foreign = client.get("/casework/tax-audit")
    assert (absent.status_code, foreign.status_code) == (404, 404)
    assert portal.post(client, "/casework/tax-audit", **a_form()).status_code == 404
    assert {entry.reason for entry in _entries(portal, outcome="denied")} == {"organisation-not-permitted"}


@pytest.mark.parametrize("error", [LogUnavailable("no disk"), LogOverloaded("full", retry_after=2)])
@pytest.mark.parametrize("trip", ["citizen's records", "citizen's registry", "caseworker", "auditor", "export"])
def test_when_the_log_cannot_write_nothing_is_shown_and_the_page_says_so(
    portal: FakePortal, monkeypatch: pytest.MonkeyPatch, error: Exception, trip: str
) -> None:
    portal.registries["population"].holds(MARY, **{"given-names": "Salajane"})
    account = {"caseworker": "caseworker", "auditor": "auditor", "export": "auditor"}.get(trip, "citizen")
    client = portal.client(account, stepped_up=trip == "export")
    monkeypatch.setattr(portal.house.log, "append_all", _fail_with(error))
    answer = {
        "citizen's records": lambda: client.get("/me/records"),
        "citizen's registry": lambda: client.get("/me/records/population"),
        "caseworker": lambda: portal.post(client, "/casework/benefit-claim", **a_form()),
        "auditor": lambda: portal.post(client, "/oversight", organisation=""),
        "export": lambda: portal.post(client, "/oversight/export", format="csv"),
    }[trip]()
    page = answer.get_data(as_text=True)
    assert answer.status_code == 503
    assert "could not be recorded" in page
    assert "Salajane" not in page
    assert not any(registry.asked for registry in portal.registries.values())


def test_a_registry_that_is_down_is_told_and_logged(portal: FakePortal) -> None:
    portal.registries["employment"].is_down = True
    answer = _opened_by_caseworker(portal, registries=["employment"])
    assert answer.status_code == 200
    failed = _entries(portal, outcome="failed")
    assert [entry.action for entry in failed].count(Action.READ) == 1
    # The check whether the two are close could not be made either, for the official and for the person.
    assert [entry.action for entry in failed].count(Action.CONFLICT_CHECK) == 2
    own = portal.client("citizen").get("/me/records/employment")
    assert own.status_code == 200
    assert len(_entries(portal, outcome="failed")) == len(failed) + 1


def test_an_auditor_searches_exports_and_verifies(portal: FakePortal) -> None:
    _opened_by_caseworker(portal)
    client = portal.client("auditor", stepped_up=True)
    page = portal.post(client, "/oversight", subject=MARY.reveal(), case="C-1").get_data(as_text=True)
    assert "C-1" in page
    assert MARY.reveal() not in client.get("/oversight").get_data(as_text=True)
    for form in ("csv", "jsonl"):
        answer = portal.post(client, "/oversight/export", case="C-1", format=form)
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            assert set(archive.namelist()) == {f"trail.{form}", "checkpoint", "manifest.txt"}
            assert REASON in archive.read(f"trail.{form}").decode()
    actions = {entry.action for entry in _entries(portal, official=portal.accounts["auditor"])}
    assert actions == {Action.SIGN_IN, Action.STEP_UP, Action.TRAIL_SEARCH, Action.TRAIL_EXPORT}


def test_a_verification_from_the_page_ends_in_a_verdict(portal: FakePortal) -> None:
    client = portal.client("auditor")
    started = portal.post(client, "/oversight/verification")
    assert started.status_code == 303
    while not (run := portal.house.verifications.recent()[0]).is_over:
        time.sleep(0.05)
    page = client.get(started.location).get_data(as_text=True)
    root = run.root
    assert root is not None
    assert root[:16] in page.replace(" ", "")


def test_every_look_is_another_entry(portal: FakePortal) -> None:
    for _ in range(3):
        _opened_by_caseworker(portal)
    assert len(_entries(portal, actions=frozenset({Action.READ}), outcome="released")) == 3


def test_what_was_typed_for_others_is_shown_as_text_to_whom_it_concerns(portal: FakePortal) -> None:
    attack = "Deciding <script>alert(1)</script> the claim \u202eof March\u202c <img src=x onerror=alert(2)>"
    assert _opened_by_caseworker(portal, justification=attack).status_code == 200
    line = portal.house.trail.history(portal.house.accounts.actor(portal.accounts["citizen"]), _everything()).lines[0]
    page = portal.client("citizen").get(f"/me/accesses/{line.reference}").get_data(as_text=True)
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page


def test_an_id_of_anothers_page_is_answered_as_if_it_were_not_there(portal: FakePortal) -> None:
    _opened_by_caseworker(portal)
    citizen = portal.house.accounts.actor(portal.accounts["citizen"])
    reference = portal.house.trail.history(citizen, _everything()).lines[0].reference
    neighbour = portal.client("neighbour")
    for path in ("/me/accesses/{}", "/me/accesses/{}/receipt", "/me/accesses?before={}"):
        forbidden = neighbour.get(path.format(reference))
        absent = neighbour.get(path.format("A" * len(reference)))
        assert forbidden.status_code == absent.status_code == 404
        assert _without_reference(forbidden) == _without_reference(absent)


def _without_reference(answer: Any) -> str:
    """The page but for the request's number, the form's token and the address, which differ each time."""
    page = re.sub(r'value="[^"]{20,}"', "", answer.get_data(as_text=True))
    page = re.sub(r"(?:next|to)=[^\"&]*", "", page)
    return re.sub(r"\b[0-9a-f]{16}\b", "", page)


def test_juhan_sees_nothing_of_mary(portal: FakePortal) -> None:
    portal.registries["population"].holds(MARY, **{"given-names": "Salajane"})
    portal.registries["population"].holds(JUHAN, **{"given-names": "Juhan"})
    _opened_by_caseworker(portal)
    client = portal.client("neighbour")
    for path in ("/me", "/me/records", "/me/records/population", "/me/accesses"):
        page = client.get(path).get_data(as_text=True)
        assert "Salajane" not in page
        assert REASON not in page
