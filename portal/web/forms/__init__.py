"""Forms: what a page asks for, parsed into what a service takes."""

from __future__ import annotations

from flask import Flask
from govuk_frontend_wtf.main import WTFormsHelpers
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader


def init_forms(app: Flask) -> None:
    """Let templates use GOV.UK Frontend's macros, and forms render themselves with them."""
    packages = ("govuk_frontend_jinja", "govuk_frontend_wtf")
    loaders = [app.jinja_loader, PrefixLoader({name: PackageLoader(name) for name in packages})]
    app.jinja_loader = ChoiceLoader([loader for loader in loaders if loader is not None])
    WTFormsHelpers(app)
