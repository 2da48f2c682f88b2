"""One entry as a sentence to the person it is about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import flask_babel
import pytest
from flask import Flask

from config.settings import Settings
from portal.domain.actions import Action, Outcome
from portal.domain.purposes import OfficialShown
from portal.registries.catalogue import Catalogue, load_catalogue
from portal.services.trail import TrailLine
from portal.services.understanding.kinds import Kind
from portal.web.sentences import sentence


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(Settings.model_fields["catalogue_dir"].default)


@pytest.fixture
def app() -> Iterator[Flask]:
    app = Flask(__name__)
    flask_babel.Babel(app, default_locale="en")
    with app.test_request_context():
        yield app


def line(catalogue: Catalogue, **changes: Any) -> TrailLine:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    registry = catalogue.registries["population"]
    given: dict[str, Any] = {
        "reference": "r",
        "seq": 7,
        "occurred_at": now,
        "logged_at": now,
        "kind": Kind.HUMAN,
        "action": Action.READ,
        "outcome": Outcome.RELEASED,
        "reason": None,
        "organisation": catalogue.organisations["social-insurance-board"],
        "on_behalf_of": None,
        "official": None,
        "role": "caseworker",
        "purpose": catalogue.purposes["benefit-claim"],
        "registry": registry,
        "fields": tuple(registry.fields.values())[:2],
        "case": None,
        "justification": None,
        "lawful_basis": None,
    }
    return TrailLine(**(given | changes))


def test_a_look_names_who_where_and_how_much(app: Flask, catalogue: Catalogue) -> None:
    told = sentence(line(catalogue, official="Kadri T."))
    assert told == ("Kadri T. at Social Insurance Board looked at 2 fields of your data in the Population Register.")


def test_an_official_without_a_name_is_an_official(app: Flask, catalogue: Catalogue) -> None:
    assert sentence(line(catalogue)).startswith("An official at Social Insurance Board looked at 2 fields")


def test_a_pseudonym_is_not_taken_for_a_name(app: Flask, catalogue: Catalogue) -> None:
    hidden = next(p for p in catalogue.purposes.values() if p.official_shown is OfficialShown.PSEUDONYM)
    assert sentence(line(catalogue, official="K3JQ7A", purpose=hidden)).startswith("Official K3JQ7A at ")


def test_the_body_behind_a_contractor_is_named(app: Flask, catalogue: Catalogue) -> None:
    principal = catalogue.organisations["data-protection-inspectorate"]
    assert "Social Insurance Board (for Data Protection Inspectorate) looked" in sentence(
        line(catalogue, on_behalf_of=principal)
    )


def test_one_field_is_one_field(app: Flask, catalogue: Catalogue) -> None:
    one = line(catalogue).fields[:1]
    assert "looked at 1 field of" in sentence(line(catalogue, fields=one))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outcome": Outcome.DENIED, "fields": ()}, "was refused. Nothing was shown."),
        ({"outcome": Outcome.FAILED}, "gave no answer. Nothing was shown."),
        ({"kind": Kind.AUTOMATIC, "action": Action.AUTOMATED_READ}, "No person looked."),
        ({"kind": Kind.OWN, "action": Action.OWN_READ}, "You looked at your own data"),
        ({"kind": Kind.OWN, "action": Action.OWN_CONFIRMATION}, "You asked whether"),
        ({"kind": Kind.OWN, "action": Action.OWN_READ, "outcome": Outcome.FAILED}, "gave no answer"),
        ({"kind": Kind.OWN, "action": Action.SIGN_IN, "registry": None}, "You signed in."),
        ({"kind": Kind.OWN, "action": Action.SIGN_OUT, "registry": None}, "You signed out."),
        ({"action": Action.TRAIL_SEARCH, "registry": None}, "looked through the log for entries about you"),
        ({"action": Action.TRAIL_EXPORT, "registry": None}, "exported entries about you"),
        ({"organisation": None}, "an unknown organisation"),
        ({"action": "a-later-release", "registry": None}, "a-later-release"),
    ],
)
def test_each_kind_of_entry_has_a_sentence_of_its_own(
    app: Flask, catalogue: Catalogue, changes: dict[str, Any], words: str
) -> None:
    assert words in sentence(line(catalogue, **changes))
