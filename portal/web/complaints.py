"""The supervisory authority's auditors fetch the files of disputes that people sent to it."""

from __future__ import annotations

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from portal.domain.permissions import Permission
from portal.web.guard import FRESH, requires
from portal.web.house import actor, house, request_id
from portal.web.uploads import begun

blueprint = Blueprint("complaints", __name__)


@blueprint.get("/oversight/complaints")
@requires(Permission.RECEIVE_COMPLAINTS)
def overview() -> ResponseReturnValue:
    return render_template("complaints/overview.html", filings=house().disputes.filings.waiting(actor()))


@blueprint.post("/oversight/complaints/<filing>/file")
@requires(Permission.RECEIVE_COMPLAINTS, fresh=FRESH)
def file(filing: str) -> ResponseReturnValue:
    fetched = house().disputes.filings.hand_over(actor(), filing, request_id=request_id())
    headers = {"Content-Disposition": f"attachment; filename=glasshouse-dispute-{fetched.number}.zip"}
    response = Response(begun(fetched.content), mimetype="application/zip", headers=headers)
    response.content_length = fetched.size
    return response
