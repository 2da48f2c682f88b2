"""The gate: no entry, no data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from audit.entry import Access
from audit.errors import LogFrozen, LogOverloaded, LogUnavailable
from audit.log import Acknowledgement, AuditLog, TrailQuery
from portal.domain.actions import Action, Reason
from portal.domain.errors import DisclosureUnavailable
from portal.registries.records import FieldValue
from portal.services.clock import system_clock
from portal.services.disclosure import Gate, Grant
from tests.factories.logs import LogHome
from tests.factories.people import JUHAN, MARY, a_caseworker, a_citizen
from tests.fakes.registry import OWN, AnsweredWithoutAnEntry, FakeRegistry


@pytest.fixture
def log(tmp_path: Path, sqlite_url: str) -> Iterator[AuditLog]:
    log = LogHome.make(tmp_path, sqlite_url).open()
    yield log
    log.close()


@pytest.fixture
def registry(log: AuditLog) -> FakeRegistry:
    registry = FakeRegistry("population", log)
    registry.holds(MARY, name="Mari Maasikas", address="Pikk 1, Tallinn")
    registry.holds(JUHAN, name="Juhan Juurikas", address="Lai 2, Tartu")
    return registry


@pytest.fixture
def gate(log: AuditLog, registry: FakeRegistry) -> Gate:
    return Gate(log, {"population": registry}, system_clock)


def a_grant(**changes: Any) -> Grant:
    values: dict[str, Any] = {
        "actor": a_caseworker(),
        "action": Action.READ,
        "subject": MARY,
        "registry": "population",
        "fields": ("name",),
        "purpose": "benefit-decision",
        "lawful_basis": "GDPR Article 6(1)(e)",
        "request_id": "0011",
        "case": "C-1",
        "justification": "Deciding the housing benefit claim of 3 March",
    }
    return Grant(**values | changes)


class SilentLog:
    """A log that cannot make anything durable."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def append_all(self, accesses: Sequence[Access]) -> list[Acknowledgement]:
        raise self._error


def test_data_are_released_after_their_entry_and_with_exactly_the_granted_fields(gate: Gate, log: AuditLog) -> None:
    disclosure = gate.disclose([a_grant()])[0]
    assert disclosure.records is not None
    assert [dict(record.fields) for record in disclosure.records] == [{"name": FieldValue("Mari Maasikas", OWN)}]
    access = log.entry(disclosure.entry).access
    assert access is not None
    assert (access.subject, access.fields, access.outcome) == (MARY.subject, ("name",), "released")
    assert (access.official, access.organisation) == ("account-caseworker", "social-insurance-board")


@pytest.mark.parametrize(
    "error",
    [LogUnavailable("no disk"), LogOverloaded("full", retry_after=1.0), LogFrozen("rolled back")],
    ids=["unavailable", "overloaded", "frozen"],
)
def test_when_the_log_cannot_write_nothing_is_asked_and_nothing_released(
    registry: FakeRegistry, error: Exception
) -> None:
    gate = Gate(SilentLog(error), {"population": registry}, system_clock)  # type: ignore[arg-type]
    for ask in (gate.disclose, gate.confirm, lambda grants: gate.refuse(grants, Reason.ROLE)):
        with pytest.raises(DisclosureUnavailable):
            ask([a_grant()])
    assert registry.asked == []


def test_the_fake_registry_would_notice_data_without_an_entry(registry: FakeRegistry) -> None:
    with pytest.raises(AnsweredWithoutAnEntry):
        registry.fetch(MARY, ("name",))


def test_an_entry_about_one_person_does_not_open_another(gate: Gate, registry: FakeRegistry) -> None:
    gate.disclose([a_grant(subject=MARY)])
    with pytest.raises(AnsweredWithoutAnEntry):
        registry.fetch(JUHAN, ("name",))


def test_what_a_mistaken_connector_adds_is_not_released(gate: Gate, registry: FakeRegistry) -> None:
    registry.blurts_out = {"address": FieldValue("Pikk 1, Tallinn", OWN)}
    disclosure = gate.disclose([a_grant()])[0]
    assert disclosure.records is not None
    assert [set(record.fields) for record in disclosure.records] == [{"name"}]


def test_a_registry_that_fails_leaves_a_second_entry_that_points_to_the_first(
    gate: Gate, registry: FakeRegistry, log: AuditLog
) -> None:
    registry.is_down = True
    disclosure = gate.disclose([a_grant()])[0]
    assert disclosure.records is None
    failure = log.read(TrailQuery(outcome="failed")).items[0].access
    assert failure is not None
    assert failure.reason == Reason.REGISTRY_UNAVAILABLE
    assert failure.details["refers-to"] == disclosure.entry


def test_a_failure_that_cannot_be_recorded_is_no_quiet_success(
    log: AuditLog, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(log, {"population": registry}, system_clock)
    registry.is_down = True
    append_all = log.append_all
    calls = []

    def once(accesses: Sequence[Access]) -> list[Acknowledgement]:
        calls.append(accesses)
        if len(calls) > 1:
            raise LogUnavailable("no disk")
        return append_all(accesses)

    monkeypatch.setattr(log, "append_all", once)
    with pytest.raises(DisclosureUnavailable):
        gate.disclose([a_grant()])


def test_several_registries_are_recorded_together_before_the_first_is_asked(log: AuditLog) -> None:
    registries = {code: FakeRegistry(code, log) for code in ("population", "vehicles")}
    for registry in registries.values():
        registry.holds(MARY, name="Mari")
    gate = Gate(log, registries, system_clock)
    disclosures = gate.disclose([a_grant(registry=code) for code in registries])
    assert [disclosure.entry for disclosure in disclosures] == [0, 1]
    assert log.checkpoint().checkpoint.size == 2


def test_asking_whether_anything_is_held_is_an_entry_without_fields(gate: Gate, log: AuditLog) -> None:
    own = a_grant(actor=a_citizen(), action=Action.OWN_CONFIRMATION, fields=(), case=None, justification=None)
    confirmation = gate.confirm([own])[0]
    assert confirmation.count == 1
    access = log.entry(confirmation.entry).access
    assert access is not None
    assert (access.action, access.fields, access.official) == ("own-confirmation", (), None)


def test_a_refusal_is_an_entry_and_asks_no_registry(gate: Gate, registry: FakeRegistry, log: AuditLog) -> None:
    entry = gate.refuse([a_grant(fields=())], Reason.OWN_RECORD)
    access = log.entry(entry).access
    assert access is not None
    assert (access.outcome, access.reason, access.fields) == ("denied", "own-record", ())
    assert registry.asked == []
