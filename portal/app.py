"""The composition root: services become an application here, and settings become services in `furnishing`."""

from __future__ import annotations

import atexit
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from audit.keys import load_signer
from config.settings import Settings
from portal.furnishing import StartRefused, furnish_house
from portal.jobs.runner import JobRunner
from portal.jobs.witnessing import ask_witnesses_for_ever
from portal.services.clock import Clock, system_clock
from portal.web import login, openid, staff_openid, step_up, told
from portal.web.api import init_api
from portal.web.assets import AssetsMissing, init_assets
from portal.web.bundle_telling import init_telling
from portal.web.bundle_wording import init_bundle_wording
from portal.web.consent_wording import init_consent_wording
from portal.web.decision_wording import init_decision_wording
from portal.web.dispute_wording import init_dispute_wording
from portal.web.errors import init_error_pages
from portal.web.export_wording import init_export_wording
from portal.web.figure_wording import init_figure_wording
from portal.web.flags import init_flags
from portal.web.formatting import init_formatting
from portal.web.forms import init_forms
from portal.web.guard import init_guard
from portal.web.house import furnish
from portal.web.i18n import init_i18n
from portal.web.json_input import init_json
from portal.web.limits import init_limits, limit_rooms
from portal.web.mandate_wording import init_mandate_wording
from portal.web.meaning import init_meaning
from portal.web.navigation import init_navigation
from portal.web.request_log import init_request_log
from portal.web.rooms import ROOMS
from portal.web.security_headers import init_security_headers
from portal.web.sentences import init_sentences
from portal.web.shown_records import init_shown_records
from portal.web.staff_wording import init_staff_wording
from portal.web.supervision_wording import init_supervision_wording
from portal.web.told_wording import init_told_wording
from portal.web.uploads import init_uploads
from portal.web.wording import init_wording

#: A form of the portal is small; a larger body is refused before it is read.
MAXIMUM_BODY = 1024 * 1024
MAXIMUM_FORM_PARTS = 200


def create_app(settings: Settings, *, clock: Clock = system_clock) -> Flask:
    """Build the portal.

    Raises:
        StartRefused: a database cannot be reached, the log is frozen, the catalogue has mistakes, or the pages' assets
            are not built.
    """
    house = furnish_house(settings, clock=clock)
    app = Flask("portal", root_path=str(Path(__file__).parent))
    _configure(app, settings)
    init_uploads(app)
    app.config["LOG_KEYS"] = house.log.published_keys()
    init_request_log(app)
    csrf = CSRFProtect(app)
    csrf.exempt(staff_openid.back_channel_logout)
    csrf.exempt(openid.back_channel_logout)  # the provider's server posts it; its own signature stands for a mark
    csrf.exempt(told.stop_mail)  # a mail program's one click (RFC 8058); the sealed link stands for a mark
    furnish(app.extensions, house, _jobs())
    _dress(app)
    login.init_login(app, demo_sign_in=settings.offers_demo_sign_in, provider=settings.oidc)
    init_json(app)
    init_limits(app, settings.limits)
    init_guard(app)
    init_error_pages(app)
    step_up.init_step_up(app)
    init_security_headers(app)
    for room in ROOMS:
        app.register_blueprint(room.blueprint)
    init_api(app, csrf, settings.machines, clock)
    limit_rooms(app, settings.limits)
    if settings.audit.witnesses:
        app.extensions["glasshouse-witnessing"] = ask_witnesses_for_ever(house.log)
    return app


def _dress(app: Flask) -> None:
    """What pages look like and how they speak."""
    try:
        init_assets(app)
    except AssetsMissing as error:
        raise StartRefused([str(error)]) from None
    inits = (
        init_i18n,
        init_forms,
        init_formatting,
        init_wording,
        init_staff_wording,
        init_supervision_wording,
        init_figure_wording,
        init_told_wording,
        init_export_wording,
        init_bundle_wording,
        init_telling,
        init_consent_wording,
        init_mandate_wording,
        init_decision_wording,
        init_dispute_wording,
        init_meaning,
        init_sentences,
        init_shown_records,
        init_navigation,
        init_flags,
    )
    for init in inits:
        init(app)


def _configure(app: Flask, settings: Settings) -> None:
    assert settings.secret_key is not None  # noqa: S101 - see log_settings
    https = settings.is_served_over_https
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        MAX_CONTENT_LENGTH=MAXIMUM_BODY,
        MAX_FORM_PARTS=MAXIMUM_FORM_PARTS,
        TRUSTED_HOSTS=settings.hosts,
        LANGUAGE_COOKIE="__Host-language" if https else "language",
        SIGN_IN_COOKIE="__Host-glasshouse" if https else "glasshouse",
        SESSION_COOKIE_NAME="__Host-session" if https else "session",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(minutes=settings.session_idle_minutes),
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session, which has a limit of its own
        BABEL_DEFAULT_TIMEZONE=settings.time_zone,
        PREFERRED_URL_SCHEME="https" if https else "http",
        # The public halves, for the page that explains how to check a receipt and an export.
        LOG_VKEY=load_signer(settings.audit.signing_key_file).vkey,
        EXPORT_VKEY=load_signer(settings.audit.export_key_file).vkey,
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _jobs() -> JobRunner:
    runner = JobRunner()
    atexit.register(runner.close)
    return runner
