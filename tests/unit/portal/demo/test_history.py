"""The history is believable, is made of entries like the gate's, and holds something for an auditor to find."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from audit.entry import Access
from portal.demo.country import Country
from portal.demo.history import DAYS, History
from portal.demo.looks import Event, Look, accesses_of, failure_of
from portal.demo.officials import account_id_of, demonstration_accounts, known_official
from portal.demo.personas import CITIZENS, NEIGHBOUR, PATROL_OFFICER, PUBLIC_FIGURE, SINGLE_PARENT, TOWN_CLERK, code_of
from portal.demo.reasons import JUSTIFICATIONS, REFUSED_REASONS, THIN_REASONS, draw_case, draw_justification
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.actors import Actor, Role
from portal.domain.identifiers import PersonalCode
from portal.registries.catalogue import Catalogue, load_catalogue
from portal.services.disclosure import Gate, Grant
from portal.services.justification import weakness_of
from tests.factories.logs import LogHome

SHIPPED = Path(__file__).parents[4] / "config"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Tallinn")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(SHIPPED)


def events(catalogue: Catalogue) -> list[Event]:
    people = [person for household in Country(400, NOW.date()).households() for person in household]
    grown_up = [person for person in people if person.persona in CITIZENS or person.persona is None]
    return History(grown_up[:200], tuple(catalogue.registries), NOW, ZONE, seed=7).events()


@pytest.fixture(scope="module")
def accesses(catalogue: Catalogue) -> list[Access]:
    return [
        access
        for number, event in enumerate(events(catalogue))
        for access in accesses_of(event, catalogue, f"request-{number}")
    ]


def test_the_history_is_the_same_each_time(catalogue: Catalogue) -> None:
    assert events(catalogue) == events(catalogue)


def test_it_goes_forward_over_fourteen_months_and_ends_before_now(accesses: list[Access]) -> None:
    times = [access.occurred_at for access in accesses]
    assert times == sorted(times)
    assert NOW - timedelta(days=DAYS + 35) < times[0] < NOW - timedelta(days=DAYS - 60)
    assert NOW - timedelta(days=10) < times[-1] < NOW


def test_humans_systems_refusals_and_own_looks_all_occur(accesses: list[Access]) -> None:
    kinds = Counter((access.action, access.outcome) for access in accesses)
    for kind in (
        (Action.READ, Outcome.RELEASED),
        (Action.READ, Outcome.DENIED),
        (Action.AUTOMATED_READ, Outcome.RELEASED),
        (Action.OWN_READ, Outcome.RELEASED),
        (Action.OWN_CONFIRMATION, Outcome.RELEASED),
    ):
        assert kinds[kind] > 0, kind


def test_each_entry_stays_within_what_its_purpose_permits(accesses: list[Access], catalogue: Catalogue) -> None:
    for access in accesses:
        purpose = catalogue.purposes[access.purpose or ""]
        assert access.role in purpose.roles
        assert access.lawful_basis == purpose.lawful_basis.en
        assert access.automatic == purpose.is_automatic
        assert access.registry in catalogue.registries
        if access.action in {Action.READ, Action.AUTOMATED_READ}:
            assert access.organisation in purpose.organisations
            assert set(access.fields) <= set(purpose.permits[access.registry or ""])
            assert bool(access.fields) == (access.outcome == Outcome.RELEASED)
            assert not purpose.case_required or access.case or access.outcome == Outcome.DENIED


def test_what_a_human_released_has_a_reason_that_the_portal_would_take(accesses: list[Access]) -> None:
    for access in accesses:
        if access.action == Action.READ and access.outcome == Outcome.RELEASED:
            assert access.official
            assert access.official_name
            assert weakness_of(access.justification or "") is None, access.justification


@pytest.mark.parametrize("purpose", list(JUSTIFICATIONS))
def test_every_template_of_a_reason_passes_as_one(purpose: str, catalogue: Catalogue) -> None:
    assert purpose in catalogue.purposes
    for seed in range(20):
        case = draw_case(purpose, NOW.date(), Random(seed))
        assert weakness_of(draw_justification(purpose, case, NOW.date(), Random(seed))) is None
        assert (case is not None) or not catalogue.purposes[purpose].case_required


def test_thin_reasons_pass_the_machine_and_refused_ones_do_not() -> None:
    assert all(weakness_of(reason) is None for reason in THIN_REASONS)
    assert all(weakness_of(reason) is not None for reason in REFUSED_REASONS)


def test_the_clerk_looks_at_a_singer_and_a_neighbour_after_hours_and_tries_himself(accesses: list[Access]) -> None:
    clerk = [access for access in accesses if access.official == account_id_of(TOWN_CLERK)]
    for persona, least in ((PUBLIC_FIGURE, 4), (NEIGHBOUR, 8)):
        looks = [access for access in clerk if access.subject == f"EE{code_of(persona)}" and access.case is None]
        after_hours = [access for access in looks if access.occurred_at.astimezone(ZONE).hour >= 18]
        assert len(after_hours) >= least
    assert any(access.reason == Reason.OWN_RECORD and access.subject == f"EE{code_of(TOWN_CLERK)}" for access in clerk)
    assert len({access.subject for access in clerk}) > 10


def test_the_wrong_match_was_made_by_a_machine_before_the_contractor_looked(accesses: list[Access]) -> None:
    about_her = [access for access in accesses if access.subject == f"EE{code_of(SINGLE_PARENT)}"]
    checks = [access for access in about_her if access.purpose == "household-check"]
    matches = [access for access in about_her if access.purpose == "household-match"]
    assert checks[0].organisation == "claimcheck"
    assert checks[0].on_behalf_of == "tax-board"
    assert matches
    assert any(match.occurred_at < checks[0].occurred_at for match in matches)
    assert {"claimcheck", "tax-board"} <= {check.organisation for check in checks}


def test_no_personal_code_stands_in_a_free_text(accesses: list[Access]) -> None:
    for access in accesses:
        code = (access.subject or "")[2:]
        assert code not in f"{access.case} {access.justification} {access.request_id}"


def test_a_look_leaves_the_entry_that_the_gate_would_have_written(catalogue: Catalogue, tmp_path: Path) -> None:
    officer = known_official(PATROL_OFFICER)
    subject = PersonalCode.parse(code_of(NEIGHBOUR))
    purpose = catalogue.purposes["roadside-check"]
    reason = "Vehicle stopped near Veskijõe for a routine check of the licence"
    look = Look(
        action=Action.READ,
        subject=subject.reveal(),
        purpose=purpose.code,
        official=officer,
        registries=("vehicles",),
        justification=reason,
    )
    (planted,) = accesses_of(Event(NOW, (look,)), catalogue, "request-1")
    grant = Grant(
        actor=Actor(officer.account_id, Role.CASEWORKER, officer.name, officer.organisation),
        action=Action.READ,
        subject=subject,
        registry="vehicles",
        fields=planted.fields,
        purpose=purpose.code,
        lawful_basis=purpose.lawful_basis.en,
        request_id="request-1",
        justification=reason,
    )
    log = LogHome.make(tmp_path, f"sqlite:///{tmp_path / 'log.db'}").open()
    gate = Gate(log, {}, lambda: NOW)
    refused = gate.refuse([grant], Reason.REGISTRY)
    written = log.entry(refused).access
    log.close()
    assert written is not None
    values = {name: getattr(planted, name) for name in Access.__dataclass_fields__}
    assert Access(**values | {"outcome": Outcome.DENIED, "reason": Reason.REGISTRY}) == written


def test_a_failure_follows_its_entry_and_refers_to_it(accesses: list[Access]) -> None:
    failure = failure_of(accesses[0], 17)
    assert (failure.outcome, failure.reason) == (Outcome.FAILED, Reason.REGISTRY_UNAVAILABLE)
    assert failure.details == {"refers-to": 17}
    assert (failure.subject, failure.fields) == (accesses[0].subject, accesses[0].fields)


def test_each_account_has_a_role_a_valid_code_and_an_id_of_its_own(catalogue: Catalogue) -> None:
    accounts = demonstration_accounts()
    roles = {Role.CITIZEN: 9, Role.CASEWORKER: 5, Role.SUPERVISOR: 3, Role.AUDITOR: 2, Role.ADMINISTRATOR: 2}
    assert Counter(account.role for account in accounts) == roles
    assert len({account.account_id for account in accounts}) == len(accounts)
    for account in accounts:
        assert (account.personal_code is None) == (
            account.role is Role.ADMINISTRATOR or account.persona == "tax-officer"
        )
        assert account.persona
        assert (account.organisation is None) == (account.role is Role.CITIZEN)
        assert account.organisation is None or account.organisation in catalogue.organisations
        assert "KADRI" not in repr(account.personal_code)
