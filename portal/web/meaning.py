"""What an access means in plain words: the lawful basis without the law's language, and how a month was judged."""

from __future__ import annotations

import re

from flask import Flask

from portal.domain.purposes import Purpose
from portal.domain.text import LocalizedText
from portal.services.understanding.judgement import Compared, Yardstick
from portal.web.formatting import grouped
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import ngettext

#: How a catalogue's English text cites an article, and what the article means. The first that is found counts.
BASES = (
    (r"6\(1\)\(a\)", _l("You agreed to it. You can take that back at any time.")),
    (r"6\(1\)\(b\)", _l("It is needed for a contract with you.")),
    (r"6\(1\)\(c\)", _l("A law obliges the organisation to do this. It needs no consent from you.")),
    (r"6\(1\)\(d\)", _l("It was done to protect somebody’s life or health. It needs no consent from you.")),
    (r"6\(1\)\(e\)", _l("A law gives the organisation this task. It needs no consent from you, but you can object.")),
    (r"6\(1\)\(f\)", _l("The organisation weighed its interest against yours. You can object.")),
    (r"2016/680", _l("The law lets the police and the courts do this to prevent or investigate crime.")),
    (r"Article 15\b", _l("You have the right to see your own data.")),
    (r"5\(2\)|32\(", _l("The law obliges organisations to check how personal data are used.")),
)


def init_meaning(app: Flask) -> None:
    app.add_template_filter(basis_in_words, "basis_in_words")
    app.add_template_filter(compared_in_words, "compared_in_words")
    app.add_template_filter(advice, "advice")
    app.add_template_test(may_object, "open_to_objection")


def basis_in_words(basis: LocalizedText) -> str:
    """What the first article that is cited means to the person; "" for one that has no words here."""
    return next((str(words) for pattern, words in BASES if re.search(pattern, basis.en)), "")


def may_object(purpose: Purpose) -> bool:
    """Whether the person may object (GDPR Article 21(1)): where the basis is a public task or an interest."""
    return re.search(r"6\(1\)\([ef]\)", purpose.lawful_basis.en) is not None


def compared_in_words(one: Compared) -> str:
    """What was compared and what was found, whether unusual or not."""
    number = {"number": grouped(one.found)}
    match one.test:
        case Yardstick.NOTICE:
            return ngettext(
                "%(number)s notice that somebody looked at your data without a good reason",
                "%(number)s notices that somebody looked at your data without a good reason",
                one.found,
                **number,
            )
        case Yardstick.EMERGENCY:
            return ngettext("%(number)s emergency access", "%(number)s emergency accesses", one.found, **number)
        case Yardstick.REFUSED:
            return ngettext(
                "%(number)s attempt that was refused", "%(number)s attempts that were refused", one.found, **number
            )
        case Yardstick.NO_CASE:
            return ngettext(
                "%(number)s look by an official without a case, where the purpose needs one",
                "%(number)s looks by officials without a case, where the purpose needs one",
                one.found,
                **number,
            )
        case Yardstick.HOURS:
            return ngettext(
                "%(number)s look by an official at night or at a weekend, where the purpose has office hours",
                "%(number)s looks by officials at night or at a weekend, where the purpose has office hours",
                one.found,
                **number,
            )
        case Yardstick.MORE:
            return _more(one)


def _more(one: Compared) -> str:
    number = {"number": grouped(one.found)}
    if one.usual is None:
        return ngettext(
            "%(number)s look in all; there are too few earlier months to compare it with",
            "%(number)s looks in all; there are too few earlier months to compare them with",
            one.found,
            **number,
        )
    return ngettext(
        "%(number)s look in all; the most in 30 days of the year before was %(usual)s",
        "%(number)s looks in all; the most in 30 days of the year before was %(usual)s",
        one.found,
        usual=grouped(one.usual),
        **number,
    )


ADVICE = {
    Yardstick.NOTICE: _l("Open the notice: it says what was found and what follows from it."),
    Yardstick.EMERGENCY: _l("A supervisor must review each emergency access. The line tells you why it was declared."),
    Yardstick.REFUSED: _l("Nothing was shown. You can ask the organisation why it was tried."),
    Yardstick.NO_CASE: _l("Ask the organisation for which matter your data were needed."),
    Yardstick.HOURS: _l("There may be a good reason, such as a night shift. You can ask the organisation."),
    Yardstick.MORE: _l("See which organisation looked most, and ask it why."),
}


def advice(one: Compared) -> str:
    """What to do about something unusual."""
    return str(ADVICE[one.test])
