"""Security events: what whoever watches over the portal (a SIEM) is told. Reviewed and permanent, as actions are.

An event says what happened to the portal, never what is in a record. docs/security-events.md is this list in a table,
and a test keeps the two alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How soon somebody should look. `INFO` is kept for later questions; `CRITICAL` wakes a person up."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class SecurityEvent(StrEnum):
    """The names in the stream's field `event`."""

    STARTED = "portal-started"
    SIGNED_IN = "signed-in"
    SIGN_IN_REFUSED = "sign-in-refused"
    SIGN_IN_LOCKED = "sign-in-locked"
    SIGNED_OUT = "signed-out"
    SESSION_ENDED = "session-ended"
    STEPPED_UP = "stepped-up"
    STEP_UP_REFUSED = "step-up-refused"
    CLIENT_ADMITTED = "client-admitted"
    CLIENT_REFUSED = "client-refused"
    CERTIFICATE_HEADER_REFUSED = "certificate-header-refused"
    PROVIDERS_WORD_REFUSED = "providers-word-refused"
    STRONGER_SIGN_IN_NEEDED = "stronger-sign-in-needed"
    CREDENTIALS_CHANGED = "credentials-changed"
    RIGHTS_CHANGED = "rights-changed"
    ROUTE_REFUSED = "route-refused"
    ACCESS_DENIED = "access-denied"
    FORM_NOT_TRUSTED = "form-not-trusted"
    REQUEST_REFUSED = "request-refused"
    UNEXPECTED_INPUT = "unexpected-input"
    NOTHING_THERE = "nothing-there"
    RATE_LIMITED = "rate-limited"
    EMERGENCY_DECLARED = "emergency-declared"
    TRAIL_EXPORTED = "trail-exported"
    BUNDLE_FETCHED = "bundle-fetched"
    NOT_RECORDED = "not-recorded"
    LOG_SILENT = "log-silent"
    LOG_FROZEN = "log-frozen"
    WITNESS_REFUSED = "witness-refused"
    MALWARE_FOUND = "malware-found"
    SCANNER_SILENT = "scanner-silent"
    VERIFICATION_FAILED = "verification-failed"
    UNEXPECTED_ERROR = "unexpected-error"


@dataclass(frozen=True, slots=True)
class Description:
    """One event for the reader of the stream. `fields` are its own, beside those that every event carries.

    `standard` is its name in OWASP's Logging Vocabulary, where that has one.
    """

    severity: Severity
    meaning: str
    fields: tuple[str, ...] = ()
    standard: str | None = None


#: What every event may carry besides its own fields, as far as the request tells.
COMMON_FIELDS = ("time", "event", "severity", "request_id", "address", "account", "role", "organisation", "session")

DESCRIPTIONS: dict[SecurityEvent, Description] = {
    SecurityEvent.STARTED: Description(
        Severity.INFO, "A process of the portal started.", ("mode", "log_size"), "sys_startup"
    ),
    SecurityEvent.SIGNED_IN: Description(
        Severity.INFO, "Somebody signed in.", ("method", "assurance"), "authn_login_success"
    ),
    SecurityEvent.SIGN_IN_REFUSED: Description(
        Severity.MEDIUM, "Somebody tried to sign in and was not let in.", ("method", "reason"), "authn_login_fail"
    ),
    SecurityEvent.SIGN_IN_LOCKED: Description(
        Severity.HIGH,
        "Somebody who holds the passkey of account `locked` does not know its password.",
        ("locked",),
        "authn_login_lock",
    ),
    SecurityEvent.SIGNED_OUT: Description(Severity.INFO, "Somebody signed out."),
    SecurityEvent.SESSION_ENDED: Description(
        Severity.LOW, "A session was ended by something else than its own sign-out.", ("reason",), "session_expired"
    ),
    SecurityEvent.STEPPED_UP: Description(
        Severity.INFO, "Somebody who is signed in proved again who they are.", ("method", "assurance")
    ),
    SecurityEvent.STEP_UP_REFUSED: Description(
        Severity.MEDIUM, "Somebody who is signed in did not prove again who they are.", ("reason",), "authn_login_fail"
    ),
    SecurityEvent.CLIENT_ADMITTED: Description(
        Severity.INFO, "A registry's own system was given an access token.", ("client",), "authn_login_success"
    ),
    SecurityEvent.CLIENT_REFUSED: Description(
        Severity.MEDIUM,
        "A registry's own system, or somebody who posed as one, was refused; `check` is what did not hold.",
        ("client", "error", "check"),
        "authn_login_fail",
    ),
    SecurityEvent.CERTIFICATE_HEADER_REFUSED: Description(
        Severity.HIGH,
        "A client certificate was stated in a header by somebody else than the proxy, or could not be read.",
        ("reason",),
        "input_validation_fail",
    ),
    SecurityEvent.PROVIDERS_WORD_REFUSED: Description(
        Severity.MEDIUM, "A logout token came that the sign-in service did not sign, or not for us.", ("check",)
    ),
    SecurityEvent.STRONGER_SIGN_IN_NEEDED: Description(
        Severity.LOW, "A route asked for a surer or fresher sign-in than the session has.", ("endpoint", "needed")
    ),
    SecurityEvent.CREDENTIALS_CHANGED: Description(
        Severity.LOW, "Somebody set or changed what they sign in with.", ("action", "of"), "authn_token_created"
    ),
    SecurityEvent.RIGHTS_CHANGED: Description(
        Severity.MEDIUM,
        "An administrator changed the account `of`, or asked or decided to.",
        ("action", "of"),
        "privilege_permissions_changed",
    ),
    SecurityEvent.ROUTE_REFUSED: Description(
        Severity.MEDIUM, "A signed-in account asked for a route that is not its role's.", ("endpoint",), "authz_fail"
    ),
    SecurityEvent.ACCESS_DENIED: Description(
        Severity.MEDIUM,
        "A look at a person's data was denied; `entry` is the refusal's number in the audit log.",
        ("reason", "entry"),
        "authz_fail",
    ),
    SecurityEvent.FORM_NOT_TRUSTED: Description(
        Severity.MEDIUM, "A form came without its session's token (CSRF).", ("endpoint",), "malicious_csrf"
    ),
    SecurityEvent.REQUEST_REFUSED: Description(
        Severity.LOW,
        "A request could not be read: malformed, too large, or for a host that is not ours.",
        ("status", "reason"),
        "input_validation_fail",
    ),
    SecurityEvent.UNEXPECTED_INPUT: Description(
        Severity.MEDIUM,
        "A form carried fields that it does not have (mass assignment); they were ignored.",
        ("endpoint", "fields"),
        "input_validation_fail",
    ),
    SecurityEvent.NOTHING_THERE: Description(
        Severity.LOW,
        "Somebody asked for a thing that is not there or not theirs; many in a row are guesses.",
        ("endpoint",),
        "authz_fail",
    ),
    SecurityEvent.RATE_LIMITED: Description(
        Severity.HIGH,
        "More requests came than a person would make; `scope` says of what there were too many.",
        ("endpoint", "scope", "limit"),
        "excess_rate_limit_exceeded",
    ),
    SecurityEvent.EMERGENCY_DECLARED: Description(
        Severity.HIGH, "Somebody declared an emergency, which opens what the rules refuse.", ("emergency",)
    ),
    SecurityEvent.TRAIL_EXPORTED: Description(Severity.INFO, "An auditor exported the trail.", ("format",)),
    SecurityEvent.BUNDLE_FETCHED: Description(
        Severity.INFO, "A person fetched the bundle of all that is held on them.", ()
    ),
    SecurityEvent.NOT_RECORDED: Description(
        Severity.HIGH, "An entry could not be made durable, so nothing was released.", ("cause",)
    ),
    SecurityEvent.LOG_SILENT: Description(Severity.HIGH, "The audit log could not be read or reached.", ("cause",)),
    SecurityEvent.LOG_FROZEN: Description(
        Severity.CRITICAL, "The audit log is not what was signed before, and takes no entry.", ("cause",)
    ),
    SecurityEvent.WITNESS_REFUSED: Description(
        Severity.CRITICAL,
        "A witness refuses the log: it has seen another history of it (`python -m audit witness`).",
        ("witness",),
    ),
    SecurityEvent.MALWARE_FOUND: Description(
        Severity.HIGH,
        "A file that somebody attached was found to be malware and was not kept; its name is not told.",
        ("malware",),
        "malicious_attack_tool",
    ),
    SecurityEvent.SCANNER_SILENT: Description(
        Severity.HIGH, "The scanner for malware does not answer: no files are taken.", ("cause",)
    ),
    SecurityEvent.VERIFICATION_FAILED: Description(
        Severity.CRITICAL,
        "A verification found the audit log broken, first at `first_broken`.",
        ("run", "first_broken"),
    ),
    SecurityEvent.UNEXPECTED_ERROR: Description(
        Severity.HIGH, "A request ended in an error that nobody foresaw.", ("cause", "place"), "sys_crash"
    ),
}
