"""Four eyes over HTTP: what needs a second person, who may be one, and what an approval opens, once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from audit.entry import Access
from audit.errors import LogUnavailable
from audit.log import TrailQuery
from portal.demo.codes import personal_code
from portal.domain.actors import Role
from portal.domain.identifiers import PersonalCode
from portal.services.accounts import NewAccount
from tests.factories.apps import FakePortal
from tests.factories.people import JUHAN, MARY

REASON = "Renewing the licence asked for on 2 March, with the doctor's conditions"
FORM = {"case": "L-4", "justification": REASON, "registries": ["driving-licences"]}
PURPOSE = "licence-renewal"


@dataclass
class Office:
    """Two clerks of the transport administration, their head, and a clock that can be set."""

    portal: FakePortal
    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def post(self, account: str, path: str, **form: Any) -> Any:
        return self.portal.post(self.portal.client(account), path, **form)

    def ask(self, account: str = "clerk", **changes: Any) -> Any:
        return self.post(account, f"/approvals/ask/{PURPOSE}", **{"personal_code": MARY.reveal()} | FORM | changes)

    def asked(self) -> str:
        answer = self.ask()
        assert answer.status_code == 303, answer.get_data(as_text=True)
        clerk = self.portal.house.accounts.actor(self.portal.accounts["clerk"])
        return self.portal.house.safeguards.approvals.asked_by(clerk)[0].approval_id

    def decide(self, approval: str, account: str = "second", answer: str = "approve") -> Any:
        return self.post(account, f"/approvals/{approval}/decision", answer=answer)

    def open(self, approval: str, account: str = "clerk", **form: Any) -> Any:
        return self.post(account, f"/approvals/{approval}/open", **form)

    def entries(self, **criteria: Any) -> list[Access]:
        items = self.portal.house.log.read(TrailQuery(**criteria), limit=200).items
        return [item.access for item in items if item.access is not None]

    def looks(self) -> list[Access]:
        return self.entries(subject=MARY.subject, actions=frozenset({"read"}), outcome="released")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def office(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    settings: dict[str, Any] = {}
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        settings = {"database_url": url, "audit": {"database_url": url}}
    made = Office.__new__(Office)
    made.now = datetime.now(UTC)
    made.portal = FakePortal.build(tmp_path, monkeypatch, clock=made, **settings)
    new = {
        "clerk": NewAccount(Role.CASEWORKER, "Liis Lepp", "transport-administration"),
        "second": NewAccount(Role.CASEWORKER, "Toomas Tamm", "transport-administration"),
        "head": NewAccount(Role.SUPERVISOR, "Piret Pihlakas", "transport-administration"),
    }
    ids = made.portal.house.accounts.open(list(new.values()), demonstration=True)
    made.portal.accounts |= dict(zip(new, ids, strict=True))
    made.portal.registries["driving-licences"].holds(
        MARY, **{"licence-number": "EL-1", "licence-restrictions": "glasses"}
    )
    yield made
    made.portal.close()


def test_a_sensitive_field_opens_only_with_a_second_persons_approval_and_both_stand_in_the_log(office: Office) -> None:
    alone = office.post("clerk", f"/casework/{PURPOSE}", personal_code=MARY.reveal(), **FORM)
    assert alone.status_code == 200
    assert "EL-1" in alone.get_data(as_text=True)
    assert "glasses" not in alone.get_data(as_text=True)
    approval = office.asked()
    seen = office.portal.client("second").get("/approvals").get_data(as_text=True)
    assert "Liis Lepp" in seen
    assert "L-4" in seen
    assert MARY.reveal() not in seen
    assert "glasses" not in seen
    assert "asks for a second person" in office.portal.client("head").get("/alerts").get_data(as_text=True)
    assert office.decide(approval).status_code == 303
    opened = office.open(approval)
    assert opened.status_code == 200
    assert "glasses" in opened.get_data(as_text=True)
    newest = office.looks()[0]
    assert "licence-restrictions" in newest.fields
    assert newest.details["approver"] == office.portal.accounts["second"]
    for action in ("approval-request", "approval-decision"):
        assert [access.outcome for access in office.entries(subject=MARY.subject, actions=frozenset({action}))] == [
            "done"
        ]
    history = office.portal.client("citizen").get("/me/accesses").get_data(as_text=True)
    assert "asked a second person to approve a look" in history


def test_nobody_approves_their_own_and_nobody_from_elsewhere_any(office: Office) -> None:
    approval = office.asked()
    for account in ("clerk", "caseworker", "detective", "chief", "auditor", "citizen"):
        assert office.decide(approval, account).status_code == 404, account
    assert office.open(approval).status_code == 403  # not approved yet
    assert approval not in office.portal.client("clerk").get("/approvals").get_data(as_text=True)
    assert office.decide("00000000-0000-0000-0000-000000000000").status_code == 404
    assert office.portal.client("second").post(f"/approvals/{approval}/decision").status_code == 403
    assert office.decide(approval, answer="perhaps").status_code == 400
    assert office.decide(approval, "head").status_code == 303


def test_an_approval_opens_once_for_its_asker_alone_and_exactly_what_it_names(office: Office) -> None:
    approval = office.asked()
    assert office.decide(approval).status_code == 303
    for account in ("second", "head", "caseworker", "citizen"):
        assert office.open(approval, account).status_code == 404, account
    posted = {"personal_code": JUHAN.reveal(), "purpose": "vehicle-registration", "registries": ["population"]}
    assert office.open(approval, **posted).status_code == 200
    assert {access.registry for access in office.looks()} == {"driving-licences"}
    assert office.entries(subject=JUHAN.subject) == []
    asked = len(office.portal.registries["driving-licences"].asked)
    assert office.open(approval).status_code == 403
    assert len(office.portal.registries["driving-licences"].asked) == asked
    assert {access.reason for access in office.entries(subject=MARY.subject, outcome="denied")} == {
        "approval-not-valid"
    }


def test_of_two_who_decide_and_of_two_uses_at_once_one_counts(office: Office) -> None:
    approval = office.asked()
    with ThreadPoolExecutor(2) as pool:
        decided = pool.map(lambda pair: office.decide(approval, *pair), (("second", "approve"), ("head", "approve")))
        assert sorted(answer.status_code for answer in decided) == [303, 404]
        used = list(pool.map(lambda _: office.open(approval), range(2)))
    assert sorted(answer.status_code for answer in used) == [200, 403]
    assert len(office.looks()) == 1


def test_a_request_and_an_approval_expire(office: Office) -> None:
    late = office.asked()
    office.now += timedelta(hours=25)
    assert office.decide(late).status_code == 404
    approval = office.asked()
    assert office.decide(approval).status_code == 303
    office.now += timedelta(hours=25)
    assert office.open(approval).status_code == 403
    assert office.looks() == []


def test_a_refused_request_opens_nothing_and_the_refusal_is_logged(office: Office) -> None:
    approval = office.asked()
    assert office.decide(approval, answer="refuse").status_code == 303
    assert office.decide(approval).status_code == 404
    assert office.open(approval).status_code == 403
    decisions = office.entries(subject=MARY.subject, actions=frozenset({"approval-decision"}))
    assert [access.outcome for access in decisions] == ["denied"]


def test_the_policy_still_rules_what_was_approved(office: Office) -> None:
    assert office.ask(registries=["tax-benefits"]).status_code == 403
    assert office.ask(justification="asdf").status_code == 400
    assert office.ask("caseworker").status_code == 404
    assert office.ask(personal_code="38001085719").status_code == 400
    assert office.entries(actions=frozenset({"approval-request"})) == []
    approval = office.asked()
    assert office.decide(approval).status_code == 303
    session = office.portal.house.safeguards.bulk._sessions()
    session.execute(text("UPDATE approvals SET fields = 'driving-licences/licence-number'"))
    session.commit()
    session.close()
    assert office.open(approval).status_code == 200
    assert [access.fields for access in office.looks()] == [("licence-number",)]


def test_when_the_log_does_not_answer_nothing_opens_and_the_approval_stands(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = office.asked()
    assert office.decide(approval).status_code == 303
    client = office.portal.client("clerk")
    with monkeypatch.context() as broken:
        broken.setattr(office.portal.house.log, "append_all", _unavailable)
        assert office.portal.post(client, f"/approvals/{approval}/open").status_code == 503
    assert not office.portal.registries["driving-licences"].asked
    assert office.open(approval).status_code == 200


def _unavailable(*_: object) -> None:
    raise LogUnavailable("gone")


def test_what_is_sensitive_about_a_minor_needs_a_second_person_too(office: Office) -> None:
    child = PersonalCode.parse(personal_code("F", date(office.now.year - 10, 5, 5), 1))
    office.portal.registries["population"].holds(child, **{"marital-status": "SECRET", "address": "Pikk 1"})
    form = {"case": "C-1", "justification": REASON, "registries": ["population"]}
    pages = {
        code: office.post("caseworker", "/casework/benefit-claim", personal_code=code.reveal(), **form)
        for code in (child, MARY)
    }
    shown = office.entries(subject=child.subject, actions=frozenset({"read"}), outcome="released")[0].fields
    usual = office.entries(subject=MARY.subject, actions=frozenset({"read"}), outcome="released")[0].fields
    fields = office.portal.house.catalogue.registries["population"].fields
    assert {answer.status_code for answer in pages.values()} == {200}
    assert set(usual) - set(shown) == {code for code in usual if fields[code].sensitive} != set()


CLAIM = "benefit-claim"
GUARDED_FORM = {"case": "C-1", "justification": REASON}


def _holds(office: Office, mark: str | None) -> None:
    held = {"given-names": "SECRET-NAME", "address": "SECRET-STREET 1"} | ({} if mark is None else {"protection": mark})
    office.portal.registries["population"].holds(MARY, **held)
    office.portal.registries["employment"].holds(MARY, employer="SECRET-EMPLOYER")


def _look(office: Office, *registries: str, account: str = "caseworker") -> Any:
    form = GUARDED_FORM | {"personal_code": MARY.reveal(), "registries": list(registries)}
    return office.post(account, f"/casework/{CLAIM}", **form)


def _approval(office: Office, *registries: str) -> str:
    """Asked for by the caseworker and approved by a colleague, who saw the reason and nothing else."""
    form = GUARDED_FORM | {"personal_code": MARY.reveal(), "registries": list(registries)}
    assert office.post("caseworker", f"/approvals/ask/{CLAIM}", **form).status_code == 303
    asker = office.portal.house.accounts.actor(office.portal.accounts["caseworker"])
    approval = office.portal.house.safeguards.approvals.asked_by(asker)[0].approval_id
    seen = office.portal.client("colleague").get("/approvals").get_data(as_text=True)
    assert REASON.replace("'", "&#39;") in seen
    assert not any(secret in seen for secret in ("SECRET", MARY.reveal(), "public figure", "protected address"))
    assert office.open(approval, "caseworker").status_code == 403
    assert office.decide(approval, "caseworker").status_code == 404
    assert office.decide(approval, "colleague").status_code == 303
    return approval


@pytest.mark.parametrize("mark", [None, "puudub"])
def test_the_address_of_somebody_who_is_not_marked_opens_to_one_official(office: Office, mark: str | None) -> None:
    _holds(office, mark)
    assert "SECRET-STREET" in _look(office, "population").get_data(as_text=True)


def test_a_protected_address_opens_only_with_a_second_persons_approval_and_once(office: Office) -> None:
    _holds(office, "aadress")
    alone = _look(office, "population")
    assert alone.status_code == 200
    assert "SECRET-NAME" in alone.get_data(as_text=True)
    assert "SECRET-STREET" not in alone.get_data(as_text=True)
    assert "a second person has to approve first" in alone.get_data(as_text=True)
    assert "address" not in office.looks()[0].fields
    approval = _approval(office, "population")
    opened = office.open(approval, "caseworker")
    assert "SECRET-STREET" in opened.get_data(as_text=True)
    assert "address" in office.looks()[0].fields
    assert office.looks()[0].details["approver"] == office.portal.accounts["colleague"]
    looks = len(office.looks())
    assert office.open(approval, "caseworker").status_code == 403
    assert "SECRET-STREET" not in _look(office, "population").get_data(as_text=True)
    assert [access.fields.count("address") for access in office.looks()[:-looks]] == [0]


def test_nothing_about_a_public_figure_opens_to_one_official_and_the_refusal_is_logged(office: Office) -> None:
    _holds(office, "avalik")
    for registry in ("population", "employment", "tax-benefits"):
        alone = _look(office, registry)
        assert alone.status_code == 403
        assert "SECRET" not in alone.get_data(as_text=True)
    assert office.looks() == []
    denied = office.entries(subject=MARY.subject, outcome="denied")
    assert [(access.reason, access.fields) for access in denied] == [("second-person-needed", ())] * 3
    checks = office.entries(subject=MARY.subject, actions=frozenset({"conflict-check"}), registry="population")
    assert len(checks) == 3  # the mark came with the ties: one question for each try
    assert all(check.automatic and "protection" in check.fields for check in checks)
    opened = office.open(_approval(office, "employment"), "caseworker")
    assert "SECRET-EMPLOYER" in opened.get_data(as_text=True)
    assert {access.registry for access in office.looks()} == {"employment"}


@pytest.mark.parametrize("mark", ["avalik", "a mark that nobody described"])
def test_an_official_whose_own_code_is_not_known_meets_the_mark_too(office: Office, mark: str) -> None:
    _holds(office, mark)
    assert _look(office, "employment", account="colleague").status_code == 403
    (check,) = office.entries(subject=MARY.subject, actions=frozenset({"conflict-check"}))
    assert check.fields == ("protection",)  # there is nobody to compare the ties with, so they are not asked for


def test_while_the_registry_with_the_marks_is_silent_everything_needs_a_second_person(office: Office) -> None:
    _holds(office, None)
    approval = _approval(office, "employment")
    office.portal.registries["population"].is_down = True
    assert _look(office, "employment").status_code == 403
    assert _look(office, "employment", account="colleague").status_code == 403
    assert office.looks() == []
    assert {access.reason for access in office.entries(subject=MARY.subject, outcome="denied")} >= {
        "second-person-needed"
    }
    assert "SECRET-EMPLOYER" in office.open(approval, "caseworker").get_data(as_text=True)


def test_the_person_sees_the_mark_on_themselves(office: Office) -> None:
    _holds(office, "aadress")
    page = office.portal.client("citizen").get("/me/records/population").get_data(as_text=True)
    assert "Special protection" in page
    assert "protected address" in page
