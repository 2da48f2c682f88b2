"""The second verifier: one page of plain JavaScript that checks receipts and exports in the reader's own browser.

`portal/verify_page/verify.html` is whole in itself, so that a saved copy works with no network and no portal. It is
sent as it stands; only two `meta` elements are filled in, with the public keys, outside what the policy's hashes cover.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from pathlib import Path

from flask import Blueprint, Response, current_app
from flask.typing import ResponseReturnValue

from portal.web.guard import public
from portal.web.security_headers import under_policy

blueprint = Blueprint("verify_page", __name__)

FILE = Path(__file__).parents[1] / "verify_page" / "verify.html"
LOG_KEY = '<meta name="glasshouse-log-vkey" content="{}">'
EXPORT_KEY = '<meta name="glasshouse-export-vkey" content="{}">'


@dataclass(frozen=True, slots=True)
class CheckingPage:
    """The page as on disk, and the policy under which a browser runs just its script and opens no connection."""

    html: str

    @property
    def policy(self) -> str:
        """Content-Security-Policy (CSP Level 3) that names the script and the style by their digests."""
        return (
            f"default-src 'none'; script-src '{_digest(self._between('script'))}';"
            f" style-src '{_digest(self._between('style'))}'; img-src data:; connect-src 'none'; base-uri 'none';"
            " form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        )

    def with_keys(self, log_keys: str, export_vkey: str) -> str:
        """The page with the public keys in it: those of the log one on each line, retired ones with their bounds."""
        html = self.html
        for place, vkey in ((LOG_KEY, log_keys), (EXPORT_KEY, export_vkey)):
            html = html.replace(place.format(""), place.format(escape(vkey)))
        return html

    def _between(self, tag: str) -> str:
        return self.html.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


PAGE = CheckingPage(FILE.read_text(encoding="utf-8"))


@blueprint.get("/verify")
@public("the same for everybody; what is checked stays in the reader's browser")
def page() -> ResponseReturnValue:
    html = PAGE.with_keys(current_app.config["LOG_KEYS"], current_app.config["EXPORT_VKEY"])
    return under_policy(Response(html, mimetype="text/html"), f"{PAGE.policy}; frame-ancestors 'none'")


@blueprint.get("/verify/glasshouse-verify.html")
@public("the same for everybody")
def file() -> ResponseReturnValue:
    """The page to keep, byte for byte as it is published, with no key in it."""
    headers = {"Content-Disposition": "attachment; filename=glasshouse-verify.html"}
    return Response(PAGE.html, mimetype="text/html", headers=headers)
