"""What programs may ask of the portal: JSON in, JSON out, described in OpenAPI."""

from __future__ import annotations

from flask import Flask
from flask_wtf import CSRFProtect

from config.identity import MachineSettings
from portal.services.clock import Clock
from portal.web.api import accesses, consents, corrections, decisions, description, tokens
from portal.web.client_certificates import ClientCertificates


def init_api(app: Flask, csrf: CSRFProtect, settings: MachineSettings, clock: Clock) -> None:
    """To be called last: the certificate's header is looked at before anything changes the caller's address."""
    for room in (tokens, accesses, consents, corrections, decisions, description):
        csrf.exempt(room.blueprint)  # no cookie opens any of it: a token and a certificate do
        app.register_blueprint(room.blueprint)
    app.wsgi_app = ClientCertificates(app.wsgi_app, settings, clock)  # type: ignore[method-assign]
