"""Who may see which fields for which purpose: the catalogue's word, and nothing beyond it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.actions import Reason
from portal.domain.actors import Actor, Role
from portal.services.policy import Policy
from tests.factories.houses import shipped_catalogue
from tests.factories.people import JUHAN, KADRI, a_caseworker, a_citizen, an_auditor

CATALOGUE = shipped_catalogue()
POLICY = Policy(CATALOGUE)


@settings(deadline=None)
@given(
    role=st.sampled_from(Role),
    organisation=st.one_of(st.none(), st.sampled_from(sorted(CATALOGUE.organisations)), st.text(max_size=10)),
    purpose=st.sampled_from(sorted(CATALOGUE.purposes)),
    registry=st.one_of(st.sampled_from(sorted(CATALOGUE.registries)), st.text(max_size=10)),
)
def test_fields_are_permitted_only_where_role_organisation_purpose_and_registry_all_say_so(
    role: Role, organisation: str | None, purpose: str, registry: str
) -> None:
    stated = CATALOGUE.purposes[purpose]
    actor = Actor("account", role, "Somebody", organisation, None)
    permitted = POLICY.permitted_fields(actor, stated, registry)
    allowed = role.value in stated.roles and organisation in stated.organisations and registry in stated.permits
    assert set(permitted) == (set(stated.permits[registry]) if allowed else set())
    assert (POLICY.refusal_of_access(actor, stated, registry, JUHAN) is None) == bool(permitted)


@settings(deadline=None)
@given(purpose=st.sampled_from(sorted(CATALOGUE.purposes)))
def test_citizens_and_auditors_may_open_nobodys_record_for_any_purpose(purpose: str) -> None:
    for actor in (a_citizen(), an_auditor()):
        assert POLICY.offers(actor, CATALOGUE.purposes[purpose]) == ()


def test_no_purpose_opens_a_whole_registry_to_anybody_but_its_controller() -> None:
    for purpose in CATALOGUE.purposes.values():
        for code, fields in purpose.permits.items():
            registry = CATALOGUE.registries[code]
            is_whole = set(fields) == set(registry.fields)
            assert not is_whole or purpose.organisations == {registry.controller}, (purpose.code, code)


def test_a_caseworker_never_opens_their_own_record() -> None:
    purpose = CATALOGUE.purposes["benefit-claim"]
    refusal = POLICY.refusal_of_access(a_caseworker(code=KADRI), purpose, "population", KADRI)
    assert refusal is Reason.OWN_RECORD


def test_another_organisations_purpose_is_refused_by_name() -> None:
    purpose = CATALOGUE.purposes["tax-audit"]
    assert POLICY.refusal_of_purpose(a_caseworker(), purpose) is Reason.ORGANISATION
    assert POLICY.refusal_of_purpose(an_auditor(), purpose) is Reason.ROLE
    assert purpose not in POLICY.purposes_for(a_caseworker())


def test_what_is_withheld_is_told_beside_what_is_permitted() -> None:
    for offer in POLICY.offers(a_caseworker(), CATALOGUE.purposes["benefit-claim"]):
        codes = {field.code for field in (*offer.permitted, *offer.withheld)}
        assert codes == set(offer.registry.fields)
        assert offer.withheld


def test_unknown_registries_are_known_to_be_unknown() -> None:
    assert POLICY.knows_registries(("population", "vehicles"))
    assert not POLICY.knows_registries(("population", "secrets"))
    assert not POLICY.knows_registries(())
