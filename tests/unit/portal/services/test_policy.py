"""Who may see which fields for which purpose: the catalogue's word, and nothing beyond it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.actions import Reason
from portal.domain.actors import Actor, Role
from portal.domain.decisions import CaseStanding, Facts, Obligation, Relation
from portal.domain.purposes import Purpose
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


def _as_before(role: str, organisation: str, purpose: Purpose, registry: str) -> set[str]:
    """The policy as it stood in code before the rules: the oracle for what a purpose gives."""
    if role not in purpose.roles or organisation not in purpose.organisations:
        return set()
    return set(purpose.permits.get(registry, ()))


FACTS = st.builds(
    Facts,
    case=st.sampled_from(CaseStanding),
    relation=st.sampled_from(Relation),
    restricted=st.sets(st.sampled_from(["population/address", "employment/employer", "land/area"])).map(frozenset),
    guarded=st.booleans(),
    marked=st.sets(st.sampled_from(["population/address", "employment/employer", "land/area"])).map(frozenset),
    approved=st.booleans(),
    emergency=st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(
    role=st.sampled_from([*(role.value for role in Role), "system", "Caseworker", ""]),
    organisation=st.sampled_from([*sorted(CATALOGUE.organisations), "", "nobody"]),
    purpose=st.sampled_from(sorted(CATALOGUE.purposes)),
    facts=FACTS,
)
def test_no_circumstances_ever_yield_a_field_that_no_rule_permits(
    role: str, organisation: str, purpose: str, facts: Facts
) -> None:
    stated = CATALOGUE.purposes[purpose]
    for code, registry in CATALOGUE.registries.items():
        decision = POLICY._decide(role, organisation, stated, code, facts)
        allowed = _as_before(role, organisation, stated, code)
        assert set(decision.codes) <= allowed
        assert not {f"{code}/{field}" for field in decision.codes} & facts.restricted or stated.may_use_restricted
        assert {*decision.codes, *(field.code for field in decision.withheld)} == set(registry.fields)
        assert (decision.refusal is None) == bool(decision.permitted)
        if facts == Facts() and not stated.is_automatic:
            assert set(decision.codes) == allowed
        if not (facts.approved or facts.emergency) and role != "system":
            assert not {f"{code}/{field}" for field in decision.codes} & facts.marked
        if facts.relation in {Relation.OWN, Relation.RELATIVE, Relation.HOUSEHOLD} and role != "system":
            assert decision.permitted == ()


@pytest.mark.parametrize(
    ("facts", "refusal", "obligations"),
    [
        (Facts(), None, set()),
        (Facts(case=CaseStanding.STATED), None, {Obligation.NEEDS_REVIEW}),
        (Facts(case=CaseStanding.NONE), Reason.CASE_MISSING, {Obligation.NEEDS_CASE}),
        (Facts(case=CaseStanding.CLOSED), Reason.CASE_CLOSED, set()),
        (Facts(case=CaseStanding.MISFIT), Reason.CASE_DOES_NOT_FIT, set()),
        (Facts(relation=Relation.UNKNOWN), None, {Obligation.NEEDS_REVIEW}),
        (Facts(relation=Relation.OWN), Reason.OWN_RECORD, set()),
        (Facts(relation=Relation.RELATIVE), Reason.CLOSE_PERSON, set()),
        (Facts(relation=Relation.HOUSEHOLD, approved=True), Reason.CLOSE_PERSON, set()),
        (Facts(relation=Relation.COLLEAGUE), Reason.SECOND_PERSON, {Obligation.NEEDS_SECOND_PERSON}),
        (Facts(relation=Relation.COLLEAGUE, approved=True), None, set()),
    ],
)
def test_circumstances_refuse_or_oblige_as_the_rules_say(
    facts: Facts, refusal: Reason | None, obligations: set[Obligation]
) -> None:
    decision = POLICY.decide(a_caseworker(), CATALOGUE.purposes["benefit-claim"], "population", facts)
    assert decision.refusal is refusal
    assert decision.obligations == obligations


def test_what_a_mark_guards_waits_for_a_second_person_and_what_is_sensitive_about_the_marked_too() -> None:
    purpose = CATALOGUE.purposes["benefit-claim"]
    marked = frozenset({"population/address"})
    alone = POLICY.decide(a_caseworker(), purpose, "population", Facts(guarded=True, marked=marked))
    waiting = {field.code for field in alone.because_of(Reason.SECOND_PERSON)}
    assert waiting == {"address", "marital-status", "relation"}
    for more in (Facts(guarded=True, marked=marked, approved=True), Facts(guarded=True, marked=marked, emergency=True)):
        assert waiting <= set(POLICY.decide(a_caseworker(), purpose, "population", more).codes)


def test_a_restricted_field_opens_only_where_the_law_excepts_the_purpose() -> None:
    facts = Facts(restricted=frozenset({"population/address"}))
    benefit = POLICY.decide(a_caseworker(), CATALOGUE.purposes["benefit-claim"], "population", facts)
    assert [field.code for field in benefit.because_of(Reason.RESTRICTED)] == ["address"]
    crime = POLICY.decide(a_caseworker("police"), CATALOGUE.purposes["criminal-proceedings"], "population", facts)
    assert "address" in crime.codes


def test_an_error_of_the_engine_denies_is_logged_and_is_not_remembered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    policy = Policy(CATALOGUE)
    purpose = CATALOGUE.purposes["benefit-claim"]

    def fail(*_: object) -> None:
        raise ValueError("the engine is out of order")

    with monkeypatch.context() as broken:
        broken.setattr("portal.services.policy_engine.is_authorized_batch", fail)
        decision = policy.decide(a_caseworker(), purpose, "population", Facts())
    assert decision.permitted == ()
    assert decision.refusal is Reason.POLICY_ERROR
    assert any("policy engine" in record.message for record in caplog.records)
    assert policy.decide(a_caseworker(), purpose, "population", Facts()).permitted


def test_an_explanation_names_the_rule_or_that_there_is_none() -> None:
    purpose = CATALOGUE.purposes["benefit-claim"]
    board = "social-insurance-board"
    opens = POLICY.explain("caseworker", board, purpose, "population/address", Facts())
    assert [rule.code for rule in opens.rules] == ["within-an-assigned-case"]
    closed = POLICY.explain("caseworker", board, purpose, "population/address", Facts(case=CaseStanding.CLOSED))
    assert [rule.code for rule in closed.rules] == ["case-closed"]
    none = POLICY.explain("caseworker", board, purpose, "population/citizenship", Facts())
    assert (none.allowed, none.rules) == (False, ())
