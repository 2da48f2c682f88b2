"""One entry of the trail as a sentence to the person it is about.

Each sentence is one whole text for the translator: languages order and inflect its parts differently.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from portal.domain.actions import BUNDLE_STEPS, OWN_STEPS, SESSION_EVENTS, Action, Outcome, Reason
from portal.domain.purposes import OfficialShown
from portal.services.trail import TrailLine
from portal.services.understanding.kinds import Kind
from portal.web.bundle_wording import bundle_sentence
from portal.web.consent_wording import CONSENT_SENTENCES, consent_sentence
from portal.web.decision_wording import DECISION_ACTIONS, decision_sentence
from portal.web.formatting import grouped
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local, ngettext
from portal.web.mandate_wording import OWN_MANDATE_STEPS, mandate_sentence, own_mandate_sentence

_OF_AUDITORS = frozenset(
    {
        Action.TRAIL_SEARCH,
        Action.TRAIL_EXPORT,
        Action.IDENTITY_REVEAL,
        Action.NEWS_PEG,
        Action.NEWS_PEG_WITHDRAWAL,
    }
)
_OWN_FILE_STEPS: Mapping[str, str] = {
    Action.DISPUTE_ATTACHMENT: _l("You attached a file in a dispute."),
    Action.DISPUTE_ATTACHMENT_REFUSAL: _l("A file that you wanted to attach in a dispute was not taken."),
    Action.DISPUTE_ATTACHMENT_DOWNLOAD: _l("You fetched a file of a dispute."),
    Action.DISPUTE_FILING: _l("You had the file of a dispute sent to the supervisory authority."),
}
_OFFICE_SENTENCES: Mapping[str, str] = {
    Action.DISPUTE_OFFICE_ATTACHMENT: _l("%(organisation)s attached a file in a dispute of yours."),
    Action.DISPUTE_OFFICE_ATTACHMENT_REFUSAL: _l(
        "A file that %(organisation)s wanted to attach in a dispute of yours was not taken."
    ),
    Action.DISPUTE_OFFICE_ATTACHMENT_DOWNLOAD: _l("%(organisation)s opened a file of a dispute of yours."),
    Action.DISPUTE_REDACTION: _l("%(organisation)s withheld a passage or a file in a dispute of yours."),
    Action.DISPUTE_FILING_DOWNLOAD: _l("%(organisation)s fetched the file of a dispute of yours."),
    Action.DISPUTE_ERASURE: _l(
        "What was written and attached in a dispute of yours with %(organisation)s was erased: its time was over."
    ),
    Action.CORRECTION_REMINDER: _l("%(organisation)s was reminded of a correction of your data."),
    Action.CORRECTION_FETCH: _l("A system of %(organisation)s fetched a correction of your data."),
}
_DISPUTE_STEPS = frozenset(
    {
        Action.DISPUTE_LOOK,
        Action.DISPUTE_ANSWER,
        Action.DISPUTE_EXTENSION,
        Action.DISPUTE_PAUSE,
        Action.DISPUTE_RESUMPTION,
        Action.DISPUTE_DECISION,
        Action.CORRECTION_NOTICE,
        Action.CORRECTION_ACKNOWLEDGEMENT,
        *_OFFICE_SENTENCES,
    }
)


def init_sentences(app: Flask) -> None:
    app.add_template_filter(sentence, "sentence")


def sentence(line: TrailLine) -> str:
    if line.kind is Kind.OWN:
        return _own(line)
    step = _step(line)
    if step is not None:
        return step
    if line.outcome == Outcome.DENIED:
        return _denied(line)
    if line.action in CONSENT_SENTENCES and line.outcome != Outcome.FAILED:
        return consent_sentence(line)
    if line.outcome == Outcome.FAILED:
        return _failed(line)
    if line.kind is Kind.CHECK:
        return _check(line)
    if line.kind is Kind.AUTOMATIC:
        return _automatic(line)
    if line.action == Action.READ:
        return _looked(line)
    return _oversight(line)


def _step(line: TrailLine) -> str | None:
    """A step that has words of its own whatever came of it; None for a look."""
    if line.action in _DISPUTE_STEPS:
        return _in_dispute(line)
    if line.kind is Kind.MANDATE or line.action == Action.MANDATE_CHECK:
        return mandate_sentence(line)
    return decision_sentence(line) if line.action in DECISION_ACTIONS else None


def _own(line: TrailLine) -> str:
    registry = _registry(line)
    if line.action in SESSION_EVENTS:
        return _session(line)
    if line.action in CONSENT_SENTENCES:
        return consent_sentence(line)
    if line.action in OWN_MANDATE_STEPS:
        return own_mandate_sentence(line)
    if line.action in OWN_STEPS:
        return _own_step(line)
    if line.action in BUNDLE_STEPS:
        return bundle_sentence(line)
    if line.action == Action.ALERT_CHOICE:
        return _("You chose what you are told of, and how.")
    if line.action == Action.MAIL_ADDRESS:
        return _("The e-mail address at which you are told was given, confirmed, removed or stopped.")
    if line.action == Action.OWN_CONFIRMATION:
        return _("You asked whether the %(registry)s holds anything on you.", registry=registry)
    if line.outcome == Outcome.FAILED:
        return _("You asked for your data, but the %(registry)s gave no answer.", registry=registry)
    return _("You looked at your own data in the %(registry)s.", registry=registry)


def _own_step(line: TrailLine) -> str:
    organisation = _organisation(line)
    if line.action == Action.DISPUTE_OPENING:
        return _("You opened a dispute with %(organisation)s.", organisation=organisation)
    if line.action == Action.DISPUTE_WITHDRAWAL:
        return _("You withdrew a dispute with %(organisation)s.", organisation=organisation)
    if line.action == Action.DISPUTE_FILE:
        return _("You took the file of a dispute.")
    if line.action in _OWN_FILE_STEPS:
        return str(_OWN_FILE_STEPS[line.action])
    return _("You wrote to %(organisation)s in a dispute.", organisation=organisation)


def _in_dispute(line: TrailLine) -> str:
    organisation = _organisation(line)
    if line.action == Action.CORRECTION_NOTICE:
        return _(
            "%(organisation)s was told that a value which it had received on you is not right.",
            organisation=organisation,
        )
    if line.action == Action.CORRECTION_ACKNOWLEDGEMENT:
        return _("%(organisation)s took a correction of your data into account.", organisation=organisation)
    if line.action in _OFFICE_SENTENCES:
        return str(_OFFICE_SENTENCES[line.action]) % {"organisation": organisation}
    return _("%(organisation)s dealt with a dispute of yours.", organisation=organisation)


def _session(line: TrailLine) -> str:
    if line.action == Action.SIGN_OUT:
        return _("You signed out.")
    if line.action == Action.SIGN_IN:
        if line.outcome == Outcome.DENIED:
            return _("Somebody who proved to be you was not let in.")
        return _("You signed in.")
    if line.action == Action.STEP_UP:
        if line.outcome == Outcome.DENIED:
            return _("Somebody who used your session did not prove to be you.")
        return _("You proved again who you are.")
    if line.reason == Reason.ENDED_BY_PROVIDER:
        return _("The sign-in service ended a session of yours.")
    if line.reason == Reason.DEVICE_CHANGED:
        return _("A session of yours was ended: it was used from another kind of device than it began on.")
    return _("You ended a session of yours from another device.")


def _denied(line: TrailLine) -> str:
    return _(
        "%(organisation)s asked for your data in the %(registry)s and was refused. Nothing was shown.",
        organisation=_organisation(line),
        registry=_registry(line),
    )


def _failed(line: TrailLine) -> str:
    return _(
        "%(organisation)s asked for your data, but the %(registry)s gave no answer. Nothing was shown.",
        organisation=_organisation(line),
        registry=_registry(line),
    )


def _automatic(line: TrailLine) -> str:
    number = len(line.fields)
    return ngettext(
        "A system at %(organisation)s used %(number)s field of your data in the %(registry)s. No person looked.",
        "A system at %(organisation)s used %(number)s fields of your data in the %(registry)s. No person looked.",
        number,
        number=grouped(number),
        organisation=_organisation(line),
        registry=_registry(line),
    )


def _check(line: TrailLine) -> str:
    return _(
        "Before an official at %(organisation)s could open a record, the portal compared your data in the %(registry)s "
        "with theirs, to keep officials from people close to them. No person looked.",
        organisation=_organisation(line),
        registry=_registry(line),
    )


def _looked(line: TrailLine) -> str:
    number = len(line.fields)
    words = {"number": grouped(number), "organisation": _organisation(line), "registry": _registry(line)}
    if line.official is None:
        return ngettext(
            "An official at %(organisation)s looked at %(number)s field of your data in the %(registry)s.",
            "An official at %(organisation)s looked at %(number)s fields of your data in the %(registry)s.",
            number,
            **words,
        )
    if line.purpose is not None and line.purpose.official_shown is OfficialShown.PSEUDONYM:
        return ngettext(
            "Official %(official)s at %(organisation)s looked at %(number)s field of your data in the %(registry)s.",
            "Official %(official)s at %(organisation)s looked at %(number)s fields of your data in the %(registry)s.",
            number,
            official=line.official,
            **words,
        )
    return ngettext(
        "%(official)s at %(organisation)s looked at %(number)s field of your data in the %(registry)s.",
        "%(official)s at %(organisation)s looked at %(number)s fields of your data in the %(registry)s.",
        number,
        official=line.official,
        **words,
    )


def _oversight(line: TrailLine) -> str:
    organisation = _organisation(line)
    if line.action in _OF_AUDITORS:
        return _of_auditor(line, organisation)
    if line.action == Action.APPROVAL_REQUEST:
        return _("An official at %(organisation)s asked a second person to approve a look.", organisation=organisation)
    if line.action == Action.APPROVAL_DECISION:
        return _("A second person at %(organisation)s decided on a look.", organisation=organisation)
    if line.action == Action.EMERGENCY:
        return _("%(organisation)s declared an emergency that concerns you.", organisation=organisation)
    if line.action == Action.EMERGENCY_REVIEW:
        return _("A supervisor at %(organisation)s reviewed the emergency access.", organisation=organisation)
    if line.action == Action.SEAL_ORDER:
        return _("%(organisation)s began to keep its looks at your data from you.", organisation=organisation)
    if line.action == Action.SEAL_PROLONGATION:
        return _("%(organisation)s kept its looks at your data from you for longer.", organisation=organisation)
    if line.action == Action.FINDING_NOTICE:
        return _(
            "%(organisation)s found that somebody looked at your data without a good reason, and tells you so.",
            organisation=organisation,
        )
    return _(
        "%(organisation)s did something that concerns you: %(action)s.", organisation=organisation, action=line.action
    )


def _of_auditor(line: TrailLine, organisation: str) -> str:
    if line.action == Action.TRAIL_SEARCH:
        return _(
            "An auditor at %(organisation)s looked through the log for entries about you.", organisation=organisation
        )
    if line.action == Action.TRAIL_EXPORT:
        return _("An auditor at %(organisation)s exported entries about you from the log.", organisation=organisation)
    if line.action == Action.NEWS_PEG:
        return _(
            "An auditor at %(organisation)s noted that you were in the news,"
            " to find looks at your data out of curiosity.",
            organisation=organisation,
        )
    if line.action == Action.NEWS_PEG_WITHDRAWAL:
        return _(
            "An auditor at %(organisation)s took back a note that you were in the news.", organisation=organisation
        )
    return _("An auditor at %(organisation)s had it shown that entries are about you.", organisation=organisation)


def _organisation(line: TrailLine) -> str:
    """Who looked; behind a contractor, also the body that it works for."""
    if line.organisation is None:
        return _("an unknown organisation")
    name = local(line.organisation.name)
    if line.on_behalf_of is None:
        return name
    return _("%(contractor)s (for %(principal)s)", contractor=name, principal=local(line.on_behalf_of.name))


def _registry(line: TrailLine) -> str:
    return local(line.registry.name) if line.registry else _("unknown registry")
