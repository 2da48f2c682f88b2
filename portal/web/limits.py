"""How much one may ask for: of an address, of an account, and about one person.

A limit is against machines and against curiosity, so it is far above what a person does. Where the store of the counts
cannot be reached, each process counts by itself until it can: a limit never falls away, and never locks everybody out.
"""

from __future__ import annotations

import hmac
import math
import time
from collections.abc import Callable

from flask import Flask, current_app, g, request
from flask_limiter import ApplicationLimit, Limiter, RequestLimit

from config.operation import LimitsSettings
from portal.domain.identifiers import InvalidPersonalCode, PersonalCode
from portal.domain.security_events import SecurityEvent
from portal.services.security_log import announce
from portal.web.house import present_or_none
from portal.web.request_log import name_who_asks

#: Probes, and files that are the same for everybody and cached by browsers.
_UNCOUNTED = frozenset({"static", "pages.healthz", "pages.readyz"})
#: What registries' own systems send all day: counted by itself, by an address and not as attempts to get in.
_REPORTS = frozenset(
    {
        "api_accesses.report",
        "api_accesses.receipt",
        "api_consents.ask",
        "api_consents.standing",
        "api_consents.record",
        "api_consents.use",
        "api_decisions.announce",
        "api_decisions.one",
        "api_decisions.change",
        "api_decisions.withdraw",
        "api_decisions.make_final",
        "api_corrections.waiting",
        "api_corrections.one",
        "api_corrections.acknowledge",
    }
)
#: Sent by programs that prove by a signature who they are, and not as attempts of somebody at a form.
_SIGNED = _REPORTS | {"openid.back_channel_logout", "staff_openid.back_channel_logout"}
_NOBODY = "nobody"


def init_limits(app: Flask, limits: LimitsSettings) -> None:
    """Count every request. To be called before the guard, whose redirect to the sign-in would otherwise be free."""
    if not limits.enabled:
        return
    limiter = Limiter(
        _address,
        application_limits=[
            ApplicationLimit(limits.per_address, scope="address", exempt_when=_is_uncounted),
            ApplicationLimit(limits.reports_per_address, scope="reports", exempt_when=_is_no_report),
            ApplicationLimit(limits.attempts_per_address, scope="attempts", exempt_when=_is_no_attempt),
            ApplicationLimit(limits.per_account, key_function=_account, scope="account", exempt_when=_is_nobody),
        ],
        storage_uri=limits.storage.get_secret_value(),
        strategy="moving-window",
        in_memory_fallback_enabled=True,
        on_breach=_tell,
        key_prefix="glasshouse",
        request_identifier=lambda: request.endpoint or "no-such-page",  # what does not exist is counted too
    )
    limiter.init_app(app)
    # Its own line would name the address or the account in the ordinary log; `_tell` says it in the right stream.
    limiter.logger.setLevel("WARNING")


def limit_rooms(app: Flask, limits: LimitsSettings) -> None:
    """Narrower limits of single routes. To be called when all routes are there; the guard is asked first."""
    if not limits.enabled:
        return
    (limiter,) = app.extensions["limiter"]
    narrower: dict[str, tuple[tuple[str, str, Callable[[], str]], ...]] = {
        "casework.open_record": (
            (limits.lookups_per_account, "look-ups", _account),
            (limits.lookups_per_subject, "subject", _subject),
        ),
        "oversight.results": ((limits.searches_per_account, "searches", _account),),
        "exports.start": ((limits.exports_per_account, "exports", _account),),
        "bundle.start": ((limits.bundles_per_account, "bundles", _account),),
        "oversight.start_verification": ((limits.verifications_per_account, "verifications", _account),),
    }
    for endpoint, counted in narrower.items():
        for limit, scope, whose in counted:
            view = app.view_functions[endpoint]
            app.view_functions[endpoint] = limiter.shared_limit(limit, scope, key_func=whose)(view)


def _address() -> str:
    return request.remote_addr or "unknown"


def _account() -> str:
    present = present_or_none()
    return _NOBODY if present is None else present.actor.account_id


def _subject() -> str:
    """The person asked for, as a keyed digest: whoever reads the counts must not learn who was looked at."""
    try:
        subject = PersonalCode.parse(request.form.get("personal_code", "")).subject
    except InvalidPersonalCode:
        return f"{_account()} mistyped"
    return hmac.digest(current_app.config["SECRET_KEY"].encode(), b"limits/v1 " + subject.encode(), "sha256").hex()


def _is_uncounted() -> bool:
    return request.endpoint in _UNCOUNTED | _REPORTS


def _is_no_report() -> bool:
    return request.endpoint not in _REPORTS


def _is_nobody() -> bool:
    return _is_uncounted() or present_or_none() is None


def _is_no_attempt() -> bool:
    """Whoever sends a form without being signed in tries to get in; what the provider sends carries its signature."""
    if request.endpoint in _SIGNED:
        return True
    return request.method in {"GET", "HEAD", "OPTIONS"} or present_or_none() is not None


def _tell(breached: RequestLimit) -> None:
    g.retry_after = max(1, breached.reset_at - math.ceil(time.time()))
    if (present := present_or_none()) is not None:
        name_who_asks(present)
    scope = breached.request_args[-1]
    announce(SecurityEvent.RATE_LIMITED, endpoint=request.endpoint, scope=scope, limit=str(breached.limit))
