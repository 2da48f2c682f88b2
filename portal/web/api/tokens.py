"""Where client systems get their access tokens (RFC 6749, section 4.4)."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from portal.domain.machines import ClientRefused, OAuthError
from portal.services.machines import TOKEN_PATH
from portal.web.api.problems import init_problems
from portal.web.client_certificates import thumbprint_of_request
from portal.web.guard import public
from portal.web.house import house, request_id

blueprint = Blueprint("api_tokens", __name__)
init_problems(blueprint)

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_PARAMETERS = ("grant_type", "client_assertion_type", "client_assertion", "scope", "client_id", "client_secret")


@blueprint.post(TOKEN_PATH)
@public("gives a token to a registered system that proves itself by its key and its certificate")
def issue() -> ResponseReturnValue:
    form = {name: request.form.get(name) for name in _PARAMETERS}
    if any(len(request.form.getlist(name)) > 1 for name in _PARAMETERS):
        raise ClientRefused(OAuthError.INVALID_REQUEST, "a parameter was sent twice")
    if form["grant_type"] != "client_credentials":
        raise ClientRefused(OAuthError.UNSUPPORTED_GRANT_TYPE, "grant_type")
    if form["client_assertion_type"] != ASSERTION_TYPE or not form["client_assertion"] or form["client_secret"]:
        raise ClientRefused(OAuthError.INVALID_CLIENT, "no assertion")
    issued = house().machines.issue(form["client_assertion"], form["scope"], thumbprint_of_request(), request_id())
    answer = {"access_token": issued.token, "token_type": "Bearer", "expires_in": issued.seconds, "scope": issued.scope}
    return jsonify(answer), 200, {"Cache-Control": "no-store"}
