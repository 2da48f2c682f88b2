"""The terms of staff's accounts in words."""

from __future__ import annotations

from flask import Flask

from portal.domain.staff import Notice, RequestKind, RequestState, Standing
from portal.web.house import house
from portal.web.i18n import language
from portal.web.i18n import lazy_gettext as _l

STANDINGS = {
    Standing.ACTIVE: _l("Active"),
    Standing.AWAITING_APPROVAL: _l("Waits for a second administrator"),
    Standing.INVITED: _l("Invited, not enrolled yet"),
    Standing.RECOVERING: _l("Sets its credentials anew"),
    Standing.CLOSED: _l("Closed"),
}
REQUEST_KINDS = {
    RequestKind.INVITATION: _l("Invite"),
    RequestKind.ROLE_CHANGE: _l("Change role"),
    RequestKind.REOPENING: _l("Reopen"),
    RequestKind.RECOVERY: _l("Recover credentials"),
}
REQUEST_STATES = {
    RequestState.OPEN: _l("Waits"),
    RequestState.APPROVED: _l("Approved"),
    RequestState.REFUSED: _l("Refused"),
    RequestState.WITHDRAWN: _l("Withdrawn"),
    RequestState.EXPIRED: _l("Ran out"),
}
NOTICES = {
    Notice.RECOVERY_OPENED: _l("An administrator asked for your credentials to be set anew."),
    Notice.RECOVERY_APPROVED: _l("A second administrator approved it: your passkeys and your password ended."),
    Notice.RECOVERY_STOPPED: _l("The recovery of your credentials was stopped."),
    Notice.RECOVERY_COMPLETED: _l("A new password and a new passkey were set with the codes of the recovery."),
    Notice.PASSKEY_ADDED: _l("A passkey was added."),
    Notice.PASSKEY_REMOVED: _l("A passkey was removed."),
    Notice.PASSWORD_CHANGED: _l("The password was changed."),
    Notice.LOCKED_OUT: _l("The password was wrong too often with one of your passkeys."),
    Notice.SIGNED_OUT: _l("An administrator signed you out everywhere."),
    Notice.NEW_DEVICE: _l(
        "Somebody signed in as you on a kind of device that you had not used before. If it was not you, end that"
        " session and tell an administrator."
    ),
    Notice.ROLE_CHANGED: _l("Your role or your organisation was changed."),
}
_LOOKS = {
    Standing.ACTIVE: "sound",
    Standing.AWAITING_APPROVAL: "waiting",
    Standing.INVITED: "waiting",
    Standing.RECOVERING: "waiting",
    Standing.CLOSED: "automatic",
}


def init_staff_wording(app: Flask) -> None:
    app.add_template_filter(lambda term: str(STANDINGS[term]), "standing_in_words")
    app.add_template_filter(lambda term: _LOOKS[term], "standing_look")
    app.add_template_filter(lambda term: str(REQUEST_KINDS[term]), "request_kind_in_words")
    app.add_template_filter(lambda term: str(REQUEST_STATES[term]), "request_state_in_words")
    app.add_template_filter(lambda term: str(NOTICES[term]), "notice_in_words")
    app.context_processor(_of_the_house)


def _of_the_house() -> dict[str, object]:
    """Where passkeys work, and what the employer's sign-in service is called, if there is one."""
    provider = house().staff_openid
    return {
        "staff_origin": house().staff.passkeys.origin,
        "employer": provider and provider.name_in(language()),
        "has_unread_notices": lambda viewer: house().staff.notices.has_unread(viewer.account_id),
    }
