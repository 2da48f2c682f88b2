"""Proving again who one is, for what needs a surer or a fresher sign-in, and going on with what one was doing.

The guard raises StrongerSignInNeeded; the request is kept as an errand; the person goes to the way by which they signed
in; that way calls `done`, which puts the session on the new proof and leads back to the errand.
"""

from __future__ import annotations

from flask import Blueprint, Flask, Response, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as BaseResponse

from portal.domain.assurance import Assurance
from portal.domain.errors import StrongerSignInNeeded
from portal.services.errands import Errand
from portal.services.sessions import Method, Proof
from portal.web.errors import STRONGER_SIGN_IN_NEEDED, page
from portal.web.forms.bundle import SECRETS
from portal.web.guard import signed_in
from portal.web.house import house, present, request_id
from portal.web.tokens import with_token

blueprint = Blueprint("step_up", __name__)

#: For each way of signing in, the page (an endpoint that takes `errand`) where one proves again who one is.
WAYS: dict[Method, str] = {Method.DEMONSTRATION: "step_up.demonstration", Method.OPENID: "openid.step_up"}
#: What the demonstration's button counts as: it stands for a proof at the highest level, and says so.
AS_DEMONSTRATION = Proof(Method.DEMONSTRATION, Assurance.HIGH)
#: The mark of one page against forgery, and what somebody locks their own file with: that is typed again.
_NEVER_KEPT = frozenset({"csrf_token", *SECRETS})


def init_step_up(app: Flask) -> None:
    app.register_error_handler(StrongerSignInNeeded, _ask)


def done(proof: Proof, errand_id: str) -> BaseResponse:
    """Put the session of whoever asks on `proof`, and lead on to the errand; for the view that checked the proof."""
    token = house().entrance.step_up(present(), proof, request_id())
    # Flask's own session stays: it is the same person's, and a form half filled in in another tab must not be lost.
    return with_token(redirect(url_for("step_up.go_on", errand=errand_id), 303), token)


@blueprint.get("/step-up/<errand>/demonstration")
@signed_in()
def demonstration(errand: str) -> ResponseReturnValue:
    _only_in_a_demonstration()
    waiting = house().errands.get(present().session.session_id, errand)
    return render_template("step_up/demonstration.html", errand=errand, waiting=waiting)


@blueprint.post("/step-up/<errand>/demonstration")
@signed_in()
def confirm_in_demonstration(errand: str) -> ResponseReturnValue:
    _only_in_a_demonstration()
    return done(AS_DEMONSTRATION, errand)


@blueprint.get("/step-up/<errand>")
@signed_in()
def go_on(errand: str) -> ResponseReturnValue:
    """Back to what the person was doing. What they had filled in they send themselves, with one button."""
    waiting = house().errands.get(present().session.session_id, errand)
    if not house().entrance.meets(present(), waiting.demand):
        return _lead_to_way(errand)
    if waiting.fields is None:
        house().errands.forget(present().session.session_id, errand)
        return redirect(waiting.path, 303)
    return render_template("step_up/go_on.html", waiting=waiting)


def _ask(needed: StrongerSignInNeeded) -> Response | BaseResponse:
    if _way() is None or request.method not in {"GET", "HEAD", "POST"}:
        return page(403, STRONGER_SIGN_IN_NEEDED)
    # A form is kept only now, after its mark against forgery was checked: nobody can plant what is offered to be sent.
    is_form = request.method == "POST"
    fields = tuple(item for item in request.form.items(multi=True) if item[0] not in _NEVER_KEPT)
    fresh = needed.demand.fresh
    errand = Errand(
        path=request.full_path if request.query_string else request.path,
        fields=fields if is_form else None,
        level=needed.demand.level,
        fresh_seconds=None if fresh is None else int(fresh.total_seconds()),
        dropped_files=any(file.filename for file in request.files.values()),
    )
    return _lead_to_way(house().errands.keep(present().session.session_id, errand))


def _lead_to_way(errand_id: str) -> BaseResponse:
    way = _way()
    return page(403, STRONGER_SIGN_IN_NEEDED) if way is None else redirect(url_for(way, errand=errand_id), 303)


def _way() -> str | None:
    """The endpoint of the signed-in person's way; None when there is none, or no longer."""
    method = present().session.method
    gone = {Method.OPENID: house().openid, Method.STAFF_OPENID: house().staff_openid}
    return None if method in gone and gone[method] is None else WAYS.get(method)


def _only_in_a_demonstration() -> None:
    if not current_app.config["DEMO_SIGN_IN"] or present().session.method is not Method.DEMONSTRATION:
        abort(404)
