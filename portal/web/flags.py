"""What a rule says of a look, as one plain sentence, and what explains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Flask

from portal.services.unusual.explanations import Explanation
from portal.services.unusual.flags import Flag
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import ngettext

EXPLANATIONS = {
    Explanation.ASSIGNED_CASE: _l("a case about this person was assigned to the official"),
    Explanation.TEAM_CASE: _l("the official’s team had a case about this person"),
    Explanation.HOUSEHOLD_OF_CASE: _l("the official had a case about somebody of this person’s household"),
    Explanation.EARLIER_CASE: _l("the official had a case about this person before"),
}


def init_flags(app: Flask) -> None:
    app.add_template_filter(sentence_of, "flag_sentence")
    app.add_template_filter(lambda one: str(EXPLANATIONS[one]), "explanation_in_words")


def sentence_of(flag: Flag) -> str:
    """One sentence, whole for the translator. A rule that this release does not know is named by its code."""
    said = _SENTENCES.get(flag.rule)
    return flag.rule if said is None else said(flag.said)


def _no_case(said: Mapping[str, int]) -> str:
    if said.get("closed"):
        return _("The case that was named had been closed.")
    return _("The case that was named is not known.") if said.get("named") else _("No case was named.")


def _unusual_hour(said: Mapping[str, int]) -> str:
    if said["free_day"]:
        return _("It was on a day on which this official hardly ever works.")
    return _("It was at an hour (%(hour)s:00) at which this official hardly ever works.", hour=said["hour"])


def _after_news(said: Mapping[str, int]) -> str:
    return ngettext(
        "The person had been in the news %(days)s day before.",
        "The person had been in the news %(days)s days before.",
        said["days"], days=said["days"],
    )  # fmt: skip


def _before_seal(said: Mapping[str, int]) -> str:
    return ngettext(
        "An investigation of the person was sealed %(days)s day later.",
        "An investigation of the person was sealed %(days)s days later.",
        said["days"], days=said["days"],
    )  # fmt: skip


def _same_surname(said: Mapping[str, int]) -> str:
    return ngettext(
        "Both bear a rare surname and are less than %(years)s year apart in age.",
        "Both bear a rare surname and are less than %(years)s years apart in age.",
        said["years"] + 1, years=said["years"] + 1,
    )  # fmt: skip


def _volume(said: Mapping[str, int]) -> str:
    return ngettext(
        "The official looked at %(people)s person on that day; %(usual)s is usual.",
        "The official looked at %(people)s people on that day; %(usual)s is usual.",
        said["people"], people=said["people"], usual=said["usual"],
    )  # fmt: skip


def _denied_tries(said: Mapping[str, int]) -> str:
    return ngettext(
        "The official was refused %(tries)s time on that day and tried again.",
        "The official was refused %(tries)s times on that day and tried again.",
        said["tries"], tries=said["tries"],
    )  # fmt: skip


def _repeated(said: Mapping[str, int]) -> str:
    return ngettext(
        "The official looked at this person on %(days)s day without a case.",
        "The official looked at this person on %(days)s different days without a case.",
        said["days"], days=said["days"],
    )  # fmt: skip


def _browsing(said: Mapping[str, int]) -> str:
    return ngettext(
        "It is one of looks at %(people)s person within %(minutes)s minutes, none of them in a case.",
        "It is one of looks at %(people)s people within %(minutes)s minutes, none of them in a case.",
        said["people"], people=said["people"], minutes=said["minutes"],
    )  # fmt: skip


def _copied(said: Mapping[str, int]) -> str:
    return ngettext(
        "The same reason was given, word for word, for %(people)s person within %(days)s days.",
        "The same reason was given, word for word, for %(people)s people within %(days)s days.",
        said["people"], people=said["people"], days=said["days"],
    )  # fmt: skip


def _neighbour(said: Mapping[str, int]) -> str:
    return ngettext(
        "The person lives %(metres)s metre from the official.",
        "The person lives %(metres)s metres from the official.",
        said["metres"], metres=said["metres"],
    )  # fmt: skip


_SENTENCES: Mapping[str, Callable[[Mapping[str, int]], str]] = {
    "own-record": lambda _said: _("The official looked at their own record."),
    "relative": lambda _said: _("The person is a relative of the official."),
    "same-household": lambda _said: _("The person lives with the official."),
    "same-address": lambda _said: _("The person lives at the official’s address."),
    "same-surname": _same_surname,
    "colleague": lambda _said: _("The person works for the same employer as the official."),
    "former-partner": lambda _said: _("The person and the official once lived at one address, and no longer do."),
    "neighbour": _neighbour,
    "public-figure": lambda _said: _("The person is known to the public."),
    "no-case": _no_case,
    "foreign-case": lambda _said: _("The case that was named is another team’s."),
    "unlike-case": lambda _said: _("The case that was named is about somebody else."),
    "volume": _volume,
    "unusual-hour": _unusual_hour,
    "absence": lambda _said: _("The official was away on that day."),
    "denied-tries": _denied_tries,
    "repeated": _repeated,
    "browsing": _browsing,
    "copied": _copied,
    "before-seal": _before_seal,
    "after-news": _after_news,
}
