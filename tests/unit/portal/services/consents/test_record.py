"""The consent record: all fields of ISO/IEC TS 27560, each a term that its own context explains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from audit.receipt import parse_receipt
from portal.domain.errors import NothingHere
from portal.services.consents.record import CONTEXT
from tests.factories.people import a_citizen
from tests.factories.recipients import Hall, a_recipient

SCHEMA = json.loads((Path(__file__).parents[4] / "vectors" / "consent-record.schema.json").read_text(encoding="utf-8"))
MARI = a_citizen()
PAGE = "https://portal.example/me/consents/1"


def _record(hall: Hall, *steps: str, **changes: Any) -> dict[str, Any]:
    consent = hall.ask(**changes).consent_id
    for step in steps:
        if step == "wait":
            hall.wait(days=400)
        elif step == "use":
            hall.consents.uses.use(a_recipient(), consent, None, request_id="use")
        else:
            getattr(hall.consents.own, step)(MARI, consent, request_id=step)
    return hall.consents.records.for_person(MARI, consent, "en", PAGE, request_id="record")


@pytest.mark.parametrize(
    ("steps", "states"),
    [
        ((), ["ConsentRequested"]),
        (("wait",), ["ConsentRequested", "ConsentExpired"]),
        (("refuse",), ["ConsentRequested", "ConsentRefused"]),
        (("give",), ["ConsentRequested", "ConsentGiven"]),
        (("give", "end"), ["ConsentRequested", "ConsentGiven", "ConsentWithdrawn"]),
        (("give", "wait"), ["ConsentRequested", "ConsentGiven", "ConsentExpired"]),
    ],
)
def test_a_record_in_every_state_keeps_to_the_schema_and_tells_its_events(
    hall: Hall, steps: tuple[str, ...], states: list[str]
) -> None:
    record = _record(hall, *steps)
    jsonschema.validate(record, SCHEMA, jsonschema.Draft202012Validator)
    assert [event["event_state"] for event in record["consent_events"]] == [f"dpv:{state}" for state in states]
    assert ("receipt" in record) == ("give" in steps)


def test_a_record_that_lacks_a_field_of_the_standard_fails_the_schema(hall: Hall) -> None:
    record = _record(hall, "give")
    for part in ("record_id", "pii_principal_id", "pii_processing", "party_identification", "consent_events"):
        broken = {name: value for name, value in record.items() if name != part}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, SCHEMA)


def test_every_term_of_a_record_is_an_absolute_iri_by_the_context_that_it_carries(hall: Hall) -> None:
    record = _record(hall, "give", "end")
    assert record["@context"] == CONTEXT
    for term in _terms(record):
        assert _expanded(term).startswith(("https://", "http://", "urn:", "@")), term


def test_a_term_that_the_context_does_not_know_is_found() -> None:
    with pytest.raises(KeyError):
        _expanded("no_such_field")


def test_the_receipt_proves_the_giving_and_the_recipient_gets_it_without_the_key_to_other_entries(hall: Hall) -> None:
    consent = hall.ask().consent_id
    bank = a_recipient()
    with pytest.raises(NothingHere):
        hall.consents.records.for_recipient(bank, consent, "en", PAGE, request_id="record")
    hall.consents.own.give(MARI, consent, request_id="give")
    own = hall.consents.records.for_person(MARI, consent, "et", PAGE, request_id="record")
    theirs = hall.consents.records.for_recipient(bank, consent, "en", PAGE, request_id="record")
    given = own["consent_events"][1]["log_entry"]
    assert parse_receipt(own["receipt"]).proof.index == parse_receipt(theirs["receipt"]).proof.index == given
    assert parse_receipt(own["receipt"]).label_key
    assert not parse_receipt(theirs["receipt"]).label_key


def test_a_refused_consent_gives_the_recipient_no_record(hall: Hall) -> None:
    consent = hall.ask().consent_id
    hall.consents.own.refuse(MARI, consent, request_id="refuse")
    with pytest.raises(NothingHere):
        hall.consents.records.for_recipient(a_recipient(), consent, "en", PAGE, request_id="record")


def _terms(node: Any) -> list[str]:
    """Every key and type of the document, and every value that by the context is an IRI (JSON-LD 1.1, 4.2)."""
    if isinstance(node, list):
        return [term for one in node for term in _terms(one)]
    if not isinstance(node, dict):
        return []
    found = []
    for key, value in node.items():
        if key == "@context":
            continue
        found += [key, *_terms(value)]
        entry = CONTEXT.get(key)
        is_iri = (
            key in {"@id", "@type"}
            or entry in ("@id", "@type")
            or (isinstance(entry, dict) and entry.get("@type") == "@id")
        )
        if is_iri:
            found += [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
    return found


def _expanded(term: str) -> str:
    """IRI expansion of JSON-LD 1.1 API, section 5.2, as far as this context needs it. Raises KeyError."""
    if term.startswith(("@", "https://", "http://", "urn:")):
        return term
    prefix, colon, rest = term.partition(":")
    if colon:
        return str(CONTEXT[prefix]) + rest
    known = CONTEXT[term]
    return _expanded(known["@id"] if isinstance(known, dict) else known)
