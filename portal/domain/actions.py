"""The names under which events stand in the log. Reviewed and permanent: a typo here lives for ever."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What was done. One name for each kind of event that must leave an entry."""

    #: A caseworker opens fields of one person's record in one registry for one purpose.
    READ = "read"
    #: The portal asks registries whether a person is close to the official who wants to open their record.
    CONFLICT_CHECK = "conflict-check"
    #: A registry's own system, with no human looking, uses a person's data.
    AUTOMATED_READ = "automated-read"
    #: The data subject opens what a registry holds on them.
    OWN_READ = "own-read"
    #: The data subject asks a registry whether it holds anything on them (GDPR Article 15(1), confirmation).
    OWN_CONFIRMATION = "own-confirmation"
    #: An auditor searches the trail.
    TRAIL_SEARCH = "trail-search"
    #: An auditor exports the trail.
    TRAIL_EXPORT = "trail-export"
    #: An auditor fetches the file of an export that was made in the background.
    EXPORT_DOWNLOAD = "export-download"
    #: An auditor keeps a search under a name, gives it another, deletes it, shares it with a colleague, or no longer.
    SEARCH_SAVING = "search-saving"
    SEARCH_RENAMING = "search-renaming"
    SEARCH_DELETION = "search-deletion"
    SEARCH_SHARING = "search-sharing"
    SEARCH_WITHDRAWAL = "search-withdrawal"
    #: An auditor has it shown who acted and whose data it was; another auditor finds an auditor's act in order.
    IDENTITY_REVEAL = "identity-reveal"
    AUDITOR_REVIEW = "auditor-review"
    #: An auditor has the log verified.
    LOG_VERIFICATION = "log-verification"
    #: An account signs in to, or out of, the portal.
    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    #: Somebody who is signed in proves again who they are, for something that needs a surer or a fresher sign-in.
    STEP_UP = "step-up"
    #: A registry's own system is given an access token for the API.
    CLIENT_SIGN_IN = "client-sign-in"
    #: A session ends from elsewhere: by its own person in another session, by the provider that vouched for them, by an
    #: administrator, or because it is used from another kind of device.
    SESSION_END = "session-end"
    #: A case of the case system is taken over, changes hands or subjects, or is closed: it decides what may be opened.
    CASE_CHANGE = "case-change"
    #: A supervisor looks at the accesses of the team.
    SUPERVISION_LOOK = "supervision-look"
    #: An access outside the assigned cases is found in order, or handed to the auditor with a reason.
    REVIEW_CONFIRMATION = "review-confirmation"
    REVIEW_ESCALATION = "review-escalation"
    #: An auditor settles what a supervisor handed over.
    ESCALATION_VERDICT = "escalation-verdict"
    #: An auditor has the looks of a period ranked by how unusual they are; about the first of them registries are asked
    #: who the official and the person are to each other.
    UNUSUAL_SEARCH = "unusual-search"
    #: An auditor notes that a person was in the news, so that looks at them soon after stand out; or takes that back.
    NEWS_PEG = "news-peg"
    NEWS_PEG_WITHDRAWAL = "news-peg-withdrawal"
    RELATION_CHECK = "relation-check"
    #: The steps of a finding, an auditor's review of an official's looks; its notice is for the person looked at.
    FINDING_OPENING = "finding-opening"
    FINDING_ASSIGNMENT = "finding-assignment"
    FINDING_EVIDENCE = "finding-evidence"
    FINDING_QUESTION = "finding-question"
    FINDING_STATEMENT = "finding-statement"
    FINDING_DECISION = "finding-decision"
    FINDING_NOTICE = "finding-notice"
    FINDING_CLOSING = "finding-closing"
    #: A supervisor notes, or takes back, that somebody is absent.
    ABSENCE_CHANGE = "absence-change"
    #: A seal: accesses to one person's data for an investigation are withheld from them until a date.
    SEAL_ORDER = "seal-order"
    #: A supervisor moves the end of a seal, within the maximum.
    SEAL_PROLONGATION = "seal-prolongation"
    #: A seal has ended: this entry shows its subject one entry that the seal withheld.
    SEAL_REVEAL = "seal-reveal"
    #: The steps of a dispute: the person's own, then those of the controller's data protection officer.
    DISPUTE_OPENING = "dispute-opening"
    DISPUTE_MESSAGE = "dispute-message"
    DISPUTE_WITHDRAWAL = "dispute-withdrawal"
    #: The person took the whole dispute with its receipts, to lay it before the supervisory authority.
    DISPUTE_FILE = "dispute-file"
    DISPUTE_LOOK = "dispute-look"
    DISPUTE_ANSWER = "dispute-answer"
    DISPUTE_EXTENSION = "dispute-extension"
    DISPUTE_PAUSE = "dispute-pause"
    DISPUTE_RESUMPTION = "dispute-resumption"
    DISPUTE_DECISION = "dispute-decision"
    #: The person attached a file, one was not taken, or they fetched one; then the same of the officer.
    DISPUTE_ATTACHMENT = "dispute-attachment"
    DISPUTE_ATTACHMENT_REFUSAL = "dispute-attachment-refusal"
    DISPUTE_ATTACHMENT_DOWNLOAD = "dispute-attachment-download"
    DISPUTE_OFFICE_ATTACHMENT = "dispute-office-attachment"
    DISPUTE_OFFICE_ATTACHMENT_REFUSAL = "dispute-office-attachment-refusal"
    DISPUTE_OFFICE_ATTACHMENT_DOWNLOAD = "dispute-office-attachment-download"
    #: The officer blacks out a passage of what they wrote or attached, or withholds a file.
    DISPUTE_REDACTION = "dispute-redaction"
    #: The person has the file of a dispute sent to the supervisory authority; the authority fetches it.
    DISPUTE_FILING = "dispute-filing"
    DISPUTE_FILING_DOWNLOAD = "dispute-filing-download"
    #: What was written and attached is erased when its time is over.
    DISPUTE_ERASURE = "dispute-erasure"
    #: Somebody who received a value is told that it was found wrong; they say that they took that into account.
    CORRECTION_NOTICE = "correction-notice"
    CORRECTION_ACKNOWLEDGEMENT = "correction-acknowledgement"
    #: They have not said so in time, and are told again; a recipient's system asked for its corrections.
    CORRECTION_REMINDER = "correction-reminder"
    CORRECTION_FETCH = "correction-fetch"
    #: Four eyes: an official asks a second person, who approves or refuses.
    APPROVAL_REQUEST = "approval-request"
    APPROVAL_DECISION = "approval-decision"
    #: Break-glass: an official declares an emergency, and a supervisor reviews it afterwards.
    EMERGENCY = "emergency"
    EMERGENCY_REVIEW = "emergency-review"
    #: A caseworker asks for a list of people under one purpose and case; each of them has an entry of their own.
    BULK_REQUEST = "bulk-request"
    #: The results of a list are fetched, once.
    BULK_RESULTS = "bulk-results"
    #: Somebody who must know of something is told in the portal. It speaks of no person's data.
    ALERT = "alert"
    #: A person says of what they are told; their address is given, confirmed, removed, or can no longer be used.
    ALERT_CHOICE = "alert-choice"
    MAIL_ADDRESS = "mail-address"
    #: A password was wrong too often: the account waits before another one is tried.
    SIGN_IN_LOCKOUT = "sign-in-lockout"
    #: An administrator invites somebody, or lets them enrol again; the person sets password and passkey.
    STAFF_INVITATION = "staff-invitation"
    STAFF_ENROLMENT = "staff-enrolment"
    PASSKEY_ADDITION = "passkey-addition"
    PASSKEY_REMOVAL = "passkey-removal"
    PASSWORD_CHANGE = "password-change"  # noqa: S105 - an event, not a password
    #: One administrator asks for a role to be given or an account to be reopened, another decides.
    RIGHTS_REQUEST = "rights-request"
    RIGHTS_APPROVAL = "rights-approval"
    RIGHTS_REFUSAL = "rights-refusal"
    #: The role or the organisation of an account is another from here on.
    RIGHTS_CHANGE = "rights-change"
    ACCOUNT_CLOSURE = "account-closure"
    ACCOUNT_REOPENING = "account-reopening"
    #: An administrator signs somebody out everywhere; the account and its credentials stay as they are.
    SIGN_OUT_BY_ADMINISTRATOR = "sign-out-by-administrator"
    #: One administrator opens a recovery of somebody's lost credentials, another decides, the person is told.
    RECOVERY_REQUEST = "recovery-request"
    RECOVERY_APPROVAL = "recovery-approval"
    RECOVERY_REFUSAL = "recovery-refusal"
    RECOVERY_NOTICE = "recovery-notice"
    #: A decision that rests on data: announced before it takes effect, changed, withdrawn, or made final (Article 22).
    DECISION_ANNOUNCEMENT = "decision-announcement"
    DECISION_CHANGE = "decision-change"
    DECISION_WITHDRAWAL = "decision-withdrawal"
    DECISION_FINAL = "decision-final"
    #: A consent to share data: a registered recipient asks; the person gives, refuses or ends it (GDPR Article 7).
    CONSENT_REQUEST = "consent-request"
    CONSENT_GIVING = "consent-giving"
    CONSENT_REFUSAL = "consent-refusal"
    CONSENT_END = "consent-end"
    #: A recipient's system receives what a consent covers, and nothing beside it.
    CONSENT_USE = "consent-use"
    #: The bundle in which a person takes away all that is held on them: asked for, made, fetched, deleted.
    BUNDLE_REQUEST = "bundle-request"
    BUNDLE_COMPLETION = "bundle-completion"
    BUNDLE_DOWNLOAD = "bundle-download"
    BUNDLE_DELETION = "bundle-deletion"
    #: The recipient, or the person, takes away the record of a consent.
    CONSENT_RECORD = "consent-record"
    OWN_CONSENT_RECORD = "own-consent-record"
    #: A mandate to act for somebody: the person gives or ends it, or whoever received it gives it up. The other side
    #: has an entry of its own of each of these.
    MANDATE_GIVING = "mandate-giving"
    MANDATE_REVOCATION = "mandate-revocation"
    MANDATE_RENUNCIATION = "mandate-renunciation"
    MANDATE_ASSIGNMENT = "mandate-assignment"
    MANDATE_END = "mandate-end"
    #: A representative opens what a registry holds on the person they act for, or who looked at it.
    MANDATE_READ = "mandate-read"
    MANDATE_TRAIL_LOOK = "mandate-trail-look"
    #: The portal asks the registries whose parent somebody is, and whether a child is specially protected.
    MANDATE_CHECK = "mandate-check"


#: Looks at a person's own data by that person.
OWN_LOOKS = frozenset({Action.OWN_READ, Action.OWN_CONFIRMATION})
#: What a person does about their own data beside looking at them.
OWN_STEPS = frozenset(
    {
        Action.DISPUTE_OPENING,
        Action.DISPUTE_MESSAGE,
        Action.DISPUTE_WITHDRAWAL,
        Action.DISPUTE_FILE,
        Action.DISPUTE_FILING,
        Action.DISPUTE_ATTACHMENT,
        Action.DISPUTE_ATTACHMENT_REFUSAL,
        Action.DISPUTE_ATTACHMENT_DOWNLOAD,
        Action.CONSENT_GIVING,
        Action.CONSENT_REFUSAL,
        Action.CONSENT_END,
        Action.OWN_CONSENT_RECORD,
        Action.MANDATE_GIVING,
        Action.MANDATE_REVOCATION,
        Action.MANDATE_RENUNCIATION,
    }
)
#: Looks at a person's data by somebody who acts for them.
MANDATE_LOOKS = frozenset({Action.MANDATE_READ, Action.MANDATE_TRAIL_LOOK})
#: What the other side of a mandate did that concerns a person.
MANDATE_STEPS = frozenset({Action.MANDATE_ASSIGNMENT, Action.MANDATE_END})
#: What a person is told of without having asked.
NOTICES = frozenset({Action.FINDING_NOTICE})
#: Comparisons that the portal makes by itself. Nobody sees what is compared.
PORTAL_CHECKS = frozenset({Action.CONFLICT_CHECK, Action.RELATION_CHECK, Action.MANDATE_CHECK})
#: What an account does with its session.
SESSION_EVENTS = frozenset({Action.SIGN_IN, Action.SIGN_OUT, Action.STEP_UP, Action.SESSION_END})
#: The bundle of a person's own data, from the request to its end.
BUNDLE_STEPS = frozenset(
    {Action.BUNDLE_REQUEST, Action.BUNDLE_COMPLETION, Action.BUNDLE_DOWNLOAD, Action.BUNDLE_DELETION}
)
#: What a person arranges for themselves in the portal. It discloses nothing to anybody else.
OWN_DEEDS = frozenset({Action.ALERT_CHOICE, Action.MAIL_ADDRESS}) | BUNDLE_STEPS


class Outcome(StrEnum):
    """How it ended. `RELEASED` is written before the registry is asked; a `FAILED` entry follows if it gave nothing."""

    RELEASED = "released"
    DENIED = "denied"
    FAILED = "failed"
    DONE = "done"


class Reason(StrEnum):
    """Why something was denied or failed: short, permanent, free of personal data."""

    ROLE = "role-not-permitted"
    ORGANISATION = "organisation-not-permitted"
    REGISTRY = "registry-not-permitted"
    OWN_RECORD = "own-record"
    JUSTIFICATION = "justification-refused"
    JUSTIFICATION_REPEATED = "justification-repeated"
    CASE_MISSING = "case-missing"
    CASE_CLOSED = "case-closed"
    CASE_DOES_NOT_FIT = "case-does-not-fit"
    FIELD = "field-not-permitted"
    CLOSE_PERSON = "close-person"
    SECOND_PERSON = "second-person-needed"
    RESTRICTED = "restricted"
    POLICY_ERROR = "policy-error"
    SEAL_NOT_VALID = "seal-not-valid"
    EMERGENCY_OVER = "emergency-over"
    #: Somebody wanted to judge what they did themselves.
    OWN_ACCESS = "own-access"
    APPROVAL_NOT_VALID = "approval-not-valid"
    REGISTRY_UNAVAILABLE = "registry-unavailable"
    #: Why a sign-in was refused although the provider vouched for the person.
    ASSURANCE_MISSING = "assurance-missing"
    ASSURANCE_TOO_LOW = "assurance-too-low"
    ACCOUNT_CLOSED = "account-closed"
    #: Why a step-up was refused: another person proved who they are, or the proof was too weak or too old.
    ANOTHER_PERSON = "another-person"
    PROOF_TOO_OLD = "proof-too-old"
    #: Why a registry's own system was given no access token, although it proved which one it is.
    CERTIFICATE_UNKNOWN = "certificate-unknown"
    SCOPE_NOT_GRANTED = "scope-not-granted"
    #: Why a session ended that nobody signed out of.
    ENDED_ELSEWHERE = "ended-elsewhere"
    ENDED_BY_PROVIDER = "ended-by-provider"
    ENDED_BY_ADMINISTRATOR = "ended-by-administrator"
    CREDENTIALS_CHANGED = "credentials-changed"
    DEVICE_CHANGED = "device-changed"
    RIGHTS_CHANGED = "rights-changed"
    RECOVERY = "recovery"
    #: Why a sign-in of staff was refused.
    PASSKEY_UNKNOWN = "passkey-unknown"
    PASSKEY_REFUSED = "passkey-refused"
    PASSKEY_COUNTER = "passkey-counter"
    PASSWORD_WRONG = "password-wrong"  # noqa: S105 - a reason, not a password
    LOCKED_OUT = "locked-out"
    #: The employer's provider gives somebody no role here any more, or more than one.
    NO_ROLE = "no-role"
    #: Why a request of one administrator came to nothing.
    WITHDRAWN = "withdrawn"
    STOPPED_BY_PERSON = "stopped-by-person"
    #: Why a recipient got nothing: the consent was not given yet, was refused, used up, or is over.
    CONSENT_NOT_IN_FORCE = "consent-not-in-force"
    #: The recipient wanted more than the consent covers.
    BEYOND_CONSENT = "beyond-consent"
    #: A file was not taken; the entry's details say why.
    FILE_REFUSED = "file-refused"
    #: Why a representative got nothing: the mandate was over or taken back, or reaches other registries.
    MANDATE_NOT_IN_FORCE = "mandate-not-in-force"
    BEYOND_MANDATE = "beyond-mandate"
    #: Somebody wanted to give themselves a mandate.
    OWN_MANDATE = "own-mandate"
    #: Nothing of what a parent asked for may be shown to them: the child is too old for it, or specially protected.
    CLOSED_TO_PARENT = "closed-to-parent"
    #: Why an announced decision could not be made final: too early, on contested data, or on what was found wrong.
    NOTICE_NOT_OVER = "notice-not-over"
    CONTESTED_DATA = "contested-data"
    FOUND_WRONG = "found-wrong"


#: The source under which the portal itself reports (registries report under their own codes).
PORTAL_SOURCE = "portal"
