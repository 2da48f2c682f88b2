"""The terms of being told, in words."""

from __future__ import annotations

from flask import Flask

from portal.domain.mail import AddressState, MailKind, MailState
from portal.services.alerts import AlertKind
from portal.services.mail.choices import Topic
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import local

TOPICS = {
    AlertKind.FINDING_ON_YOU: _l("Misuse of your data was confirmed"),
    AlertKind.NEW_DEVICE: _l("A sign-in on a new kind of device"),
    AlertKind.EMERGENCY_ON_YOU: _l("Your record was opened in an emergency"),
    AlertKind.DISPUTE_STEP: _l("A step in a dispute of yours"),
    AlertKind.CONSENT_ASKED: _l("Somebody asks for your consent to receive data"),
    AlertKind.MANDATE_GIVEN: _l("A mandate in your name, or to you, was given"),
    AlertKind.MANDATE_ENDED: _l("A mandate between you and somebody was ended"),
    AlertKind.SEAL_ENDED: _l("Looks are shown that were kept from you for an investigation"),
}
ADDRESS_STATES = {
    AddressState.NONE: _l("No address is given."),
    AddressState.UNCONFIRMED: _l("Open the link that we sent to this address. Until then it is not used."),
    AddressState.CONFIRMED: _l("Confirmed: we write to this address."),
    AddressState.STOPPED: _l("Stopped with the link in one of our e-mails. Nothing is sent to it."),
    AddressState.SUSPENDED: _l("E-mails to this address came back several times. Nothing more is sent to it."),
}
MAIL_KINDS = {
    MailKind.SOMETHING_NEW: _l("Something new is waiting"),
    MailKind.CONFIRMATION: _l("Link to confirm the address"),
}
MAIL_STATES = {
    MailState.WAITING: _l("Waits to be sent"),
    MailState.SENDING: _l("Is being sent"),
    MailState.SENT: _l("Sent"),
    MailState.FAILED: _l("Not sent"),
    MailState.BOUNCED: _l("Came back"),
}


def init_told_wording(app: Flask) -> None:
    app.add_template_filter(_topic, "topic_in_words")
    app.add_template_filter(lambda state: str(ADDRESS_STATES[state]), "address_state_in_words")
    app.add_template_filter(lambda kind: str(MAIL_KINDS[kind]), "mail_kind_in_words")
    app.add_template_filter(lambda state: str(MAIL_STATES[state]), "mail_state_in_words")


def _topic(topic: Topic) -> str:
    return local(topic.purpose.name) if topic.purpose is not None else str(TOPICS[topic.kind])
