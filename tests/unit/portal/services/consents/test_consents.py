"""Consents: nothing without a yes, only what was said yes to, and not a moment after the no."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from audit.entry import Access
from audit.errors import LogUnavailable
from audit.log import TrailQuery
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.consents import (
    ConsentAlreadyDecided,
    ConsentKeyTaken,
    ConsentNotInForce,
    ConsentRequestRefused,
    ConsentState,
    TooManyRequests,
)
from portal.domain.errors import DisclosureUnavailable, NothingHere
from portal.domain.machines import ClientRefused
from portal.services.machines import Admitted
from portal.services.sealing import Sealer
from tests.factories.people import JUHAN, MARY, a_citizen
from tests.factories.recipients import FIELDS, Hall, a_recipient, shipped_rules

MARI = a_citizen()
BANK = a_recipient()


def _given(hall: Hall, **changes: object) -> str:
    consent = hall.ask(**changes).consent_id
    hall.consents.own.give(MARI, consent, request_id="give")
    return consent


def _use(
    hall: Hall, consent: str, wanted: dict[str, tuple[str, ...]] | None = None, by: Admitted = BANK
) -> dict[str, object]:
    used = hall.consents.uses.use(by, consent, wanted, request_id="use")
    return {
        one.registry: None if one.records is None else [{k: v.value for k, v in r.fields.items()} for r in one.records]
        for one in used.disclosures
    }


def _entries(hall: Hall, action: Action) -> list[Access]:
    found = [logged.access for logged in hall.house.log.stream(TrailQuery()) if logged.access]
    return [access for access in found if access.action == action]


def test_the_person_reads_who_asks_for_exactly_what_and_for_how_long(hall: Hall) -> None:
    consent = hall.consents.own.one(MARI, hall.ask().consent_id)
    assert consent.state is ConsentState.WAITING
    assert consent.notice.recipient.name.en == "Järve Bank"
    assert consent.notice.fields == FIELDS
    assert (consent.notice.days, consent.notice.continuing) == (30, True)
    assert consent.expires_at - consent.asked_at == timedelta(days=14)


def test_a_yes_hands_over_exactly_the_fields_and_each_registry_is_an_entry_with_the_consents_reference(
    hall: Hall,
) -> None:
    consent = _given(hall)
    assert _use(hall, consent) == {
        "population": [{"given-names": "Mari", "address": "Pikk 1"}],
        "tax-benefits": [{"declared-income": "1200.00"}],
    }
    uses = _entries(hall, Action.CONSENT_USE)
    assert [(use.registry, use.fields, use.outcome) for use in uses] == [
        (registry, fields, Outcome.RELEASED) for registry, fields in FIELDS.items()
    ]
    assert all(use.details["consent"] == consent and use.automatic and use.organisation == "jarve-bank" for use in uses)
    assert hall.consents.own.one(MARI, consent).uses == 1


@pytest.mark.parametrize("answer", ["none", "refuse"])
def test_without_a_yes_nothing_is_handed_over_and_the_attempt_is_in_the_history(hall: Hall, answer: str) -> None:
    consent = hall.ask().consent_id
    if answer == "refuse":
        hall.consents.own.refuse(MARI, consent, request_id="refuse")
    with pytest.raises(ConsentNotInForce):
        _use(hall, consent)
    assert [(use.outcome, use.reason) for use in _entries(hall, Action.CONSENT_USE)] == [
        (Outcome.DENIED, Reason.CONSENT_NOT_IN_FORCE)
    ] * 2
    assert hall.house.registries["population"].asked == []


def test_a_use_a_millisecond_after_the_end_is_refused_and_logged(hall: Hall) -> None:
    consent = _given(hall)
    _use(hall, consent)
    hall.consents.own.end(MARI, consent, request_id="end")
    hall.wait(milliseconds=1)
    with pytest.raises(ConsentNotInForce):
        _use(hall, consent)
    assert _entries(hall, Action.CONSENT_USE)[-1].reason == Reason.CONSENT_NOT_IN_FORCE
    assert hall.consents.own.one(MARI, consent).state is ConsentState.ENDED
    assert hall.consents.requests.standing(BANK, consent).state == "ended"


def test_a_consent_ends_by_itself_when_its_time_is_over(hall: Hall) -> None:
    consent = _given(hall)
    hall.wait(days=30)
    with pytest.raises(ConsentNotInForce):
        _use(hall, consent)
    assert hall.consents.own.one(MARI, consent).state is ConsentState.OVER
    with pytest.raises(ConsentAlreadyDecided):
        hall.consents.own.end(MARI, consent, request_id="end")


def test_a_request_that_nobody_answers_expires_and_cannot_be_given_any_more(hall: Hall) -> None:
    consent = hall.ask().consent_id
    hall.wait(days=14)
    with pytest.raises(ConsentAlreadyDecided):
        hall.consents.own.give(MARI, consent, request_id="give")
    assert hall.consents.own.one(MARI, consent).state is ConsentState.EXPIRED
    assert hall.consents.requests.standing(BANK, consent).state == "not-given"


def test_a_consent_for_one_use_gives_once(hall: Hall) -> None:
    consent = _given(hall, continuing=False)
    _use(hall, consent)
    with pytest.raises(ConsentNotInForce):
        _use(hall, consent)
    assert hall.consents.own.one(MARI, consent).state is ConsentState.USED


def test_a_use_that_no_registry_answered_does_not_count(hall: Hall) -> None:
    consent = _given(hall, continuing=False)
    for code in FIELDS:
        hall.house.registries[code].is_down = True
    assert _use(hall, consent) == {"population": None, "tax-benefits": None}
    for code in FIELDS:
        hall.house.registries[code].is_down = False
    assert _use(hall, consent)["tax-benefits"] == [{"declared-income": "1200.00"}]


def test_a_use_that_cannot_be_logged_releases_nothing_and_does_not_count(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent = _given(hall, continuing=False)

    def _down(_accesses: object) -> None:
        raise LogUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(hall.house.log, "append_all", _down)
        with pytest.raises(DisclosureUnavailable):
            _use(hall, consent)
    assert hall.house.registries["population"].asked == []
    assert _use(hall, consent)


def test_a_part_of_the_consent_can_be_used_and_no_more_than_it(hall: Hall) -> None:
    consent = _given(hall)
    assert _use(hall, consent, {"population": ("given-names",)}) == {"population": [{"given-names": "Mari"}]}
    with pytest.raises(ConsentNotInForce):
        _use(hall, consent, {"population": ("given-names", "date-of-birth")})
    denied = _entries(hall, Action.CONSENT_USE)[-1]
    assert (denied.outcome, denied.reason) == (Outcome.DENIED, Reason.BEYOND_CONSENT)


def test_another_recipients_consent_is_as_if_it_were_not_there(hall: Hall) -> None:
    consent = _given(hall)
    insurer = a_recipient("kindel-insurance")
    with pytest.raises(NothingHere):
        _use(hall, consent, by=insurer)
    with pytest.raises(NothingHere):
        hall.consents.requests.standing(insurer, consent)


def test_another_persons_consent_is_as_if_it_were_not_there(hall: Hall) -> None:
    consent = hall.ask().consent_id
    juhan = a_citizen(JUHAN, "account-juhan")
    assert hall.consents.own.all(juhan) == []
    for act in (hall.consents.own.give, hall.consents.own.refuse, hall.consents.own.end):
        with pytest.raises(NothingHere):
            act(juhan, consent, request_id="try")


def test_a_token_for_other_registries_neither_asks_nor_uses(hall: Hall) -> None:
    consent = _given(hall)
    narrow = Admitted(BANK.client, frozenset({"consents.use:land", "consents.request:land"}))
    with pytest.raises(ClientRefused):
        _use(hall, consent, by=narrow)
    with pytest.raises(ClientRefused):
        hall.ask("request-0002", narrow)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"fields": {"population": ("protection",)}}, "fields.population"),
        ({"fields": {"population": ("relation",)}}, "fields.population"),
        ({"fields": {"health-insurance": ("insurance-basis",)}}, "fields.health-insurance"),
        ({"fields": {"nowhere": ("given-names",)}}, "fields.nowhere"),
        ({"fields": {"population": ("address", "address")}}, "fields.population"),
        ({"fields": {}}, "fields"),
        ({"purpose": "benefit-claim"}, "purpose"),
        ({"purpose": "motor-insurance-quote"}, "purpose"),
        ({"purpose": "no-such"}, "purpose"),
        ({"days": 366}, "days"),
    ],
)
def test_what_the_catalogue_does_not_give_by_consent_cannot_be_asked_for(
    quick_hall: Hall, changes: dict[str, object], part: str
) -> None:
    hall = quick_hall
    with pytest.raises(ConsentRequestRefused) as refused:
        hall.ask(**changes)
    assert part in refused.value.mistakes
    assert hall.consents.own.all(MARI) == []


def test_a_field_that_the_catalogue_forbids_later_is_not_handed_over_under_an_older_consent(hall: Hall) -> None:
    consent = _given(hall)
    purpose = hall.house.catalogue.purposes["loan-application"]
    catalogue = replace(
        hall.house.catalogue,
        purposes=dict(hall.house.catalogue.purposes)
        | {purpose.code: replace(purpose, permits={"population": ("given-names",)})},
    )
    hall.house.catalogue = catalogue
    later = Hall.of(hall.house)
    with pytest.raises(ConsentNotInForce):
        _use(later, consent)
    assert _use(later, consent, {"population": ("given-names",)}) == {"population": [{"given-names": "Mari"}]}


def test_a_refusal_looks_to_the_recipient_like_no_answer_at_all(hall: Hall) -> None:
    refused, unanswered = hall.ask("request-0001"), hall.ask("request-0002", subject=JUHAN)
    hall.consents.own.refuse(MARI, refused.consent_id, request_id="refuse")
    standings = [hall.consents.requests.standing(BANK, one.consent_id) for one in (refused, unanswered)]
    assert [one.state for one in standings] == ["waiting", "waiting"]
    hall.wait(days=14)
    standings = [hall.consents.requests.standing(BANK, one.consent_id) for one in (refused, unanswered)]
    assert [(one.state, one.ends_at) for one in standings] == [("not-given", None)] * 2


def test_a_recipient_may_ask_one_person_only_so_often_whatever_they_answered(hall: Hall) -> None:
    for number in range(3):
        consent = hall.ask(f"request-000{number}").consent_id
        if number == 1:
            hall.consents.own.refuse(MARI, consent, request_id="refuse")
    with pytest.raises(TooManyRequests):
        hall.ask("request-0009")
    hall.ask("request-0010", subject=JUHAN)
    hall.ask(
        "request-0011", a_recipient("kodu-housing"), purpose="housing-application", fields={"population": ("address",)}
    )
    hall.wait(days=31)
    hall.ask("request-0012")


def test_a_recipient_may_ask_only_so_many_people_in_a_day(hall: Hall) -> None:
    narrow = Hall.of(hall.house, replace(shipped_rules(), a_day=1))
    narrow.ask()
    with pytest.raises(TooManyRequests):
        narrow.ask("request-0002", subject=JUHAN)


def test_the_same_key_gives_the_first_answer_again_and_no_second_request(hall: Hall) -> None:
    assert hall.ask() == hall.ask()
    assert len(hall.consents.own.all(MARI)) == 1
    assert len(_entries(hall, Action.CONSENT_REQUEST)) == 1
    with pytest.raises(ConsentKeyTaken):
        hall.ask(days=31)


def test_the_same_key_at_once_makes_one_request(hall: Hall) -> None:
    with ThreadPoolExecutor(4) as pool:
        standings = list(pool.map(lambda _: hall.ask(), range(4)))
    assert len({one.consent_id for one in standings}) == 1
    assert len(hall.consents.own.all(MARI)) == 1
    assert len(_entries(hall, Action.CONSENT_REQUEST)) == 1


def test_of_two_ends_at_once_one_is_made_and_the_other_told_so(hall: Hall) -> None:
    consent = _given(hall)
    outcomes = []

    def _end() -> None:
        try:
            hall.consents.own.end(MARI, consent, request_id="end")
            outcomes.append("ended")
        except ConsentAlreadyDecided:
            outcomes.append("told")

    threads = [threading.Thread(target=_end) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ended", "told"]
    assert len(_entries(hall, Action.CONSENT_END)) == 1


def test_of_uses_and_an_end_at_once_none_is_released_after_the_end_in_the_log(hall: Hall) -> None:
    consent = _given(hall)

    def _try(number: int) -> None:
        if number == 3:
            hall.consents.own.end(MARI, consent, request_id="end")
            return
        with suppress(ConsentNotInForce):
            _use(hall, consent)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(_try, range(10)))
    steps = [
        (logged.access.action, logged.access.outcome)
        for logged in hall.house.log.stream(TrailQuery())
        if logged.access and logged.access.action in {Action.CONSENT_USE, Action.CONSENT_END}
    ]
    end = steps.index((Action.CONSENT_END, Outcome.DONE))
    assert (Action.CONSENT_USE, Outcome.RELEASED) not in steps[end:]


def test_a_consent_for_one_use_gives_once_to_many_at_once(hall: Hall) -> None:
    consent = _given(hall, continuing=False)

    def _try(_number: int) -> bool:
        try:
            return bool(_use(hall, consent))
        except ConsentNotInForce:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(_try, range(4))) == 1


def test_every_step_is_an_entry_and_the_giving_commits_to_what_the_person_was_told(hall: Hall) -> None:
    consent = _given(hall)
    hall.consents.own.end(MARI, consent, request_id="end")
    told = hall.consents.own.one(MARI, consent).notice.sha256
    for action in (Action.CONSENT_REQUEST, Action.CONSENT_GIVING, Action.CONSENT_END):
        (entry,) = _entries(hall, action)
        assert (entry.details["consent"], entry.details["terms-sha256"]) == (consent, told)
        assert entry.subject == MARY.subject


def test_a_yes_that_cannot_be_logged_is_none(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    consent = hall.ask().consent_id

    def _down(_accesses: object) -> None:
        raise LogUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(hall.house.log, "append_all", _down)
        with pytest.raises(DisclosureUnavailable):
            hall.consents.own.give(MARI, consent, request_id="give")
    assert hall.consents.own.one(MARI, consent).state is ConsentState.WAITING


def test_neither_the_person_nor_what_was_asked_stands_in_the_database_in_the_clear(hall: Hall) -> None:
    hall.ask()
    with hall.house.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT * FROM consents").one()
    stored = b" ".join(bytes(part) for part in row if isinstance(part, bytes | memoryview))
    assert MARY.reveal().encode() not in stored
    assert b"address" not in stored
    assert Sealer("master").blind_index(MARY.subject, "consents/subject") in stored
