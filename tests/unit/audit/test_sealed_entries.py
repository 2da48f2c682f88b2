"""An entry that a seal withholds from its subject: in the log like any other, and in nothing that they can ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from audit.entry import decode_leaf, label
from audit.errors import EntryRefused
from audit.log import AuditLog, TrailQuery
from audit.verify import verify_receipt
from tests.factories.logs import LogHome, an_access

MARY, JUHAN = "EE38001085718", "EE37605030299"
SEAL = "5f0c1c1e-seal"


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> LogHome:
    return LogHome.make(tmp_path, database_url)


@pytest.fixture
def log(home: LogHome) -> Iterator[AuditLog]:
    log = home.open()
    yield log
    log.close()


def _seqs(log: AuditLog, **criteria: object) -> list[int]:
    return [item.seq for item in log.read(TrailQuery(**criteria)).items]  # type: ignore[arg-type]


def _change(home: LogHome, statement: str) -> None:
    engine = create_engine(home.settings.database_url)
    with engine.begin() as connection:
        for trigger in ("update", "delete"):
            on_table = " ON sealed" if engine.dialect.name == "postgresql" else ""
            connection.execute(text(f"DROP TRIGGER sealed_refuses_{trigger}{on_table}"))
        connection.execute(text(statement))
    engine.dispose()


def test_a_sealed_entry_is_in_the_log_and_in_no_answer_about_its_subject(log: AuditLog) -> None:
    log.append_all([an_access(), an_access(seal=SEAL, organisation="police"), an_access(subject=JUHAN)])
    assert _seqs(log) == [2, 1, 0]
    assert _seqs(log, organisation="police") == [1]
    assert log.count(TrailQuery()) == 3
    assert _seqs(log, subject=MARY) == [0]
    assert _seqs(log, subject=MARY, organisation="police") == []
    assert log.count(TrailQuery(subject=MARY)) == 1
    assert log.counts_by(TrailQuery(subject=MARY), "organisation") == {"social-insurance": 1}
    assert sum(log.counts_by_day(TrailQuery(subject=MARY)).values()) == 1
    assert [item.seq for item in log.stream(TrailQuery(subject=MARY))] == [0]
    assert log.verify().ok


def test_who_may_know_of_it_finds_it_by_the_seal_or_with_all_of_the_persons(log: AuditLog) -> None:
    log.append_all([an_access(), an_access(seal=SEAL), an_access(seal="another"), an_access(subject=JUHAN, seal=SEAL)])
    assert _seqs(log, subject=MARY, with_sealed=True) == [2, 1, 0]
    assert _seqs(log, subject=MARY, seal=SEAL) == [1]
    assert _seqs(log, subject=JUHAN, with_sealed=True) == [3]
    with pytest.raises(ValueError, match="of one subject"):
        TrailQuery(seal=SEAL)


def test_its_label_is_under_the_seals_key_and_leaves_no_gap_in_the_subjects_count(log: AuditLog) -> None:
    log.append_all([an_access(), an_access(seal=SEAL), an_access(seal=SEAL), an_access()])
    receipts = [log.receipt(seq, for_subject=True) for seq in range(4)]
    assert [receipt.label_count for receipt in receipts] == [1, 1, 2, 2]
    own, sealed = receipts[0].label_key, receipts[1].label_key
    assert own == receipts[3].label_key
    assert sealed == receipts[2].label_key != own
    labels = {decode_leaf(receipt.leaf).label for receipt in receipts}
    assert own is not None
    assert {label(own, k) for k in range(1, 100)} & labels == {label(own, 1), label(own, 2)}


def test_two_people_under_one_seal_are_not_joined_by_its_key(log: AuditLog) -> None:
    log.append_all([an_access(seal=SEAL), an_access(subject=JUHAN, seal=SEAL)])
    first, second = (log.receipt(seq, for_subject=True) for seq in (0, 1))
    assert first.label_key != second.label_key


def test_the_receipt_of_a_sealed_entry_verifies_like_any_other(home: LogHome, log: AuditLog) -> None:
    log.append(an_access(seal=SEAL))
    verdict = verify_receipt(log.receipt(0, for_subject=True).text, [home.verifier])
    assert verdict.access is not None
    assert (verdict.access.seal, verdict.is_own_label, verdict.label_count) == (SEAL, True, 1)


def test_a_seal_of_nobody_is_refused() -> None:
    with pytest.raises(EntryRefused, match="seal"):
        an_access(subject=None, seal=SEAL)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM sealed WHERE seq = 1",
        "UPDATE sealed SET seq = 0 WHERE seq = 1",
        "INSERT INTO sealed (seq, owner_index) SELECT 0, owner_index FROM sealed",
    ],
)
def test_verification_names_the_entry_that_an_auditor_would_no_longer_find(home: LogHome, statement: str) -> None:
    log = home.open()
    log.append_all([an_access(), an_access(seal=SEAL)])
    log.close()
    assert home.verify().ok
    _change(home, statement)
    report = home.verify()
    assert not report.ok
    assert report.first_broken == (1 if statement.startswith("DELETE") else 0)


def test_the_index_of_sealed_entries_only_grows(home: LogHome, log: AuditLog) -> None:
    log.append(an_access(seal=SEAL))
    engine = create_engine(home.settings.database_url)
    for statement in ("DELETE FROM sealed", "UPDATE sealed SET seq = 7"):
        with pytest.raises(DBAPIError, match="only grows"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()


def test_erasing_a_person_erases_what_was_sealed_about_them_too(home: LogHome, log: AuditLog) -> None:
    log.append_all([an_access(), an_access(seal=SEAL), an_access(subject=JUHAN, seal=SEAL)])
    assert log.erase_subject(MARY, basis="GDPR Article 17(1)(d)").entries == 2
    assert _seqs(log, subject=MARY, with_sealed=True) == []
    assert log.entry(1).access is None
    assert _seqs(log, subject=JUHAN, with_sealed=True) == [2]
    assert log.verify().ok
    engine = create_engine(home.settings.database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT seq FROM sealed")).scalars().all() == [2]
        assert connection.execute(text("SELECT count(*) FROM subjects")).scalar_one() == 2  # Juhan's seal; the log's
    engine.dispose()


def test_erasing_one_sealed_entry_leaves_no_trace_of_whose_it_was(home: LogHome, log: AuditLog) -> None:
    log.append_all([an_access(seal=SEAL), an_access(seal=SEAL)])
    log.erase_entries([0], basis="GDPR Article 17(1)(d)")
    assert _seqs(log, subject=MARY, with_sealed=True) == [1]
    assert log.verify().ok
    engine = create_engine(home.settings.database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT seq FROM sealed")).scalars().all() == [1]
    engine.dispose()
