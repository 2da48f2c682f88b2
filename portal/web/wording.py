"""The log's terms in words. The terms themselves are permanent and English; what a page says for them is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask

from audit.witness_client import WitnessState
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.actors import Role
from portal.domain.assurance import Assurance
from portal.domain.devices import Device
from portal.domain.findings import FindingState, Sanction, StepKind, Verdict, Why
from portal.services.alerts import AlertKind
from portal.services.approvals import ApprovalState
from portal.services.bulk import RowOutcome
from portal.services.justification import MINIMUM_LENGTH, Weakness
from portal.services.sessions import Method
from portal.services.understanding.kinds import Kind
from portal.services.verification import RunState
from portal.web.bundle_wording import BUNDLE_ACTIONS
from portal.web.consent_wording import CONSENT_ACTIONS, CONSENT_REASONS
from portal.web.decision_wording import DECISION_ACTIONS, DECISION_REASONS
from portal.web.house import house
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local
from portal.web.mandate_wording import MANDATE_ACTIONS, MANDATE_REASONS

ROLES = {
    Role.CITIZEN: _l("Citizens"),
    Role.CASEWORKER: _l("Caseworkers"),
    Role.AUDITOR: _l("Auditors"),
    Role.SUPERVISOR: _l("Supervisors"),
    Role.ADMINISTRATOR: _l("Administrators"),
}
ROLE_OF_ONE = {
    Role.CITIZEN: _l("Citizen"),
    Role.CASEWORKER: _l("Caseworker"),
    Role.AUDITOR: _l("Auditor"),
    Role.SUPERVISOR: _l("Supervisor"),
    Role.ADMINISTRATOR: _l("Administrator"),
}
KINDS = {
    Kind.HUMAN: _l("A person"),
    Kind.AUTOMATIC: _l("A system"),
    Kind.OWN: _l("You yourself"),
    Kind.CHECK: _l("A check"),
    Kind.MANDATE: _l("Representation"),
}
ACTIONS = {
    Action.READ: _l("Record opened"),
    Action.UNUSUAL_SEARCH: _l("Looks ranked by how unusual they are"),
    Action.NEWS_PEG: _l("Noted that a person was in the news"),
    Action.NEWS_PEG_WITHDRAWAL: _l("Note about the news taken back"),
    Action.RELATION_CHECK: _l("Checked what ties an official to the person"),
    Action.CONFLICT_CHECK: _l("Checked whether close to the official"),
    Action.AUTOMATED_READ: _l("Record used by a system"),
    Action.OWN_READ: _l("Own record opened"),
    Action.OWN_CONFIRMATION: _l("Asked whether data is held"),
    Action.TRAIL_SEARCH: _l("Trail searched"),
    Action.TRAIL_EXPORT: _l("Trail exported"),
    Action.EXPORT_DOWNLOAD: _l("Export fetched"),
    Action.SEARCH_SAVING: _l("Search saved"),
    Action.SEARCH_RENAMING: _l("Saved search renamed"),
    Action.SEARCH_DELETION: _l("Saved search deleted"),
    Action.SEARCH_SHARING: _l("Saved search shared"),
    Action.SEARCH_WITHDRAWAL: _l("Saved search no longer shared"),
    Action.IDENTITY_REVEAL: _l("Auditor saw who people are"),
    Action.AUDITOR_REVIEW: _l("Auditor’s act reviewed by another"),
    Action.DISPUTE_OPENING: _l("Dispute opened"),
    Action.DISPUTE_MESSAGE: _l("Message in a dispute"),
    Action.DISPUTE_WITHDRAWAL: _l("Dispute withdrawn"),
    Action.DISPUTE_FILE: _l("File of a dispute made"),
    Action.DISPUTE_LOOK: _l("Contested entry opened"),
    Action.DISPUTE_ANSWER: _l("Answer in a dispute"),
    Action.DISPUTE_EXTENSION: _l("Time for a dispute extended"),
    Action.DISPUTE_PAUSE: _l("Clock of a dispute stopped"),
    Action.DISPUTE_RESUMPTION: _l("Clock of a dispute goes on"),
    Action.DISPUTE_DECISION: _l("Dispute decided"),
    Action.DISPUTE_ATTACHMENT: _l("File attached in a dispute by the person"),
    Action.DISPUTE_ATTACHMENT_REFUSAL: _l("File of the person not taken in a dispute"),
    Action.DISPUTE_ATTACHMENT_DOWNLOAD: _l("File of a dispute fetched by the person"),
    Action.DISPUTE_OFFICE_ATTACHMENT: _l("File attached in a dispute by the officer"),
    Action.DISPUTE_OFFICE_ATTACHMENT_REFUSAL: _l("File of the officer not taken in a dispute"),
    Action.DISPUTE_OFFICE_ATTACHMENT_DOWNLOAD: _l("File of a dispute fetched by the officer"),
    Action.DISPUTE_REDACTION: _l("Passage or file withheld in a dispute"),
    Action.DISPUTE_FILING: _l("File of a dispute sent to the authority"),
    Action.DISPUTE_FILING_DOWNLOAD: _l("File of a dispute fetched by the authority"),
    Action.DISPUTE_ERASURE: _l("Texts and files of a dispute erased"),
    Action.CORRECTION_REMINDER: _l("Recipient reminded of a correction"),
    Action.CORRECTION_FETCH: _l("Corrections fetched by a recipient’s system"),
    Action.CORRECTION_NOTICE: _l("Recipient told of a correction"),
    Action.CORRECTION_ACKNOWLEDGEMENT: _l("Correction taken into account"),
    Action.LOG_VERIFICATION: _l("Log verified"),
    Action.FINDING_OPENING: _l("Finding opened"),
    Action.FINDING_ASSIGNMENT: _l("Finding taken over"),
    Action.FINDING_EVIDENCE: _l("Evidence added to a finding"),
    Action.FINDING_QUESTION: _l("Official asked for a statement"),
    Action.FINDING_STATEMENT: _l("Official gave a statement"),
    Action.FINDING_DECISION: _l("Finding decided"),
    Action.FINDING_NOTICE: _l("People told of misuse"),
    Action.FINDING_CLOSING: _l("Finding closed"),
    Action.SIGN_IN: _l("Signed in"),
    Action.SIGN_OUT: _l("Signed out"),
    Action.CLIENT_SIGN_IN: _l("A registry’s own system signed in"),
    Action.STEP_UP: _l("Proved again who they are"),
    Action.SESSION_END: _l("Session ended from elsewhere"),
    Action.CASE_CHANGE: _l("Case taken over or changed"),
    Action.SUPERVISION_LOOK: _l("Accesses looked at by a supervisor"),
    Action.REVIEW_CONFIRMATION: _l("Access confirmed by a supervisor"),
    Action.REVIEW_ESCALATION: _l("Access handed to the auditor"),
    Action.ESCALATION_VERDICT: _l("Handed-over access settled by an auditor"),
    Action.ABSENCE_CHANGE: _l("Absence noted or taken back"),
    Action.SEAL_ORDER: _l("Seal registered"),
    Action.SEAL_PROLONGATION: _l("Seal prolonged"),
    Action.SEAL_REVEAL: _l("Shown to the person after a seal"),
    Action.APPROVAL_REQUEST: _l("Second person asked"),
    Action.APPROVAL_DECISION: _l("Second person decided"),
    Action.EMERGENCY: _l("Emergency declared"),
    Action.EMERGENCY_REVIEW: _l("Emergency reviewed"),
    Action.BULK_REQUEST: _l("List of people asked for"),
    Action.BULK_RESULTS: _l("Results of a list fetched"),
    Action.ALERT_CHOICE: _l("Chose how to be told"),
    Action.MAIL_ADDRESS: _l("E-mail address changed"),
    Action.ALERT: _l("Notice given"),
    Action.SIGN_IN_LOCKOUT: _l("Locked after wrong passwords"),
    Action.STAFF_INVITATION: _l("Staff invited"),
    Action.STAFF_ENROLMENT: _l("Password and passkey set"),
    Action.PASSKEY_ADDITION: _l("Passkey added"),
    Action.PASSKEY_REMOVAL: _l("Passkey removed"),
    Action.PASSWORD_CHANGE: _l("Password changed"),
    Action.RIGHTS_REQUEST: _l("Asked for a change of rights"),
    Action.RIGHTS_APPROVAL: _l("Approved a change of rights"),
    Action.RIGHTS_REFUSAL: _l("Refused a change of rights"),
    Action.RIGHTS_CHANGE: _l("Role or organisation changed"),
    Action.ACCOUNT_CLOSURE: _l("Account closed"),
    Action.ACCOUNT_REOPENING: _l("Account reopened"),
    Action.RECOVERY_REQUEST: _l("Asked for a recovery of credentials"),
    Action.RECOVERY_APPROVAL: _l("Approved a recovery of credentials"),
    Action.SIGN_OUT_BY_ADMINISTRATOR: _l("Signed somebody out everywhere"),
    Action.RECOVERY_REFUSAL: _l("Stopped a recovery of credentials"),
    Action.RECOVERY_NOTICE: _l("Told the person of a recovery"),
    **CONSENT_ACTIONS,
    **MANDATE_ACTIONS,
    **DECISION_ACTIONS,
    **BUNDLE_ACTIONS,
}
OUTCOMES = {
    Outcome.RELEASED: _l("Shown"),
    Outcome.DENIED: _l("Refused"),
    Outcome.FAILED: _l("No answer"),
    Outcome.DONE: _l("Done"),
}
#: To the person whose data it was, and to the auditor.
REASONS = {
    Reason.FILE_REFUSED: _l("the file is of no kind that is taken, or was not safe"),
    Reason.ROLE: _l("the role may not use this purpose"),
    Reason.ORGANISATION: _l("the organisation may not use this purpose"),
    Reason.REGISTRY: _l("the purpose does not reach this registry"),
    Reason.OWN_RECORD: _l("officials may not open their own record at work"),
    Reason.JUSTIFICATION: _l("the reason given was not good enough"),
    Reason.JUSTIFICATION_REPEATED: _l("the reason given was copied from a look at somebody else"),
    Reason.CASE_MISSING: _l("no case reference was given"),
    Reason.CASE_CLOSED: _l("the case was closed"),
    Reason.CASE_DOES_NOT_FIT: _l("the case is about other people or another purpose"),
    Reason.FIELD: _l("the purpose does not list this field"),
    Reason.CLOSE_PERSON: _l("the person is close to the official"),
    Reason.SECOND_PERSON: _l("a second person has to approve first"),
    Reason.RESTRICTED: _l("the use of these data is restricted"),
    Reason.POLICY_ERROR: _l("the rules of access gave no answer"),
    Reason.SEAL_NOT_VALID: _l("the seal was no longer valid"),
    Reason.EMERGENCY_OVER: _l("the time of the emergency access was over"),
    Reason.OWN_ACCESS: _l("nobody judges what they did themselves"),
    Reason.APPROVAL_NOT_VALID: _l("there was no valid approval by a second person"),
    Reason.REGISTRY_UNAVAILABLE: _l("the registry gave no answer"),
    Reason.ASSURANCE_MISSING: _l("the sign-in service did not say how sure it is of the person"),
    Reason.ASSURANCE_TOO_LOW: _l("the way of signing in was not secure enough"),
    Reason.ACCOUNT_CLOSED: _l("the account is closed"),
    Reason.ANOTHER_PERSON: _l("another person proved who they are"),
    Reason.PROOF_TOO_OLD: _l("the proof was not a fresh one"),
    Reason.CERTIFICATE_UNKNOWN: _l("the system came without a certificate that is registered for it"),
    Reason.SCOPE_NOT_GRANTED: _l("the system asked for more than is registered for it"),
    Reason.ENDED_ELSEWHERE: _l("ended from another session of the same account"),
    Reason.ENDED_BY_PROVIDER: _l("ended by the sign-in service"),
    Reason.ENDED_BY_ADMINISTRATOR: _l("ended by an administrator"),
    Reason.CREDENTIALS_CHANGED: _l("a passkey or the password of the account changed"),
    Reason.DEVICE_CHANGED: _l("used from another kind of device than it began on"),
    Reason.RIGHTS_CHANGED: _l("the rights of the account changed"),
    Reason.RECOVERY: _l("the credentials of the account are set anew"),
    Reason.PASSKEY_UNKNOWN: _l("the passkey is nobody’s here"),
    Reason.PASSKEY_REFUSED: _l("the passkey’s answer did not hold"),
    Reason.PASSKEY_COUNTER: _l("the passkey’s counter ran backwards: there may be a copy of it"),
    Reason.PASSWORD_WRONG: _l("the password was wrong"),
    Reason.NO_ROLE: _l("the employer’s sign-in service gave no role here, or more than one"),
    Reason.LOCKED_OUT: _l("the account was locked after wrong passwords"),
    Reason.WITHDRAWN: _l("withdrawn by an administrator"),
    Reason.STOPPED_BY_PERSON: _l("stopped by the person themselves"),
    **CONSENT_REASONS,
    **MANDATE_REASONS,
    **DECISION_REASONS,
}
#: To the caseworker who was refused.
REFUSALS = {
    Reason.ROLE: _l("Your role may not use this purpose."),
    Reason.ORGANISATION: _l("Your organisation may not use this purpose."),
    Reason.REGISTRY: _l("This purpose does not open one of the registries you chose."),
    Reason.OWN_RECORD: _l("You cannot open your own record at work. Sign in as a citizen to see it."),
    Reason.CASE_MISSING: _l("Enter the reference of the case. This purpose needs one."),
    Reason.CASE_CLOSED: _l("This case is closed. What it permitted ended with it."),
    Reason.CASE_DOES_NOT_FIT: _l("This case is about other people, or for another purpose."),
    Reason.FIELD: _l("This purpose does not open these fields."),
    Reason.CLOSE_PERSON: _l(
        "This person is close to you: a relative, or somebody you live with. A colleague has to do this."
    ),
    Reason.SECOND_PERSON: _l(
        "A second person has to approve before this opens. Under “Outside a case”,"
        " choose “Ask a second person to approve”."
    ),
    Reason.OWN_ACCESS: _l("This is what you did yourself. Somebody else has to judge it."),
    Reason.RESTRICTED: _l("The person had the use of these data restricted. This purpose may not use them."),
    Reason.POLICY_ERROR: _l(
        "The rules of access gave no answer, so nothing opens. Try again; if it stays so, tell the service’s operator."
    ),
    Reason.SEAL_NOT_VALID: _l("The seal has ended or ends within minutes."),
    Reason.EMERGENCY_OVER: _l("The time of this emergency access is over."),
    Reason.APPROVAL_NOT_VALID: _l("There is no approval that can be used: it was refused, used, or has expired."),
}
WEAKNESSES = {
    Weakness.EMPTY: _l("Say why you need to see this record."),
    Weakness.TOO_SHORT: _l("The reason is too short. Write at least %(least)s characters.", least=MINIMUM_LENGTH),
    Weakness.TOO_LONG: _l("The reason is too long."),
    Weakness.NO_SENTENCE: _l("Write a sentence: what you are deciding and what you need to find out."),
    Weakness.THOUGHTLESS: _l("This does not say why. Name what you are deciding and what you need to find out."),
    Weakness.NAMES_A_PERSONAL_CODE: _l("Leave personal codes out of the reason. The log already knows whom you open."),
    Weakness.REPEATED: _l("You gave this very reason for somebody else. Say what is needed in this case."),
}
#: The small extras that the portal's own entries carry.
VERDICTS = {
    Verdict.CONFIRMED: _l("Yes: there was no good reason to look"),
    Verdict.DISMISSED: _l("No: there was a good reason"),
}
SANCTIONS = {
    Sanction.NONE: _l("Nothing"),
    Sanction.GUIDANCE: _l("Guidance"),
    Sanction.WARNING: _l("A written warning"),
    Sanction.RIGHTS_WITHDRAWN: _l("Access rights are withdrawn"),
    Sanction.DISMISSAL: _l("The employment ends"),
    Sanction.REPORTED_TO_POLICE: _l("A report to the police"),
}
FINDING_STATES = {
    FindingState.OPEN: _l("Open"),
    FindingState.DECIDED: _l("Decided"),
    FindingState.CLOSED: _l("Closed"),
}
STEPS = {
    StepKind.OPENED: _l("opened the finding"),
    StepKind.ASSIGNED: _l("took the finding over"),
    StepKind.EVIDENCE: _l("added an entry to the evidence"),
    StepKind.QUESTION: _l("asked the official"),
    StepKind.STATEMENT: _l("gave a statement"),
    StepKind.DECISION: _l("decided"),
    StepKind.NOTICE: _l("told the people whose data it was"),
    StepKind.CLOSED: _l("closed the finding"),
}
WHY_NOT = {
    Why.ALREADY_DECIDED: _l("The finding is decided already."),
    Why.NOT_DECIDED: _l("The finding has to be decided first."),
    Why.NOT_CONFIRMED: _l("This goes with confirmed misuse only."),
    Why.PEOPLE_NOT_TOLD: _l("The people whose data it was have to be told first."),
    Why.NOBODY_TO_ASK: _l("The official has no account any more, so nobody can be asked here."),
    Why.QUESTION_OPEN: _l("The official was asked and has not answered yet."),
    Why.ANOTHER_OFFICIAL: _l("This entry is about the look of another official."),
    Why.OWN_CASE: _l("Nobody handles a finding about themselves. Another auditor has to do it."),
    Why.ALREADY_CLOSED: _l("The finding is closed."),
}
DETAILS = {
    "account": _l("Account"),
    "role": _l("Role"),
    "role-before": _l("Role before"),
    "organisation": _l("Organisation"),
    "organisation-before": _l("Organisation before"),
    "request": _l("Request"),
    "passkey": _l("Passkey"),
    "finding": _l("Finding"),
    "verdict": _l("Verdict"),
    "sanction": _l("Sanction"),
    "told": _l("People told"),
    "query-sha256": _l("Fingerprint of the search"),
    "refers-to": _l("Refers to entry"),
    "of": _l("What was looked at"),
    "review": _l("Review"),
    "change": _l("Change"),
    "days": _l("Days"),
    "day": _l("Day"),
    "peg": _l("Note about the news"),
    "list": _l("List"),
    "names": _l("Names in the file"),
    "officials": _l("Officials in the case"),
    "entry": _l("Entry looked at"),
    "format": _l("Format"),
    "session": _l("Session"),
    "method": _l("Way of signing in"),
    "assurance": _l("Level of assurance"),
    "authority": _l("Who ordered it"),
    "ordered-by": _l("Who signed the order"),
    "order": _l("Reference of the order"),
    "sealed-from": _l("Sealed from"),
    "sealed-until": _l("Sealed until"),
    "first-end": _l("Sealed at first until"),
    "revealed-action": _l("What was withheld"),
    "kind": _l("Kind"),
    "recipients": _l("Told to how many"),
    "people": _l("How many people"),
    "emergency": _l("Emergency"),
    "approval": _l("Approval"),
    "approver": _l("Approved by the account"),
    "fields": _l("How many fields"),
    "minutes": _l("Minutes"),
    "list-hmac": _l("Fingerprint of the list"),
    "consent": _l("Consent"),
    "mandate": _l("Mandate"),
    "registries": _l("Registries"),
    "closed-fields": _l("Fields that stayed closed"),
    "decision": _l("Decision"),
    "rule": _l("Rule"),
    "effect": _l("Day of effect"),
    "grounds": _l("How many values it rests on"),
    "contested": _l("Of these contested"),
    "terms-sha256": _l("Fingerprint of what the person was told"),
    "until": _l("Until"),
    "file-sha256": _l("Fingerprint of the file"),
}
APPROVAL_STATES = {
    ApprovalState.ASKED: _l("Waiting"),
    ApprovalState.APPROVED: _l("Approved"),
    ApprovalState.REFUSED: _l("Refused"),
    ApprovalState.USED: _l("Used"),
    ApprovalState.EXPIRED: _l("Expired"),
}
ROW_OUTCOMES = {
    RowOutcome.RELEASED: _l("Shown"),
    RowOutcome.DENIED: _l("Refused"),
    RowOutcome.FAILED: _l("A registry gave no answer"),
    RowOutcome.UNCLEAR: _l("Unclear: an earlier attempt was logged otherwise"),
}
ALERTS = {
    AlertKind.APPROVAL_ASKED: _l("An official of your organisation asks for a second person’s approval."),
    AlertKind.APPROVAL_DECIDED: _l("A second person decided on what you asked for."),
    AlertKind.EMERGENCY_OPENED: _l("An official of your organisation declared an emergency and may open a record."),
    AlertKind.EMERGENCY_OVERDUE: _l("The review of an emergency access is overdue."),
    AlertKind.EMERGENCY_ON_YOU: _l("An official declared an emergency and may have opened your record."),
    AlertKind.LOOK: _l("Somebody was shown your data for a purpose of which you want to be told."),
    AlertKind.FINDING_ON_YOU: _l("It was confirmed that your data were misused."),
    AlertKind.NEW_DEVICE: _l("Somebody signed in as you on a kind of device that you had not used here before."),
    AlertKind.MAIL_SUSPENDED: _l("E-mails to you came back several times, so nothing more is sent to your address."),
    AlertKind.BULK_VOLUME: _l("An official of your organisation asked for the records of many people at once."),
    AlertKind.DISPUTE_STEP: _l("There is news in a dispute of yours."),
    AlertKind.CORRECTION: _l("A value that you received was found wrong."),
    AlertKind.LOG_BROKEN: _l("A verification found the LOG BROKEN: something in it was changed, removed or moved."),
    AlertKind.DECISION_INTENDED: _l("A decision about you is announced. You can object before it takes effect."),
    AlertKind.DECISION_STEP: _l("There is news about a decision that concerns you."),
    AlertKind.CONSENT_ASKED: _l("Somebody asks for your consent to receive data about you. You decide."),
    AlertKind.MANDATE_GIVEN: _l("A mandate to look at somebody’s data was given: by you, or to you."),
    AlertKind.MANDATE_ENDED: _l("The other side ended a mandate between you."),
    AlertKind.SEAL_ENDED: _l("Looks that were kept from you for an investigation are in your history now."),
    AlertKind.SEAL_REGISTERED: _l("An official of your organisation registered a seal: looks are kept from a person."),
}
METHODS = {
    Method.DEMONSTRATION: _l("Chosen from the demonstration’s list"),
    Method.OPENID: _l("Through the sign-in service"),
    Method.PASSKEY: _l("With passkey and password"),
    Method.STAFF_OPENID: _l("Through the employer’s sign-in service"),
}
ASSURANCES = {
    Assurance.LOW: _l("low"),
    Assurance.SUBSTANTIAL: _l("substantial"),
    Assurance.HIGH: _l("high"),
}
#: Who the demonstration people are, for the page where one chooses among them.
PERSONAS = {
    "single-parent-wrong-match": _l("A single parent. Bought data say, wrongly, that she lives with a partner."),
    "pensioner": _l("A pensioner, married, with two cars to his name."),
    "public-figure": _l("A well-known singer. Not everybody who looks has a case."),
    "snooped-neighbour": _l("A nurse whose neighbour works at the town."),
    "land-owner": _l("A farmer who owns land."),
    "job-seeker": _l("Out of work and looking for a job."),
    "newcomer": _l("Moved to the country lately."),
    "student": _l("A student."),
    "teenager": _l("A girl at school, whose mother may look for her."),
    "contractor-agent": _l("Checks claims for a contractor of the Tax and Customs Board."),
    "benefit-officer": _l("Decides on benefits."),
    "town-clerk": _l("Works at the town and lives next door to somebody."),
    "patrol-officer": _l("Patrols the roads."),
    "insurance-clerk": _l("Checks health insurance."),
    "benefit-supervisor": _l("Supervises who decides on benefits."),
    "town-supervisor": _l("Supervises the town’s clerks, one of whom looks too often."),
    "tax-officer": _l("Protects data at the tax board: answers disputes."),
    "lead-auditor": _l("Searches the trail and verifies the log."),
    "field-auditor": _l("Searches the trail and verifies the log."),
    "lead-administrator": _l("Invites staff, moves them and closes their accounts. Sees nobody’s data."),
    "second-administrator": _l("Approves what takes two administrators."),
}
RUN_STATES = {
    RunState.WAITING: _l("Waiting"),
    RunState.RUNNING: _l("Running"),
    RunState.SOUND: _l("Sound"),
    RunState.BROKEN: _l("Broken"),
    RunState.INTERRUPTED: _l("Interrupted"),
}


WITNESS_STATES = {
    WitnessState.NEW: _l("Not asked yet"),
    WitnessState.COSIGNED: _l("Confirms the log"),
    WitnessState.REFUSED: _l("Refuses: it has seen another history"),
    WitnessState.STRANGER: _l("Does not know this log"),
    WitnessState.UNAVAILABLE: _l("Does not answer"),
}


def init_wording(app: Flask) -> None:
    app.add_template_filter(lambda term: _said(KINDS, term), "kind_in_words")
    app.add_template_filter(lambda term: _said(ACTIONS, term), "action_in_words")
    app.add_template_filter(lambda term: _said(OUTCOMES, term), "outcome_in_words")
    app.add_template_filter(lambda term: _said(REASONS, term), "reason_in_words")
    app.add_template_filter(lambda term: _said(WITNESS_STATES, term), "witness_state_in_words")
    app.add_template_filter(lambda term: _said(RUN_STATES, term), "state_in_words")
    app.add_template_filter(lambda term: _said(DETAILS, term), "detail_in_words")
    app.add_template_filter(lambda term: _said(METHODS, term), "method_in_words")
    app.add_template_filter(lambda term: _said(ASSURANCES, term), "assurance_in_words")
    app.add_template_filter(lambda kind: _said(ALERTS, kind), "alert_in_words")
    app.add_template_filter(lambda term: _said(VERDICTS, term), "verdict_in_words")
    app.add_template_filter(lambda term: _said(SANCTIONS, term), "sanction_in_words")
    app.add_template_filter(lambda term: _said(FINDING_STATES, term), "finding_state_in_words")
    app.add_template_filter(lambda term: _said(STEPS, term), "step_in_words")
    app.add_template_filter(lambda state: _said(APPROVAL_STATES, state), "approval_state_in_words")
    app.add_template_filter(lambda outcome: _said(ROW_OUTCOMES, outcome), "row_outcome_in_words")
    app.add_template_filter(_device, "device_in_words")
    app.add_template_filter(lambda persona: str(PERSONAS.get(persona, "")), "persona_in_words")
    app.add_template_filter(lambda term: _said(ROLES, term), "roles_in_words")
    app.add_template_filter(lambda term: _said(ROLE_OF_ONE, term), "role_in_words")
    app.add_template_filter(lambda code: _name(house().catalogue.organisations, code), "organisation_name")
    app.add_template_filter(lambda code: _name(house().catalogue.purposes, code), "purpose_name")
    app.add_template_filter(lambda code: _name(house().catalogue.registries, code), "registry_name")


def _said(words: Mapping[Any, Any], term: str | None) -> str:
    """The words for `term`; a term this release does not know (the log outlives releases) stays as it is."""
    return "" if term is None else str(words.get(term, term))


def _device(device: Device) -> str:
    """The device as its owner would name it; what it did not tell is left out."""
    if device.browser and device.system:
        return _("%(browser)s on %(system)s", browser=device.browser, system=device.system)
    return device.browser or device.system or _("An unknown device")


def _name(known: Mapping[str, Any], code: str | None) -> str:
    """The name that the catalogue gives to `code`; a code it no longer has stays as it is."""
    if code is None:
        return ""
    return local(known[code].name) if code in known else code
