"""What somebody must know of: shown until they put it away."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.services.alerts import AlertKind, ShownAlert
from portal.web.guard import signed_in
from portal.web.house import actor, house

blueprint = Blueprint("alerts", __name__)

#: For each kind the page that it leads to, and the name under which that page takes the alert's place, if it does.
_LEADS_TO: dict[str, tuple[str, str | None]] = {
    AlertKind.SEAL_ENDED: ("trail.history", None),
    AlertKind.SEAL_REGISTERED: ("seals.supervised_seal", "seal"),
    AlertKind.APPROVAL_ASKED: ("approvals.overview", None),
    AlertKind.APPROVAL_DECIDED: ("approvals.overview", None),
    AlertKind.EMERGENCY_OPENED: ("emergencies.supervised_emergency", "emergency"),
    AlertKind.EMERGENCY_OVERDUE: ("emergencies.supervised_emergency", "emergency"),
    AlertKind.EMERGENCY_ON_YOU: ("trail.history", None),
    AlertKind.DISPUTE_STEP: ("disputes.one", "dispute"),
    AlertKind.DECISION_INTENDED: ("decisions.one", "decision"),
    AlertKind.DECISION_STEP: ("decisions.one", "decision"),
    AlertKind.CONSENT_ASKED: ("consents.one", "consent"),
    AlertKind.MANDATE_GIVEN: ("mandates.one", "mandate"),
    AlertKind.MANDATE_ENDED: ("mandates.one", "mandate"),
    AlertKind.LOOK: ("trail.history", "purpose"),
    AlertKind.FINDING_ON_YOU: ("trail.history", None),
    AlertKind.NEW_DEVICE: ("sessions.overview", None),
    AlertKind.MAIL_SUSPENDED: ("told.page", None),
    AlertKind.CORRECTION: ("corrections.overview", None),
    AlertKind.LOG_BROKEN: ("oversight.verification_run", "run_id"),
}


@blueprint.app_template_filter("alert_place")
def place(alert: ShownAlert) -> str | None:
    """The address of what the alert is about, if it has a page."""
    known = _LEADS_TO.get(alert.kind)
    if known is None:
        return None
    endpoint, argument = known
    # Behind a slash stands what makes each telling of one place another.
    values: dict[str, Any] = {} if argument is None else {argument: (alert.place or "").partition("/")[0]}
    return url_for(endpoint, **values)


@blueprint.get("/alerts")
@signed_in()
def overview() -> ResponseReturnValue:
    return render_template("alerts/overview.html", alerts=house().safeguards.alerts.waiting(actor()))


@blueprint.post("/alerts/<alert>/put-away")
@signed_in()
def put_away(alert: str) -> ResponseReturnValue:
    house().safeguards.alerts.put_away(actor(), alert)
    return redirect(url_for("alerts.overview"), 303)
