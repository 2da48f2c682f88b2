"""A search finds what fits and nothing else, whatever is combined, newest first, on both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from audit import searching
from audit.criteria import TrailQuery
from audit.entry import Access
from audit.errors import LogUnavailable
from audit.log import AuditLog, Precision, create_log
from tests.factories.logs import NOON, LogHome, TickingClock, an_access


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> LogHome:
    return LogHome.make(tmp_path, database_url)


@dataclass(frozen=True)
class Filled:
    log: AuditLog
    accesses: list[Access]

    def fitting(self, wanted: Mapping[str, object]) -> list[int]:
        """What a plain loop over everything finds."""
        return [seq for seq, one in reversed(list(enumerate(self.accesses))) if _fits(one, wanted)]

    def found(self, query: TrailQuery, page: int = 7) -> list[int]:
        numbers: list[int] = []
        before: int | None = None
        while True:
            some = self.log.read(query, before=before, limit=page)
            numbers += [item.seq for item in some.items]
            if (before := some.next_before) is None:
                return numbers


def _fits(access: Access, wanted: Mapping[str, object]) -> bool:
    said = {
        name: getattr(access, name) for name in wanted if name not in {"field", "break_glass", "under_seal", "actions"}
    }
    said |= {"break_glass": "emergency" in access.details, "under_seal": access.seal is not None}
    if "field" in wanted and wanted["field"] not in access.fields:
        return False
    if "actions" in wanted and access.action not in wanted["actions"]:  # type: ignore[operator]
        return False
    return all(said[name] == value for name, value in wanted.items() if name not in {"field", "actions"})


def _some_access(draw: random.Random) -> Access:
    subject = draw.choice(["EE38001085718", "EE60001019906", "EE37605030299", None])
    return an_access(
        subject=subject,
        organisation=draw.choice(["police", "health-board", "social-insurance"]),
        official=draw.choice(["official-1", "official-2", None]),
        role=draw.choice(["caseworker", "supervisor", None]),
        purpose=draw.choice(["benefit-decision", "emergency"]),
        registry=draw.choice(["population", "health"]),
        fields=tuple(draw.sample(["name", "address", "diagnosis"], draw.randrange(4))),
        case=draw.choice(["C-1", "C-2", None]),
        action=draw.choice(["read", "automated-read"]),
        outcome=draw.choice(["released", "denied", "failed"]),
        automatic=draw.random() < 0.5,
        details={"emergency": "E-1"} if draw.random() < 0.2 else {},
        seal="S-1" if subject and draw.random() < 0.2 else None,
    )


@pytest.fixture
def filled(home: LogHome) -> Iterator[Filled]:
    draw = random.Random(11)
    accesses = [_some_access(draw) for _ in range(400)]
    log = home.open()
    for start in range(0, 400, 100):
        log.append_all(accesses[start : start + 100])
    yield Filled(log, accesses)
    log.close()
    assert home.verify().ok


_CRITERIA: dict[str, list[Any]] = {
    "subject": ["EE38001085718", "EE00000000000"],
    "organisation": ["police", "nobody"],
    "official": ["official-1", "official-9"],
    "role": ["caseworker", "auditor"],
    "purpose": ["emergency"],
    "registry": ["health"],
    "field": ["diagnosis", "name"],
    "case": ["C-2"],
    "outcome": ["denied"],
    "automatic": [True, False],
    "break_glass": [True, False],
    "under_seal": [True, False],
    "actions": [frozenset({"automated-read"}), frozenset({"read", "automated-read"})],
}


def test_each_criterion_and_any_combination_find_what_a_plain_loop_finds(filled: Filled) -> None:
    draw = random.Random(12)
    asked = [{name: value} for name, values in _CRITERIA.items() for value in values]
    for _ in range(30):
        names = draw.sample(sorted(_CRITERIA), draw.randrange(2, 5))
        asked.append({name: draw.choice(_CRITERIA[name]) for name in names})
    for wanted in asked:
        query = TrailQuery(**wanted, with_sealed="subject" in wanted)
        expected = filled.fitting(wanted)
        assert filled.found(query, page=60) == expected, wanted
        total = filled.log.total(query)
        assert (total.number, total.precision) == (len(expected), Precision.EXACT), wanted
        assert filled.log.count(query) == len(expected), wanted
        assert [item.seq for item in filled.log.stream(query)] == expected[::-1], wanted


def test_what_is_frequent_is_found_as_what_is_rare_is(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_FREQUENT", 2)  # on some pages there are enough near by, on others not
    for wanted in (dict[str, Any](automatic=False), {"organisation": "police"}, {"outcome": "failed", "role": None}):
        assert filled.found(TrailQuery(**wanted), page=9) == filled.fitting(
            {name: value for name, value in wanted.items() if value is not None}
        )


def test_pages_follow_each_other_without_a_gap(filled: Filled) -> None:
    wanted: dict[str, Any] = {"outcome": "released", "automatic": False}
    assert filled.found(TrailQuery(**wanted), page=3) == filled.fitting(wanted)


def test_a_search_says_what_it_finds_and_how_many(filled: Filled) -> None:
    page, total = filled.log.search(TrailQuery(organisation="police"), limit=5)
    assert [item.seq for item in page.items] == filled.fitting({"organisation": "police"})[:5]
    assert total.number == len(filled.fitting({"organisation": "police"}))


def test_days_narrow_any_search_and_hold_erased_entries_too(home: LogHome) -> None:
    clock = TickingClock()
    log = home.open(clock)
    for day in range(6):
        clock.now = NOON + timedelta(days=day)
        log.append_all([an_access(), an_access(outcome="denied")])
    log.erase_entries([4], basis="GDPR Article 17(1)(d)")
    midnight = NOON.replace(hour=0)
    days: dict[str, Any] = {"since": midnight + timedelta(days=2), "until": midnight + timedelta(days=4)}
    assert [item.seq for item in log.read(TrailQuery(**days)).items] == [7, 6, 5, 4]
    assert [item.seq for item in log.read(TrailQuery(outcome="released", **days)).items] == [6]
    assert log.total(TrailQuery(**days)).number == 4
    assert log.counts_by(TrailQuery(**days), "outcome") == {"released": 1, "denied": 2}
    assert [item.seq for item in log.read(TrailQuery(subject="EE38001085718", **days)).items] == [7, 6, 5]
    nothing = TrailQuery(since=midnight + timedelta(days=50), outcome="denied")
    assert (log.read(nothing).items, log.total(nothing).number) == ([], 0)
    log.close()


def test_above_the_bound_a_total_is_an_estimate_and_says_so(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "COUNTED", 20)
    some: list[dict[str, Any]] = [{"outcome": "denied"}, {"official": "official-1"}, {"subject": "EE38001085718"}]
    for wanted in (*some, {"official": "official-1", "registry": "health"}, {"automatic": True, "role": "caseworker"}):
        total = filled.log.total(TrailQuery(**wanted, with_sealed="subject" in wanted))
        exact = len(filled.fitting(wanted))
        assert total.precision is Precision.ESTIMATED
        assert exact / 2 < total.number < exact * 2, wanted
    assert filled.log.total(TrailQuery()).precision is Precision.EXACT


def test_a_kind_is_described_once_whatever_process_meets_it(home: LogHome) -> None:
    one, other = home.open(), home.open()
    for log in (one, other, one, other):
        log.append_all([an_access(), an_access(outcome="denied"), an_access(fields=("address", "name"))])
    one.close()
    other.close()
    engine = create_engine(home.settings.database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM kinds")).scalar_one() == 2
        assert connection.execute(text("SELECT count(*) FROM kind_terms")).scalar_one() == 6
    engine.dispose()
    assert home.verify().ok


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM kind_terms WHERE kind = 2",
        "UPDATE kinds SET outcome = 'released' WHERE outcome = 'denied'",
        "UPDATE bodies SET kind = 1",
        "UPDATE bodies SET kind = 77 WHERE seq = 1",
    ],
)
def test_a_kind_that_was_changed_is_found_by_verification(home: LogHome, damage: str) -> None:
    log = home.open()
    log.append_all([an_access(), an_access(outcome="denied")])
    log.close()
    engine = create_engine(home.settings.database_url)
    table = damage.split()[2] if damage.startswith("DELETE") else damage.split()[1]
    verb = damage.split()[0].lower()
    on = f" ON {table}" if engine.dialect.name == "postgresql" else ""
    with engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER {table}_refuses_{verb}{on}"))
        connection.execute(text(damage))
    engine.dispose()
    report = home.verify()
    assert not report.ok
    assert "what a search finds entry 1 by was changed" in str(report)


def test_an_older_log_is_brought_up_to_date_when_it_is_opened_again(filled: Filled, home: LogHome) -> None:
    engine = create_engine(home.settings.database_url)
    _make_old(home)
    with pytest.raises(LogUnavailable, match="of older software"):
        home.open()
    create_log(home.settings)
    create_log(home.settings)  # safe to repeat
    asked: list[dict[str, Any]] = [{"role": "supervisor"}, {"field": "diagnosis", "break_glass": True}]
    for wanted in (*asked, {"organisation": "police"}):
        assert filled.found(TrailQuery(**wanted), page=50) == filled.fitting(wanted)
    with pytest.raises(Exception, match="only grows"), engine.begin() as connection:
        connection.execute(text("UPDATE bodies SET kind = 1"))
    engine.dispose()
    log = home.open()
    log.append(an_access(role="caseworker"))
    log.close()
    assert home.verify().ok


def _make_old(home: LogHome) -> None:
    """The tables as they were before there were kinds."""
    engine = create_engine(home.settings.database_url)
    on = " ON bodies" if engine.dialect.name == "postgresql" else ""
    with engine.begin() as connection:
        for index in ("kind", "subject_kind", "official_kind", "case_kind"):
            connection.execute(text(f"DROP INDEX ix_bodies_{index}"))
        connection.execute(text(f"DROP TRIGGER bodies_refuses_update{on}"))
        connection.execute(text("ALTER TABLE bodies DROP COLUMN kind"))
        connection.execute(text("DROP TABLE kind_terms"))
        connection.execute(text("DROP TABLE kinds"))
    old = [("subject", "subject_index, seq"), ("organisation", "organisation, seq"), ("logged", "logged_ms")]
    with engine.begin() as connection:
        for name, columns in old:
            connection.execute(text(f"CREATE INDEX ix_bodies_{name} ON bodies ({columns})"))
        connection.execute(
            text(
                "CREATE TRIGGER bodies_refuses_update BEFORE UPDATE ON bodies FOR EACH ROW"
                + (
                    " EXECUTE FUNCTION audit_refuse()"
                    if on
                    else " BEGIN SELECT RAISE(ABORT, 'the audit log only grows: UPDATE of bodies refused'); END"
                )
            )
        )
    engine.dispose()
