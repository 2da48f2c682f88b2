"""Refusals and failures as programs read them: RFC 9457 problem details, without personal data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, Response, g, jsonify
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, TooManyRequests

from portal.domain.consents import (
    ConsentKeyTaken,
    ConsentNotInForce,
    ConsentRequestRefused,
)
from portal.domain.consents import (
    TooManyRequests as TooManyConsentRequests,
)
from portal.domain.errors import DisclosureUnavailable, NothingHere
from portal.domain.intended_decisions import (
    DecisionKeyTaken,
    DecisionRefused,
    DecisionSettled,
    FoundWrong,
    RestsOnContestedData,
)
from portal.domain.machines import ClientRefused, OAuthError
from portal.domain.security_events import SecurityEvent
from portal.services.reports import KeyTaken, ReportRefused
from portal.services.security_log import announce

#: After how many seconds it is worth asking again.
RETRY_SECONDS = 30
STATUS = {OAuthError.INVALID_CLIENT: 401, OAuthError.INVALID_TOKEN: 401, OAuthError.INSUFFICIENT_SCOPE: 403}


def init_problems(blueprint: Blueprint) -> None:
    blueprint.register_error_handler(ClientRefused, refused)
    blueprint.register_error_handler(NothingHere, lambda _error: problem(404, "There is nothing here"))
    blueprint.register_error_handler(ReportRefused, _report_refused)
    blueprint.register_error_handler(KeyTaken, _key_taken)
    blueprint.register_error_handler(ConsentRequestRefused, _refused)
    blueprint.register_error_handler(DecisionRefused, _refused)
    blueprint.register_error_handler(DecisionKeyTaken, _key_taken)
    blueprint.register_error_handler(DecisionSettled, lambda _e: problem(409, "It is settled, or changed meanwhile"))
    contested = "It is contested: only a human who gives a reason can decide before the dispute is decided"
    wrong = "The person was found right: withdraw it, or change it to rest on what is right"
    blueprint.register_error_handler(FoundWrong, lambda _e: problem(409, wrong))
    blueprint.register_error_handler(RestsOnContestedData, lambda _e: problem(409, contested))
    blueprint.register_error_handler(ConsentKeyTaken, _key_taken)
    blueprint.register_error_handler(
        TooManyConsentRequests, lambda _e: problem(429, "Asked too often; nothing was kept")
    )
    blueprint.register_error_handler(ConsentNotInForce, lambda _e: problem(403, "This consent gives nothing now"))
    blueprint.register_error_handler(DisclosureUnavailable, _not_recorded)
    blueprint.register_error_handler(HTTPException, _http)


def problem(status: int, title: str, mistakes: Mapping[str, str] | None = None) -> Response:
    body: dict[str, object] = {"type": "about:blank", "title": title, "status": status}
    if mistakes:
        body["mistakes"] = dict(mistakes)
    response = jsonify(body)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def refused(error: ClientRefused) -> Response:
    """RFC 6749, section 5.2 and RFC 6750, section 3: the error's name, and no more, to whoever may be posing."""
    announce(SecurityEvent.CLIENT_REFUSED, client=error.client, error=error.error.value, check=error.check)
    response = jsonify(error=error.error.value)
    response.status_code = STATUS.get(error.error, 400)
    if error.error in {OAuthError.INVALID_TOKEN, OAuthError.INSUFFICIENT_SCOPE}:
        response.headers["WWW-Authenticate"] = f'Bearer error="{error.error.value}"'
    return response


def _report_refused(error: ReportRefused) -> Response:
    return problem(422, "The report says what cannot be; nothing was logged", error.mistakes)


def _refused(error: ConsentRequestRefused | DecisionRefused) -> Response:
    return problem(422, "This cannot be; nothing was kept", error.mistakes)


def _key_taken(_error: Exception) -> Response:
    return problem(409, "This Idempotency-Key stands for something else; nothing was kept")


def _not_recorded(_error: DisclosureUnavailable) -> Response:
    response = problem(503, "The log takes no entry now; send it again with the same Idempotency-Key")
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def mistakes_of(error: ValidationError) -> dict[str, str]:
    """By field; pydantic's own words, which repeat no value."""
    return {".".join(map(str, one["loc"])) or "body": one["msg"] for one in error.errors(include_input=False)}


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _http(error: HTTPException) -> Response:
    response = problem(error.code or 500, error.name)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    if error.code == TooManyRequests.code:
        response.headers["Retry-After"] = str(g.get("retry_after", RETRY_SECONDS))
    return response
