"""Consents in words: their steps in the log, their states, and each entry as a sentence to the person."""

from __future__ import annotations

from flask import Flask

from portal.domain.actions import Action, Reason
from portal.domain.consents import ConsentState
from portal.services.trail import TrailLine
from portal.web.formatting import grouped
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local, ngettext

CONSENT_ACTIONS = {
    Action.CONSENT_REQUEST: _l("Consent asked for"),
    Action.CONSENT_GIVING: _l("Consent given"),
    Action.CONSENT_REFUSAL: _l("Consent refused"),
    Action.CONSENT_END: _l("Consent ended"),
    Action.CONSENT_USE: _l("Data received by consent"),
    Action.CONSENT_RECORD: _l("Record of a consent fetched by the recipient"),
    Action.OWN_CONSENT_RECORD: _l("Record of a consent fetched by the person"),
}
CONSENT_REASONS = {
    Reason.CONSENT_NOT_IN_FORCE: _l("no consent of yours held at that moment"),
    Reason.BEYOND_CONSENT: _l("it was more than your consent covers"),
}
STATES = {
    ConsentState.WAITING: _l("Waits for you"),
    ConsentState.GIVEN: _l("Given"),
    ConsentState.REFUSED: _l("Refused"),
    ConsentState.ENDED: _l("Ended by you"),
    ConsentState.EXPIRED: _l("Not answered in time"),
    ConsentState.USED: _l("Used once, as agreed"),
    ConsentState.OVER: _l("Its time is over"),
}
CONSENT_SENTENCES = frozenset(CONSENT_ACTIONS)


def init_consent_wording(app: Flask) -> None:
    app.add_template_filter(lambda state: str(STATES[state]), "consent_state_in_words")


def consent_sentence(line: TrailLine) -> str:
    who = local(line.organisation.name) if line.organisation else _("an unknown organisation")
    match line.action:
        case Action.CONSENT_REQUEST:
            return _("%(organisation)s asked for your consent to receive data about you.", organisation=who)
        case Action.CONSENT_GIVING:
            return _("You gave %(organisation)s your consent to receive data about you.", organisation=who)
        case Action.CONSENT_REFUSAL:
            return _("You refused %(organisation)s consent to receive data about you.", organisation=who)
        case Action.CONSENT_END:
            return _("You ended your consent to %(organisation)s.", organisation=who)
        case Action.OWN_CONSENT_RECORD:
            return _("You downloaded the record of your consent to %(organisation)s.", organisation=who)
        case Action.CONSENT_RECORD:
            return _("%(organisation)s fetched the record of your consent.", organisation=who)
        case _:
            return _received(line, who)


def _received(line: TrailLine, who: str) -> str:
    number = len(line.fields)
    return ngettext(
        "With your consent %(organisation)s received %(number)s field of your data from the %(registry)s.",
        "With your consent %(organisation)s received %(number)s fields of your data from the %(registry)s.",
        number,
        number=grouped(number),
        organisation=who,
        registry=local(line.registry.name) if line.registry else _("unknown registry"),
    )
