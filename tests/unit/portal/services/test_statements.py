"""What Article 15 promises comes from the catalogue, and who received the data from the log."""

from __future__ import annotations

import pytest

from portal.domain.actions import Action, Outcome
from portal.domain.errors import NothingHere
from portal.registries.description import SourceKind
from portal.services.statements import RegistryStatement
from tests.factories.houses import FakeHouse
from tests.factories.logs import an_access
from tests.factories.people import JUHAN, MARY, a_citizen, an_auditor


def _about(house: FakeHouse, registry: str) -> RegistryStatement:
    statement = house.statements.statement(a_citizen())
    return next(one for one in statement.registries if one.registry.code == registry)


def _look(**changes: object) -> dict[str, object]:
    return {"subject": MARY.subject, "registry": "population", "action": Action.READ, **changes}


def test_the_recipients_are_those_who_were_shown_something_and_nobody_else(house: FakeHouse) -> None:
    looks = [
        _look(organisation="police"),
        _look(organisation="jarvelinn"),
        _look(organisation="jarvelinn"),
        _look(organisation="insurance-fund", action=Action.AUTOMATED_READ, automatic=True),
        _look(organisation="tax-board", outcome=Outcome.DENIED),
        _look(organisation="land-register", registry="land"),
        _look(organisation="labour-inspectorate", subject=JUHAN.subject),
        _look(organisation=None, action=Action.OWN_READ),
    ]
    house.log.append_all([an_access(**look) for look in looks])
    found = _about(house, "population").recipients
    known = [(one.organisation.code if one.organisation else None, one.looks) for one in found]
    assert known[0] == ("jarvelinn", 2)
    assert sorted(known[1:]) == [("insurance-fund", 1), ("police", 1)]


def test_nobody_is_a_recipient_before_anybody_looked(house: FakeHouse) -> None:
    house.records.open(a_citizen(), "population", request_id="r1")
    assert _about(house, "population").recipients == ()


def test_a_body_that_the_catalogue_no_longer_knows_is_a_recipient_all_the_same(house: FakeHouse) -> None:
    house.log.append(an_access(**_look(organisation="long-gone")))
    assert [(one.organisation, one.looks) for one in _about(house, "population").recipients] == [(None, 1)]


def test_every_registry_has_its_uses_its_sources_and_somebody_to_complain_to(house: FakeHouse) -> None:
    statement = house.statements.statement(a_citizen())
    assert {one.registry.code for one in statement.registries} == set(house.catalogue.registries)
    assert [authority.code for authority in statement.authorities] == ["data-protection-inspectorate"]
    for one in statement.registries:
        assert one.sources
        assert all(one.registry.code in purpose.permits for purpose in one.uses)
    bought = _about(house, "tax-benefits")
    assert SourceKind.PURCHASED in {source.kind for source in bought.sources}
    assert len(bought.sources) == len(set(bought.sources))
    assert "monthly-insurance-check" in {purpose.code for purpose in _about(house, "employment").automatic_uses}


def test_an_account_without_a_personal_code_has_no_statement(house: FakeHouse) -> None:
    with pytest.raises(NothingHere):
        house.statements.statement(an_auditor())
