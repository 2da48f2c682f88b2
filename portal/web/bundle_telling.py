"""What a bundle says in the person's language. It is said in a job, which has no request: only the application."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from flask import Flask, current_app
from flask_babel import force_locale

from portal.domain.disputes import ARTICLES
from portal.registries.description import SourceKind
from portal.registries.records import FieldValue
from portal.services.bundle.telling import LINES_IN_REPORT, History, Speaker, Telling, Told
from portal.services.consents.register import ShownConsent
from portal.services.disputes.ledger import Message, ShownDispute
from portal.services.records import OwnRecords
from portal.services.trail import TrailLine
from portal.web.bundle_read_me import read_me
from portal.web.consent_wording import STATES as CONSENT_STATES
from portal.web.dispute_wording import SHORT_KINDS, STATES, STEPS, TOLD_RULINGS
from portal.web.formatting import day, grouped, held, moment, percent
from portal.web.house import house
from portal.web.i18n import gettext as _
from portal.web.i18n import language, local, ngettext
from portal.web.sentences import sentence
from portal.web.shown_records import ShownRecord, shown_records
from portal.web.verify import PAGE

_TELLING = "glasshouse-telling"
Fact = tuple[str, str]
#: A heading with facts below it, and paragraphs before them.
Part = dict[str, Any]


def init_telling(app: Flask) -> None:
    app.extensions[_TELLING] = _AppTelling(app)


def telling(app: Flask | None = None) -> Telling:
    """Who speaks for `app`, or for the application that answers this request."""
    return cast(Telling, (app or current_app).extensions[_TELLING])


class _AppTelling:
    """Speaks for one application, wherever it is asked to: each language in a context of its own."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    @contextmanager
    def speaking(self, language_code: str) -> Iterator[Speaker]:
        with self._app.app_context(), force_locale(language_code):
            yield _InLanguage()


class _InLanguage:
    """Says it in the language of the context that it is used in."""

    def sentence(self, line: TrailLine) -> str:
        return sentence(line)

    def read_me(self, told: Told) -> str:
        return read_me(told, house().mail.base_url)

    def checking_page(self) -> str:
        return PAGE.with_keys(house().log.published_keys(), current_app.config["EXPORT_VKEY"])

    def report(self, told: Told, history: History) -> Mapping[str, Any]:
        checkpoint = told.checkpoint.checkpoint
        return {
            "language": language(),
            "title": _("Your data, and who looked at it"),
            "facts": [
                (_("Person"), told.person),
                (_("Made"), moment(told.made_at)),
                (_("Log"), checkpoint.origin),
                (_("Entries in the log"), grouped(checkpoint.size)),
            ],
            "sections": [
                _section(
                    _("What registries hold on you"), [], [part for one in told.records for part in _registry(one)]
                ),
                _section(_("Who looked at your data"), [_looks(history)], list(map(_look, history.newest))),
                _section(_("Consents"), _none(told.consents), list(map(_consent, told.consents))),
                _section(_("Disputes"), _none(told.disputes), list(map(_dispute, told.disputes))),
                _section(_("How to check it"), [_how_to_check()], []),
            ],
        }


def _section(heading: str, paragraphs: Sequence[str], parts: Sequence[Part]) -> dict[str, Any]:
    return {"heading": heading, "paragraphs": list(paragraphs), "parts": list(parts)}


def _part(heading: str, facts: Sequence[Fact], paragraphs: Sequence[str] = ()) -> Part:
    return {"heading": heading, "facts": [fact for fact in facts if fact[1]], "paragraphs": list(paragraphs)}


def _none(things: Sequence[object]) -> list[str]:
    return [] if things else [_("There are none.")]


def _registry(opened: OwnRecords) -> list[Part]:
    """What the registry is, then each of its records."""
    registry = opened.registry
    controller = house().catalogue.organisations.get(registry.controller)
    facts = [(_("Who is responsible"), registry.controller if controller is None else local(controller.name))]
    if opened.records is None:
        return [_part(local(registry.name), facts, [_("This registry gave no answer when the bundle was made.")])]
    if not opened.records:
        return [_part(local(registry.name), facts, [_("This registry holds nothing on you.")])]
    records = shown_records(opened.records, list(registry.fields.values()))
    parts = [_part(f"{local(registry.name)} – {record.title}", _values(record)) for record in records]
    return [_part(local(registry.name), facts), *parts]


def _values(record: ShownRecord) -> list[Fact]:
    return [
        (local(part.field.name), " – ".join(filter(None, (held(part.value, part.field), _origin(part.value)))))
        for part in record.fields
    ]


def _origin(value: FieldValue) -> str:
    """Where it came from, unless it is the registry's own."""
    name = None if value.source.name is None else local(value.source.name)
    if value.source.kind is SourceKind.OWN:
        return ""
    if value.source.kind is SourceKind.REGISTRY:
        return _("From %(registry)s", registry=name) if name else _("From another registry")
    said = _("Bought from %(seller)s", seller=name) if name else _("Bought")
    if value.confidence is None:
        return said
    return f"{said}. {_('Matched with %(confidence)s confidence.', confidence=percent(value.confidence))}"


def _looks(history: History) -> str:
    number = history.by_others
    if number > LINES_IN_REPORT:
        return _(
            "Others looked or acted %(number)s times. The last %(shown)s stand here; accesses.csv and accesses.json"
            " hold all of them, with your own looks.",
            number=grouped(number),
            shown=grouped(LINES_IN_REPORT),
        )
    return ngettext(
        "Others looked or acted %(number)s time, which stands here. accesses.csv and accesses.json hold your own looks"
        " too.",
        "Others looked or acted %(number)s times, all of which stand here. accesses.csv and accesses.json hold your own"
        " looks too.",
        number,
        number=grouped(number),
    )


def _look(line: TrailLine) -> Part:
    purpose = line.purpose
    facts = [
        (_("What"), sentence(line)),
        (_("Purpose"), "" if purpose is None else local(purpose.name)),
        (_("Fields"), ", ".join(local(field.name) for field in line.fields)),
        (_("Case"), line.case or ""),
        (_("Reason given"), line.justification or ""),
        (_("Entry"), grouped(line.seq)),
    ]
    return _part(moment(line.occurred_at), facts)


def _consent(consent: ShownConsent) -> Part:
    notice = consent.notice
    fields = (
        f"{local(registry.name)}: {local(field.name)}" for registry in notice.registries for field in registry.fields
    )
    facts = [
        (_("State"), str(CONSENT_STATES[consent.state])),
        (_("What for"), local(notice.purpose.name)),
        (_("Fields"), "; ".join(fields)),
        (_("Asked"), moment(consent.asked_at)),
        (_("You decided"), "" if consent.decided_at is None else moment(consent.decided_at)),
        (_("Holds until"), "" if consent.ends_at is None else moment(consent.ends_at)),
        (_("You ended it"), "" if consent.ended_at is None else moment(consent.ended_at)),
    ]
    return _part(local(notice.recipient.name), facts)


def _dispute(dispute: ShownDispute) -> Part:
    organisation = house().catalogue.organisations.get(dispute.organisation)
    facts = [
        (_("With whom"), dispute.organisation if organisation is None else local(organisation.name)),
        (_("What about"), f"{SHORT_KINDS[dispute.kind]} ({ARTICLES[dispute.kind]})"),
        (_("Opened"), moment(dispute.opened_at)),
        (_("Answer due"), day(dispute.due_on)),
        (_("State"), str(STATES[dispute.state])),
        (_("Decision"), "" if dispute.ruling is None else str(TOLD_RULINGS[dispute.ruling])),
        *((_step(message), message.text) for message in dispute.messages),
    ]
    return _part(_("Dispute %(number)s", number=dispute.number), facts)


def _step(message: Message) -> str:
    return f"{STEPS[message.step]}, {moment(message.written_at)}"


def _how_to_check() -> str:
    return _(
        "Each entry of the log has a receipt in the folder receipts, under its number. README.txt says how you or"
        " anybody else can check it, also without this portal."
    )
