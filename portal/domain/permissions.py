"""What each role may do, and how surely one must have signed in for it: two tables. What is not in them is denied."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from portal.domain.actors import Role
from portal.domain.assurance import Assurance


class Permission(StrEnum):
    """One thing a route may ask for. Names are verbs on what they open."""

    READ_OWN_RECORDS = "read-own-records"
    READ_OWN_TRAIL = "read-own-trail"
    READ_OWN_DECISIONS = "read-own-decisions"
    READ_OFFICE_DECISIONS = "read-office-decisions"
    DECIDE_OWN_CONSENTS = "decide-own-consents"
    MANAGE_OWN_ALERTS = "manage-own-alerts"
    GIVE_MANDATES = "give-mandates"
    ACT_FOR_OTHERS = "act-for-others"
    TAKE_OWN_BUNDLE = "take-own-bundle"
    OPEN_RECORDS_WITH_REASON = "open-records-with-reason"
    READ_OWN_CASEWORK = "read-own-casework"
    SEARCH_TRAIL = "search-trail"
    EXPORT_TRAIL = "export-trail"
    REVEAL_IDENTITIES = "reveal-identities"
    REVIEW_AUDITORS = "review-auditors"
    VERIFY_LOG = "verify-log"
    READ_FIGURES = "read-figures"
    HANDLE_FINDINGS = "handle-findings"
    RANK_LOOKS = "rank-looks"
    ANSWER_QUESTIONS = "answer-questions"
    SETTLE_ESCALATIONS = "settle-escalations"
    SUPERVISE_TEAM = "supervise-team"
    IMPORT_CASES = "import-cases"
    SEAL_ACCESSES = "seal-accesses"
    PROLONG_SEALS = "prolong-seals"
    OPEN_LISTS = "open-lists"
    ADMINISTER_ACCOUNTS = "administer-accounts"
    MANAGE_OWN_CREDENTIALS = "manage-own-credentials"
    BREAK_GLASS = "break-glass"
    APPROVE_ACCESSES = "approve-accesses"
    REVIEW_EMERGENCIES = "review-emergencies"
    DISPUTE_OWN_DATA = "dispute-own-data"
    RECEIVE_COMPLAINTS = "receive-complaints"
    HANDLE_DISPUTES = "handle-disputes"
    TAKE_CORRECTIONS = "take-corrections"


#: What everybody has who works with the portal, whatever their role: their own password and passkeys.
OF_ALL_STAFF = frozenset({Permission.MANAGE_OWN_CREDENTIALS})

GRANTS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.CITIZEN: frozenset(
            {
                Permission.READ_OWN_RECORDS,
                Permission.READ_OWN_TRAIL,
                Permission.DISPUTE_OWN_DATA,
                Permission.READ_OWN_DECISIONS,
                Permission.DECIDE_OWN_CONSENTS,
                Permission.MANAGE_OWN_ALERTS,
                Permission.GIVE_MANDATES,
                Permission.ACT_FOR_OTHERS,
                Permission.TAKE_OWN_BUNDLE,
            }
        ),
        Role.CASEWORKER: frozenset(
            {
                Permission.OPEN_RECORDS_WITH_REASON,
                Permission.READ_OWN_CASEWORK,
                Permission.READ_OFFICE_DECISIONS,
                Permission.SEAL_ACCESSES,
                Permission.ANSWER_QUESTIONS,
                Permission.OPEN_LISTS,
                Permission.BREAK_GLASS,
                Permission.APPROVE_ACCESSES,
                Permission.TAKE_CORRECTIONS,
            }
        ),
        Role.AUDITOR: frozenset(
            {
                Permission.SEARCH_TRAIL,
                Permission.EXPORT_TRAIL,
                Permission.REVEAL_IDENTITIES,
                Permission.REVIEW_AUDITORS,
                Permission.VERIFY_LOG,
                Permission.READ_FIGURES,
                Permission.SETTLE_ESCALATIONS,
                Permission.HANDLE_FINDINGS,
                Permission.RANK_LOOKS,
                # Of the supervisory authority alone; the service asks.
                Permission.RECEIVE_COMPLAINTS,
            }
        ),
        # Accesses and never data: whoever judges a look must not need one of their own.
        # No registry and no trail: whoever hands out rights sees nobody's data with them.
        Role.ADMINISTRATOR: frozenset({Permission.ADMINISTER_ACCOUNTS}),
        Role.SUPERVISOR: frozenset(
            {
                Permission.SUPERVISE_TEAM,
                Permission.IMPORT_CASES,
                Permission.PROLONG_SEALS,
                Permission.REVIEW_EMERGENCIES,
                Permission.READ_OFFICE_DECISIONS,
                Permission.APPROVE_ACCESSES,
                # With the duty of data protection, and only then.
                Permission.HANDLE_DISPUTES,
                Permission.TAKE_CORRECTIONS,
            }
        ),
    }
)

#: The least level of assurance for each permission; a route may ask for more (`requires(…, assurance=…)`), not less.
ASSURANCE_NEEDED: Mapping[Permission, Assurance] = MappingProxyType(dict.fromkeys(Permission, Assurance.SUBSTANTIAL))


def role_may(role: Role, permission: Permission) -> bool:
    if permission in OF_ALL_STAFF:
        return role in GRANTS and role is not Role.CITIZEN
    return permission in GRANTS.get(role, frozenset())
