"""Consents over HTTP: the recipient's API, and the person's pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from audit.log import TrailQuery
from portal.domain.actions import Action
from tests.factories.apps import FakePortal
from tests.factories.client_systems import a_certificate, claims, token_form, write_catalogue
from tests.factories.people import JUHAN, MARY
from tests.factories.recipients import a_consent_body, bank_client
from tests.fakes.hostile_provider import signed

SCHEMA = json.loads((Path(__file__).parents[3] / "vectors" / "consent-record.schema.json").read_text(encoding="utf-8"))


class Bank:
    """The bank's system behind the proxy at 127.0.0.1."""

    def __init__(self, portal: FakePortal) -> None:
        self.portal = portal
        self._headers = {"X-Client-Certificate": a_certificate("bank").header}
        form = token_form(signed(claims(iss="bank-system", sub="bank-system")))
        answer = portal.app.test_client().post("/api/oauth/token", data=form, headers=self._headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        self._headers["Authorization"] = f"Bearer {answer.json['access_token']}"

    def post(self, path: str, body: Any, key: str = "request-0001") -> Any:
        headers = self._headers | {"Idempotency-Key": key}
        return self.portal.app.test_client().post(path, json=body, headers=headers)

    def get(self, path: str) -> Any:
        return self.portal.app.test_client().get(path, headers=self._headers)

    def ask(self, key: str = "request-0001", **changes: Any) -> str:
        answer = self.post("/api/v1/consent-requests", a_consent_body(**changes), key)
        assert answer.status_code == 202, answer.get_data(as_text=True)
        consent: str = answer.json["id"]
        return consent


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bank]:
    catalogue = write_catalogue(tmp_path, bank_client())
    machines = {"certificate_proxies": "127.0.0.1/32"}
    portal = FakePortal.build(tmp_path, monkeypatch, catalogue_dir=catalogue, machines=machines)
    portal.registries["population"].holds(MARY, **{"given-names": "Mari", "address": "Pikk 1"})
    portal.registries["tax-benefits"].holds(MARY, **{"declared-income": "1200.00"})
    yield Bank(portal)
    portal.close()


def test_a_consent_goes_from_the_request_over_the_yes_and_the_use_to_the_end(bank: Bank) -> None:
    consent = bank.ask()
    portal, mari = bank.portal, bank.portal.client("citizen")
    assert "asks for your consent" in mari.get("/me").get_data(as_text=True)
    page = mari.get(f"/me/consents/{consent}").get_data(as_text=True)
    for told in (
        "Järve Bank",
        "Income declared",
        "30 days from your yes",
        "Yes, share these data",
        "No, share nothing",
    ):
        assert told in page
    assert portal.post(mari, f"/me/consents/{consent}/give").status_code == 303
    used = bank.post(f"/api/v1/consents/{consent}/use", {})
    assert used.json["registries"] == [
        {"registry": "population", "records": [{"given-names": "Mari", "address": "Pikk 1"}], "marks": []},
        {"registry": "tax-benefits", "records": [{"declared-income": "1200.00"}], "marks": []},
    ]
    history = mari.get("/me/accesses").get_data(as_text=True)
    assert "With your consent Järve Bank received 2 fields of your data" in history
    assert portal.post(mari, f"/me/consents/{consent}/end").status_code == 303
    refused = bank.post(f"/api/v1/consents/{consent}/use", {})
    assert (refused.status_code, refused.json["title"]) == (403, "This consent gives nothing now")
    assert "was refused. Nothing was shown." in mari.get("/me/accesses").get_data(as_text=True)
    again = portal.post(mari, f"/me/consents/{consent}/end")
    assert again.status_code == 409
    assert "This was decided before" in again.get_data(as_text=True)


def test_what_is_contested_says_so_in_the_answer_and_what_was_not_given_says_nothing(bank: Bank) -> None:
    consent, portal = bank.ask(), bank.portal
    mari = portal.client("citizen")
    portal.post(mari, f"/me/consents/{consent}/give")
    why = "I moved away two years ago, as I told the office then."
    for registry, field in (("population", "address"), ("population", "sex"), ("land", "plot")):
        portal.post(mari, f"/me/records/{registry}/{field}/contest", kind="rectification", text=why)
    population, tax = bank.post(f"/api/v1/consents/{consent}/use", {}).json["registries"]
    [mark] = population["marks"]
    assert (mark["field"], mark["kind"]) == ("address", "contested")
    assert datetime.fromisoformat(mark["since"]).tzinfo is not None
    assert tax["marks"] == []


def test_the_answer_is_the_same_for_a_person_with_and_without_an_account_or_a_record(bank: Bank) -> None:
    nobody = "49403136515"
    answers = []
    for key, code in (("request-0001", MARY.reveal()), ("request-0002", JUHAN.reveal()), ("request-0003", nobody)):
        asked = bank.post("/api/v1/consent-requests", a_consent_body() | {"subject": code}, key)
        told = bank.get(f"/api/v1/consents/{asked.json['id']}")
        used = bank.post(f"/api/v1/consents/{asked.json['id']}/use", {})
        answers.append((asked.status_code, asked.json["state"], told.json["state"], used.status_code, used.get_data()))
    assert len(set(answers)) == 1


def test_no_personal_code_stands_in_any_address(bank: Bank) -> None:
    rules = [rule.rule for rule in bank.portal.app.url_map.iter_rules() if "consent" in rule.rule]
    assert all("subject" not in rule and "code" not in rule for rule in rules)
    answer = bank.post("/api/v1/consent-requests", a_consent_body())
    assert MARY.reveal() not in answer.headers["Location"] + answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"subject": "38001085719"}, "subject"),
        ({"fields": {"population": ["protection"]}}, "fields.population"),
        ({"fields": {"population": []}}, "fields.population"),
        ({"days": 0}, "days"),
        ({"continuing": "yes"}, "continuing"),
        ({"more": 1}, "more"),
    ],
)
def test_a_request_that_cannot_be_is_told_what_is_wrong_and_not_kept(
    bank: Bank, changes: dict[str, Any], part: str
) -> None:
    answer = bank.post("/api/v1/consent-requests", a_consent_body() | changes)
    assert answer.status_code == 422
    assert part in answer.json["mistakes"]
    assert "Nobody has asked" in bank.portal.client("citizen").get("/me/consents").get_data(as_text=True)


def test_asking_too_often_is_told_so(bank: Bank) -> None:
    for number in range(3):
        bank.ask(f"request-000{number}")
    assert bank.post("/api/v1/consent-requests", a_consent_body(), "request-0009").status_code == 429


def test_both_sides_take_the_record_away_and_each_time_is_an_entry(bank: Bank) -> None:
    consent = bank.ask()
    assert bank.get(f"/api/v1/consents/{consent}/record").status_code == 404
    mari = bank.portal.client("citizen")
    bank.portal.post(mari, f"/me/consents/{consent}/give")
    for answer in (mari.get(f"/me/consents/{consent}/record"), bank.get(f"/api/v1/consents/{consent}/record")):
        assert answer.mimetype == "application/ld+json"
        jsonschema.validate(answer.json, SCHEMA)
        assert answer.json["pii_processing"]["withdrawal_method"].endswith(f"/me/consents/{consent}")
    actions = [entry.access.action for entry in bank.portal.house.log.stream(TrailQuery()) if entry.access]
    assert [one for one in actions if "record" in one] == [Action.OWN_CONSENT_RECORD, Action.CONSENT_RECORD]


def test_another_persons_consent_and_none_at_all_look_alike(bank: Bank) -> None:
    consent = bank.ask()
    juhan = bank.portal.client("neighbour")
    for path in (f"/me/consents/{consent}", "/me/consents/nothing", f"/me/consents/{consent}/record"):
        assert juhan.get(path).status_code == 404
    for act in ("give", "refuse", "end"):
        assert bank.portal.post(juhan, f"/me/consents/{consent}/{act}").status_code == 404


def test_yes_and_no_are_offered_alike_and_nothing_is_chosen_beforehand(bank: Bank) -> None:
    page = bank.portal.client("citizen").get(f"/me/consents/{bank.ask()}").get_data(as_text=True)
    assert "checked" not in page
    yes, no = (page.split(word)[0].rpartition("<button")[2] for word in ("Yes, share these data", "No, share nothing"))
    assert yes.split() == no.split()


def test_the_description_names_the_ways_and_their_bodies(bank: Bank) -> None:
    described = bank.get("/api/v1/openapi.json").json
    assert "post" in described["paths"]["/api/v1/consents/{id}/use"]
    body = described["paths"]["/api/v1/consent-requests"]["post"]["requestBody"]["content"]["application/json"]
    schema = described["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]
    assert set(schema["required"]) == {"subject", "purpose", "fields", "days", "continuing"}
