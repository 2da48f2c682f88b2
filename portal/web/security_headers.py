"""What each answer tells the browser not to do. Our own lines rather than a library's: they can be read at a glance."""

from __future__ import annotations

from flask import Flask, Response, current_app, g, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from werkzeug.wrappers import Response as BaseResponse

from portal.web.assets import BUILD_PATH

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
#: What a browser could offer and no page of ours uses. A passkey is asked for by the page itself alone.
_FEATURES = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "clipboard-read",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "microphone",
    "midi",
    "payment",
    "screen-wake-lock",
    "serial",
    "usb",
)
CONTENT_SECURITY_POLICY = "; ".join(f"{directive} {source}" for directive, source in _POLICY.items())
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Nothing to other hosts. To this one, because the check against forged forms looks at it over https.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
    "X-Permitted-Cross-Domain-Policies": "none",
    "X-Frame-Options": "DENY",
}
STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"
FOR_EVER = "public, max-age=31536000, immutable"


class _KeptAnswersBearNoCookie(SecureCookieSessionInterface):
    """What a cache may keep carries no session, nor a `Vary: Cookie` that would keep it once for each visitor."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if "cache_control" not in g:
            super().save_session(app, session, response)


def init_security_headers(app: Flask) -> None:
    app.session_interface = _KeptAnswersBearNoCookie()
    app.after_request(_guarded)


def clear_site_data(response: BaseResponse) -> BaseResponse:
    """Have the browser forget what it keeps of this site, so that nothing stays behind the back button."""
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response


def allowing_form_to(response: Response, origin: str) -> Response:
    """Let the forms of this one page lead to `origin` as well: the provider, on the page after signing out."""
    return under_policy(response, CONTENT_SECURITY_POLICY.replace("form-action 'self'", f"form-action 'self' {origin}"))


def under_policy(response: Response, policy: str) -> Response:
    """Send this answer under a Content-Security-Policy of its own, which the caller has made no wider than ours."""
    g.content_security_policy = policy
    return response


def cached(response: Response, directive: str) -> Response:
    """Let caches keep this answer: only for what is the same for everybody and holds nothing about a person."""
    g.cache_control = directive
    return response


def _guarded(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers[name] = value
    if "content_security_policy" in g:
        response.headers["Content-Security-Policy"] = g.content_security_policy
    if request.is_secure or current_app.config["SESSION_COOKIE_SECURE"]:  # the latter where only a proxy sees TLS
        response.headers["Strict-Transport-Security"] = STRICT_TRANSPORT
    is_build_file = request.path.startswith(BUILD_PATH) and response.status_code in {200, 206, 304}
    kept = g.get("cache_control", "no-store") if response.status_code in {200, 304} else "no-store"
    response.headers["Cache-Control"] = FOR_EVER if is_build_file else kept
    return response
