"""Every route says who may use it, and lets nobody else in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule as Route

from portal.domain.actors import Role
from portal.domain.permissions import Permission, role_may
from portal.web.guard import AnySignedIn, Machine, Public, Rule, requires, rule_of
from tests.factories.apps import FakePortal, token_of

#: Who may use which route. A change here is a change of the portal's access rules, and is reviewed as one.
EXPECTED: dict[str, type[Public] | type[AnySignedIn] | type[Machine] | Permission] = {
    "static": Public,
    "home.welcome": Public,
    "home.me": Permission.READ_OWN_TRAIL,
    "login.choose": Public,
    "login.as_demonstration_person": Public,
    "api_tokens.issue": Public,
    "api_accesses.report": Machine,
    "api_accesses.receipt": Machine,
    "api_decisions.announce": Machine,
    "api_decisions.one": Machine,
    "api_decisions.change": Machine,
    "api_decisions.withdraw": Machine,
    "api_decisions.make_final": Machine,
    "decisions.overview": Permission.READ_OWN_DECISIONS,
    "decisions.one": Permission.READ_OWN_DECISIONS,
    "decisions.contest": Permission.READ_OWN_DECISIONS,
    "decisions.submit_contest": Permission.READ_OWN_DECISIONS,
    "decisions.receipt": Permission.READ_OWN_DECISIONS,
    "decisions.office": Permission.READ_OFFICE_DECISIONS,
    "decisions.office_one": Permission.READ_OFFICE_DECISIONS,
    "api_consents.ask": Machine,
    "api_consents.standing": Machine,
    "api_consents.record": Machine,
    "api_consents.use": Machine,
    "api_corrections.waiting": Machine,
    "api_corrections.one": Machine,
    "api_corrections.acknowledge": Machine,
    "consents.overview": Permission.DECIDE_OWN_CONSENTS,
    "consents.one": Permission.DECIDE_OWN_CONSENTS,
    "consents.give": Permission.DECIDE_OWN_CONSENTS,
    "consents.refuse": Permission.DECIDE_OWN_CONSENTS,
    "consents.end": Permission.DECIDE_OWN_CONSENTS,
    "consents.record": Permission.DECIDE_OWN_CONSENTS,
    "mandates.overview": Permission.ACT_FOR_OTHERS,
    "mandates.new": Permission.GIVE_MANDATES,
    "mandates.give": Permission.GIVE_MANDATES,
    "mandates.one": Permission.ACT_FOR_OTHERS,
    "mandates.end": Permission.ACT_FOR_OTHERS,
    "acting.children": Permission.ACT_FOR_OTHERS,
    "acting.overview": Permission.ACT_FOR_OTHERS,
    "acting.records": Permission.ACT_FOR_OTHERS,
    "acting.accesses": Permission.ACT_FOR_OTHERS,
    "bundle.overview": Permission.TAKE_OWN_BUNDLE,
    "bundle.new": Permission.TAKE_OWN_BUNDLE,
    "bundle.start": Permission.TAKE_OWN_BUNDLE,
    "bundle.one": Permission.TAKE_OWN_BUNDLE,
    "bundle.file": Permission.TAKE_OWN_BUNDLE,
    "bundle.delete": Permission.TAKE_OWN_BUNDLE,
    "api_description.openapi": Public,
    "openid.start": Public,
    "openid.complete": Public,
    "openid.back_channel_logout": Public,
    "openid.signed_out": Public,
    "openid.step_up": AnySignedIn,
    "openid.start_step_up": AnySignedIn,
    "login.sign_out": AnySignedIn,
    "sessions.overview": AnySignedIn,
    "sessions.end": AnySignedIn,
    "sessions.end_others": AnySignedIn,
    "step_up.demonstration": AnySignedIn,
    "step_up.confirm_in_demonstration": AnySignedIn,
    "step_up.go_on": AnySignedIn,
    "staff.sign_in": Public,
    "staff.let_in": Public,
    "staff.enrol": Public,
    "staff.open_code": Public,
    "staff.complete": Public,
    "staff_openid.start": Public,
    "staff_openid.complete": Public,
    "staff_openid.confirm": AnySignedIn,
    "staff_openid.start_confirming": AnySignedIn,
    "staff_openid.back_channel_logout": Public,
    "staff.confirm": AnySignedIn,
    "staff.confirmed": AnySignedIn,
    "account.overview": Permission.MANAGE_OWN_CREDENTIALS,
    "account.read_notices": Permission.MANAGE_OWN_CREDENTIALS,
    "account.stop_recovery": Permission.MANAGE_OWN_CREDENTIALS,
    "account.new_passkey": Permission.MANAGE_OWN_CREDENTIALS,
    "account.add_passkey": Permission.MANAGE_OWN_CREDENTIALS,
    "account.remove_passkey": Permission.MANAGE_OWN_CREDENTIALS,
    "account.password": Permission.MANAGE_OWN_CREDENTIALS,
    "account.change_password": Permission.MANAGE_OWN_CREDENTIALS,
    "administration.accounts": Permission.ADMINISTER_ACCOUNTS,
    "administration.invite": Permission.ADMINISTER_ACCOUNTS,
    "administration.send_invitation": Permission.ADMINISTER_ACCOUNTS,
    "administration.one": Permission.ADMINISTER_ACCOUNTS,
    "administration.change_rights": Permission.ADMINISTER_ACCOUNTS,
    "administration.act": Permission.ADMINISTER_ACCOUNTS,
    "administration.requests": Permission.ADMINISTER_ACCOUNTS,
    "administration.approve": Permission.ADMINISTER_ACCOUNTS,
    "administration.refuse": Permission.ADMINISTER_ACCOUNTS,
    "records.overview": Permission.READ_OWN_RECORDS,
    "records.registry": Permission.READ_OWN_RECORDS,
    "statements.page": Permission.READ_OWN_TRAIL,
    "trail.history": Permission.READ_OWN_TRAIL,
    "trail.knowledge": Permission.READ_OWN_TRAIL,
    "trail.line": Permission.READ_OWN_TRAIL,
    "trail.receipt": Permission.READ_OWN_TRAIL,
    "trail.sealed_receipt": Permission.READ_OWN_TRAIL,
    "disputes.overview": Permission.DISPUTE_OWN_DATA,
    "disputes.contest": Permission.DISPUTE_OWN_DATA,
    "disputes.submit_contest": Permission.DISPUTE_OWN_DATA,
    "disputes.ask": Permission.DISPUTE_OWN_DATA,
    "disputes.submit": Permission.DISPUTE_OWN_DATA,
    "disputes.one": Permission.DISPUTE_OWN_DATA,
    "disputes.write": Permission.DISPUTE_OWN_DATA,
    "disputes.withdraw": Permission.DISPUTE_OWN_DATA,
    "disputes.file": Permission.DISPUTE_OWN_DATA,
    "disputes.attachment": Permission.DISPUTE_OWN_DATA,
    "disputes.send_to_authority": Permission.DISPUTE_OWN_DATA,
    "complaints.overview": Permission.RECEIVE_COMPLAINTS,
    "complaints.file": Permission.RECEIVE_COMPLAINTS,
    "dpo.queue": Permission.HANDLE_DISPUTES,
    "dpo.one": Permission.HANDLE_DISPUTES,
    "dpo.take_step": Permission.HANDLE_DISPUTES,
    "dpo.decide": Permission.HANDLE_DISPUTES,
    "dpo.attachment": Permission.HANDLE_DISPUTES,
    "dpo.withholding": Permission.HANDLE_DISPUTES,
    "dpo.withhold": Permission.HANDLE_DISPUTES,
    "dpo.release": Permission.HANDLE_DISPUTES,
    "corrections.overview": Permission.TAKE_CORRECTIONS,
    "corrections.acknowledge": Permission.TAKE_CORRECTIONS,
    "alerts.overview": AnySignedIn,
    "told.page": Permission.MANAGE_OWN_ALERTS,
    "told.choose": Permission.MANAGE_OWN_ALERTS,
    "told.give_address": Permission.MANAGE_OWN_ALERTS,
    "told.remove_address": Permission.MANAGE_OWN_ALERTS,
    "told.resume": Permission.MANAGE_OWN_ALERTS,
    "told.confirm": Permission.MANAGE_OWN_ALERTS,
    "told.confirm_address": Permission.MANAGE_OWN_ALERTS,
    "told.stop": Public,
    "told.stop_mail": Public,
    "alerts.put_away": AnySignedIn,
    "approvals.overview": Permission.APPROVE_ACCESSES,
    "approvals.ask": Permission.OPEN_RECORDS_WITH_REASON,
    "approvals.decide": Permission.APPROVE_ACCESSES,
    "approvals.open_record": Permission.OPEN_RECORDS_WITH_REASON,
    "emergencies.overview": Permission.BREAK_GLASS,
    "emergencies.new": Permission.BREAK_GLASS,
    "emergencies.declare": Permission.BREAK_GLASS,
    "emergencies.emergency": Permission.BREAK_GLASS,
    "emergencies.open_record": Permission.BREAK_GLASS,
    "emergencies.supervised": Permission.REVIEW_EMERGENCIES,
    "emergencies.supervised_emergency": Permission.REVIEW_EMERGENCIES,
    "emergencies.review": Permission.REVIEW_EMERGENCIES,
    "bulk.overview": Permission.OPEN_LISTS,
    "bulk.new": Permission.OPEN_LISTS,
    "bulk.submit": Permission.OPEN_LISTS,
    "bulk.job": Permission.OPEN_LISTS,
    "bulk.results": Permission.OPEN_LISTS,
    "seals.overview": Permission.SEAL_ACCESSES,
    "seals.new": Permission.SEAL_ACCESSES,
    "seals.register": Permission.SEAL_ACCESSES,
    "seals.seal": Permission.SEAL_ACCESSES,
    "seals.open_record": Permission.SEAL_ACCESSES,
    "seals.supervised": Permission.PROLONG_SEALS,
    "seals.supervised_seal": Permission.PROLONG_SEALS,
    "seals.prolong": Permission.PROLONG_SEALS,
    "cases.assigned": Permission.OPEN_RECORDS_WITH_REASON,
    "cases.case": Permission.OPEN_RECORDS_WITH_REASON,
    "cases.open_record": Permission.OPEN_RECORDS_WITH_REASON,
    "supervision.overview": Permission.SUPERVISE_TEAM,
    "supervision.reviews": Permission.SUPERVISE_TEAM,
    "supervision.review": Permission.SUPERVISE_TEAM,
    "supervision.confirm": Permission.SUPERVISE_TEAM,
    "supervision.escalate": Permission.SUPERVISE_TEAM,
    "supervision.official": Permission.SUPERVISE_TEAM,
    "supervision.absences": Permission.SUPERVISE_TEAM,
    "supervision.note_absence": Permission.SUPERVISE_TEAM,
    "supervision.take_back_absence": Permission.SUPERVISE_TEAM,
    "supervision.cases": Permission.IMPORT_CASES,
    "supervision.import_cases": Permission.IMPORT_CASES,
    "escalations.overview": Permission.SETTLE_ESCALATIONS,
    "escalations.one": Permission.SETTLE_ESCALATIONS,
    "escalations.settle": Permission.SETTLE_ESCALATIONS,
    "casework.start": Permission.OPEN_RECORDS_WITH_REASON,
    "casework.reason": Permission.OPEN_RECORDS_WITH_REASON,
    "casework.open_record": Permission.OPEN_RECORDS_WITH_REASON,
    "casework.history": Permission.READ_OWN_CASEWORK,
    "findings.overview": Permission.HANDLE_FINDINGS,
    "findings.start": Permission.HANDLE_FINDINGS,
    "findings.open_finding": Permission.HANDLE_FINDINGS,
    "findings.file": Permission.HANDLE_FINDINGS,
    "findings.attach": Permission.HANDLE_FINDINGS,
    "findings.take_over": Permission.HANDLE_FINDINGS,
    "findings.ask": Permission.HANDLE_FINDINGS,
    "findings.decide": Permission.HANDLE_FINDINGS,
    "findings.tell": Permission.HANDLE_FINDINGS,
    "findings.close": Permission.HANDLE_FINDINGS,
    "findings.reveal": Permission.REVEAL_IDENTITIES,
    "findings.proofs": Permission.HANDLE_FINDINGS,
    "findings.questions": Permission.ANSWER_QUESTIONS,
    "findings.answer": Permission.ANSWER_QUESTIONS,
    "unusual.overview": Permission.RANK_LOOKS,
    "unusual.start": Permission.RANK_LOOKS,
    "unusual.run": Permission.RANK_LOOKS,
    "oversight_figures.page": Permission.READ_FIGURES,
    "unusual.news": Permission.RANK_LOOKS,
    "unusual.note_news": Permission.RANK_LOOKS,
    "unusual.withdraw_news": Permission.RANK_LOOKS,
    "oversight_figures.behind": Permission.READ_FIGURES,
    "oversight.search": Permission.SEARCH_TRAIL,
    "oversight.results": Permission.SEARCH_TRAIL,
    "oversight.entry": Permission.SEARCH_TRAIL,
    "oversight.receipt": Permission.SEARCH_TRAIL,
    "independence.reveal_entry": Permission.REVEAL_IDENTITIES,
    "independence.reveal_page": Permission.REVEAL_IDENTITIES,
    "independence.auditors": Permission.REVIEW_AUDITORS,
    "independence.confirm": Permission.REVIEW_AUDITORS,
    "saved_searches.overview": Permission.SEARCH_TRAIL,
    "saved_searches.new": Permission.SEARCH_TRAIL,
    "saved_searches.save": Permission.SEARCH_TRAIL,
    "saved_searches.run": Permission.SEARCH_TRAIL,
    "saved_searches.rename": Permission.SEARCH_TRAIL,
    "saved_searches.new_name": Permission.SEARCH_TRAIL,
    "saved_searches.delete": Permission.SEARCH_TRAIL,
    "saved_searches.share": Permission.SEARCH_TRAIL,
    "saved_searches.withdraw": Permission.SEARCH_TRAIL,
    "exports.start": Permission.EXPORT_TRAIL,
    "exports.overview": Permission.EXPORT_TRAIL,
    "exports.one": Permission.EXPORT_TRAIL,
    "exports.file": Permission.EXPORT_TRAIL,
    "oversight.verification": Permission.VERIFY_LOG,
    "oversight.start_verification": Permission.VERIFY_LOG,
    "oversight.verification_run": Permission.VERIFY_LOG,
    "transparency.page": Public,
    "transparency.as_csv": Public,
    "transparency.as_json": Public,
    "pages.about": Public,
    "pages.verify_help": Public,
    "pages.accessibility": Public,
    "pages.language": Public,
    "pages.healthz": Public,
    "pages.readyz": Public,
    "log.checkpoint": Public,
    "log.tile": Public,
    "verify_page.page": Public,
    "verify_page.file": Public,
}
#: Accounts of the fake portal by role; None is a visitor who has not signed in.
VISITORS: dict[str | None, Role | None] = {
    None: None,
    "citizen": Role.CITIZEN,
    "caseworker": Role.CASEWORKER,
    "auditor": Role.AUDITOR,
    "supervisor": Role.SUPERVISOR,
    "administrator": Role.ADMINISTRATOR,
}
#: Routes that need no mark against forged forms: another program sends them, and what it sends is signed.
SENT_BY_PROGRAMS = {
    "openid.back_channel_logout",
    "staff_openid.back_channel_logout",
    "api_tokens.issue",
    "api_accesses.report",
    "api_consents.ask",
    "api_consents.use",
    "api_corrections.acknowledge",
    "told.stop_mail",
    "api_decisions.announce",
    "api_decisions.change",
    "api_decisions.withdraw",
    "api_decisions.make_final",
}
REACHED = "the view was reached"


def _unguarded(app: Flask) -> list[str]:
    return [endpoint for endpoint in app.view_functions if rule_of(app, endpoint) is None]


def _as_expected(rule: Rule | None) -> object:
    return type(rule) if isinstance(rule, Public | AnySignedIn | Machine) else rule


def _may(rule: Rule, role: Role | None) -> bool:
    if isinstance(rule, Public):
        return True
    if isinstance(rule, Machine):
        return False  # no person's session opens it
    return role is not None and (isinstance(rule, AnySignedIn) or role_may(role, rule))


def requests_of(app: Flask) -> Iterator[tuple[Route, str, str]]:
    """Each route with each of its methods and a path that matches it."""
    with app.test_request_context():
        for route in app.url_map.iter_rules():
            values: dict[str, Any] = dict.fromkeys(route.arguments, "x")
            path = app.url_map.bind("localhost").build(route.endpoint, values)
            for method in sorted((route.methods or set()) - {"OPTIONS"}):
                yield route, method, path


def test_every_route_states_who_may_use_it(portal: FakePortal) -> None:
    assert _unguarded(portal.app) == []


def test_a_route_that_does_not_say_so_would_be_found_and_is_closed(portal: FakePortal) -> None:
    portal.app.add_url_rule("/forgotten", "forgotten", lambda: "personal data")
    assert _unguarded(portal.app) == ["forgotten"]
    for account in VISITORS:
        answer = portal.client(account).get("/forgotten")
        assert answer.status_code == 404
        assert b"personal data" not in answer.data


def test_the_list_of_routes_is_the_reviewed_one(portal: FakePortal) -> None:
    actual = {endpoint: _as_expected(rule_of(portal.app, endpoint)) for endpoint in portal.app.view_functions}
    assert actual == EXPECTED


@pytest.mark.parametrize("account", VISITORS)
def test_each_role_reaches_its_routes_and_no_others(portal: FakePortal, account: str | None) -> None:
    client = portal.client(account)
    token = token_of(client)
    for endpoint, view in portal.app.view_functions.items():
        rule = rule_of(portal.app, endpoint)

        def reached(**_: object) -> str:
            return REACHED

        reached.__guard__ = rule  # type: ignore[attr-defined]
        assert view is not None
        portal.app.view_functions[endpoint] = reached
    for route, method, path in list(requests_of(portal.app)):
        rule = rule_of(portal.app, route.endpoint)
        assert rule is not None
        answer = client.open(path, method=method, headers={"X-CSRFToken": token, "Referer": "http://localhost/"})
        expected = _may(rule, VISITORS[account])
        is_reached = answer.status_code == 200 and (method == "HEAD" or answer.get_data(as_text=True) == REACHED)
        assert is_reached == expected, f"{method} {path} as {account}: {answer.status_code}"
        if not expected:
            refusals = {401} if isinstance(rule, Machine) else {302, 401} if account is None else {404}
            assert answer.status_code in refusals, f"{method} {path} as {account}"


def test_no_route_of_a_citizen_takes_an_identifier_of_a_person(portal: FakePortal) -> None:
    for route in portal.app.url_map.iter_rules():
        if route.rule.startswith("/me"):
            # Ids are random and open for their own person alone; registry and field are the catalogue's codes.
            known = {
                "code",
                "reference",
                "dispute",
                "attachment",
                "consent",
                "bundle",
                "decision",
                "mandate",
                "registry",
                "field",
            }
            assert route.arguments <= known, route.rule


def test_a_form_without_the_token_of_its_own_session_is_refused(portal: FakePortal) -> None:
    stranger = token_of(portal.client("auditor"))
    for account in VISITORS:
        # A refusal leaves the session as it is, so one for each role will do.
        client = portal.client("neighbour" if account == "auditor" else account)
        for route, method, path in list(requests_of(portal.app)):
            if method != "POST" or route.endpoint in SENT_BY_PROGRAMS:
                continue
            for token in (None, "", "forged", stranger):
                answer = client.post(path, data={} if token is None else {"csrf_token": token})
                assert answer.status_code in {401, 403}, f"{path} as {account} with {token!r}: {answer.status_code}"


def test_only_what_programs_send_is_free_of_the_mark_and_no_cookie_helps_it(portal: FakePortal) -> None:
    csrf = portal.app.extensions["csrf"]
    exempt = {
        route.endpoint
        for route, method, _ in requests_of(portal.app)
        for view in [portal.app.view_functions[route.endpoint]]
        if method == "POST"
        if f"{view.__module__}.{view.__name__}" in csrf._exempt_views
        or route.endpoint.partition(".")[0] in {room.name for room in csrf._exempt_blueprints}
    }
    assert exempt == SENT_BY_PROGRAMS
    for route, method, path in list(requests_of(portal.app)):
        if route.endpoint == "told.stop_mail":
            continue  # answers alike whatever the link is: test_told.py
        if method == "POST" and route.endpoint in SENT_BY_PROGRAMS:
            assert portal.client("citizen").post(path).status_code in {400, 401, 404}, path


def test_the_guard_itself_cannot_be_given_nothing() -> None:
    @requires(Permission.SEARCH_TRAIL)
    def view() -> str:
        return REACHED

    assert view.__guard__ is Permission.SEARCH_TRAIL  # type: ignore[attr-defined]
