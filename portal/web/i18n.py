"""In which language a page speaks: the reader's choice, else what the browser asks for, else English."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlencode

import flask_babel
from flask import Flask, current_app, g, request, url_for

from portal.domain.text import LANGUAGES, LocalizedText

#: Holds the choice. It is no secret and names nobody, and it outlives the session.
LANGUAGE_COOKIE_SECONDS = 365 * 24 * 3600
#: Each language in its own words, as the switch shows it.
LANGUAGE_NAMES = {"en": "English", "et": "Eesti", "ru": "Русский"}


def init_i18n(app: Flask) -> None:
    flask_babel.Babel(app, default_locale=LANGUAGES[0], locale_selector=_selected)
    app.add_template_filter(local, "local")
    app.context_processor(
        lambda: {"language": language(), "language_names": LANGUAGE_NAMES, "language_link": _language_link}
    )


def gettext(text: str, /, **values: object) -> str:
    """The text in the reader's language, with its named placeholders filled."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """The text in the reader's language and in the form that `number` asks for."""
    return str(flask_babel.ngettext(one, many, number, **values))


def lazy_gettext(text: str, /, **values: object) -> str:
    """As `gettext`, but decided only when it is written out: for texts that stand in a module or a class."""
    return cast(str, flask_babel.lazy_gettext(text, **values))


def language() -> str:
    """The ISO 639-1 code of the language that this request is answered in."""
    locale = flask_babel.get_locale()
    return LANGUAGES[0] if locale is None else cast(str, locale.language)


def local(text: LocalizedText | None) -> str:
    """A text of the catalogue in the reader's language; nothing for nothing."""
    return "" if text is None else text.in_language(language())


def _selected() -> str:
    chosen = request.cookies.get(current_app.config["LANGUAGE_COOKIE"])
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def _language_link(code: str) -> str:
    """The switch's link, which leads back to this page. What was posted cannot be led back to, only its form."""
    rule = request.url_rule
    can_be_opened_again = rule is not None and "GET" in (rule.methods or ())
    back = g.get("page_in_other_languages", "/")
    if can_be_opened_again and back == "/":
        query = request.args.to_dict(flat=False) if request.method == "GET" else {}
        back = request.path + (f"?{urlencode(query, doseq=True)}" if query else "")
    return url_for("pages.language", code=code, next=back)
