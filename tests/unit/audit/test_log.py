"""The log's promises, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from audit.entry import Access
from audit.errors import EntryNotFound, EntryRefused, IdempotencyConflict, KeyRefused, LogFrozen, LogUnavailable
from audit.keys import MasterKey, generate_signing_key
from audit.log import AuditLog, LogSettings, TrailQuery, create_log, open_log
from audit.verify import verify_receipt
from tests.factories.logs import NOON, LogHome, TickingClock, an_access


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> LogHome:
    return LogHome.make(tmp_path, database_url)


@pytest.fixture
def log(home: LogHome) -> Iterator[AuditLog]:
    log = home.open()
    yield log
    log.close()


def test_an_acknowledged_entry_is_read_back_as_it_was_given(log: AuditLog) -> None:
    access = an_access(justification="põhjendus – обоснование 😀", details={"refers-to": 7, "digest": "ab"})
    acknowledged = log.append(access)
    assert acknowledged.seq == 0
    assert acknowledged.tree_size == 1
    assert log.entry(0).access == access
    assert log.entry(0).logged_at == acknowledged.logged_at == NOON + timedelta(seconds=1)


def test_entries_number_on_without_a_gap_across_batches_and_reopenings(home: LogHome) -> None:
    log = home.open()
    numbers = [log.append(an_access()).seq]
    numbers += [entry.seq for entry in log.append_all([an_access() for _ in range(600)])]
    log.close()
    log = home.open()
    numbers.append(log.append(an_access()).seq)
    log.close()
    assert numbers == list(range(602))
    assert home.verify().ok
    assert home.verify().opened == 602


def test_an_empty_log_verifies_and_is_made_only_once(home: LogHome) -> None:
    create_log(home.settings)
    report = home.verify()
    assert (report.ok, report.size) == (True, 0)


def test_every_acknowledgement_comes_with_a_checkpoint_that_covers_it(log: AuditLog) -> None:
    for _ in range(5):
        acknowledged = log.append(an_access())
        assert log.checkpoint().checkpoint.size == acknowledged.tree_size == acknowledged.seq + 1


def test_all_of_several_accesses_are_recorded_or_none(log: AuditLog) -> None:
    bad = an_access(organisation="o" * 65)
    with pytest.raises(EntryRefused, match="organisation"):
        log.append_all([an_access(), bad])
    assert log.checkpoint().checkpoint.size == 0
    assert log.append_all([]) == []


def test_a_repeated_request_gets_the_first_receipt(log: AuditLog) -> None:
    access = an_access()
    first = log.append(access, idempotency_key="request-1")
    log.append(an_access())
    again = log.append(access, idempotency_key="request-1")
    assert (again.seq, again.leaf_hash, again.logged_at) == (first.seq, first.leaf_hash, first.logged_at)
    assert log.checkpoint().checkpoint.size == 2


def test_the_same_key_for_another_access_is_a_conflict(log: AuditLog) -> None:
    log.append(an_access(), idempotency_key="request-1")
    with pytest.raises(IdempotencyConflict):
        log.append(an_access(case="C-2"), idempotency_key="request-1")
    assert log.checkpoint().checkpoint.size == 1


def test_the_same_key_of_another_source_is_another_request(log: AuditLog) -> None:
    log.append(an_access(source="portal"), idempotency_key="request-1")
    log.append(an_access(source="registry-a"), idempotency_key="request-1")
    assert log.checkpoint().checkpoint.size == 2


def test_order_holds_and_time_stands_still_when_the_clock_is_set_back(
    home: LogHome, caplog: pytest.LogCaptureFixture
) -> None:
    clock = TickingClock()
    log = home.open(clock)
    first = log.append(an_access())
    clock.now -= timedelta(hours=1)
    second = log.append(an_access())
    log.close()
    assert second.logged_at == first.logged_at
    assert "behind the newest entry" in caplog.text
    assert home.verify().ok


def _found(log: AuditLog, query: TrailQuery) -> list[int]:
    return [item.seq for item in log.read(query, limit=100).items]


def test_each_criterion_finds_its_entries_and_no_others(log: AuditLog) -> None:
    log.append_all([an_access() for _ in range(3)])  # noise
    wanted = {
        "subject": "EE49403136515",
        "organisation": "police",
        "official": "official-9",
        "purpose": "criminal-proceedings",
        "case": "C-99",
        "registry": "vehicles",
        "outcome": "denied",
    }
    for name, value in wanted.items():
        seq = log.append(an_access(**{name: value})).seq
        assert _found(log, TrailQuery(**{name: value})) == [seq], name  # type: ignore[arg-type]
        assert log.count(TrailQuery(**{name: value})) == 1  # type: ignore[arg-type]
    automatic = log.append(an_access(action="automated-read", automatic=True)).seq
    assert _found(log, TrailQuery(automatic=True)) == [automatic]
    assert _found(log, TrailQuery(actions=frozenset({"automated-read"}))) == [automatic]
    assert automatic not in _found(log, TrailQuery(exclude_actions=frozenset({"automated-read"})))
    assert len(_found(log, TrailQuery())) == 11


def test_a_span_of_time_includes_its_start_and_excludes_its_end(log: AuditLog) -> None:
    moments = [log.append(an_access()).logged_at for _ in range(4)]
    assert _found(log, TrailQuery(since=moments[1], until=moments[3])) == [2, 1]


def test_pages_go_back_without_overlap_or_gap_while_entries_are_added(log: AuditLog) -> None:
    log.append_all([an_access() for _ in range(25)])
    seen: list[int] = []
    before: int | None = None
    while True:
        page = log.read(TrailQuery(organisation="social-insurance"), before=before, limit=10)
        seen += [item.seq for item in page.items]
        log.append(an_access())
        before = page.next_before
        if before is None:
            break
    assert seen == list(range(24, -1, -1))


def test_a_stream_gives_everything_below_its_size_in_order(log: AuditLog) -> None:
    log.append_all([an_access(organisation="a" if number % 2 else "b") for number in range(1100)])
    stream = log.stream(TrailQuery(organisation="a"), size=1100)
    first = next(stream)
    log.append(an_access(organisation="a"))
    assert [first.seq, *(item.seq for item in stream)] == list(range(1, 1100, 2))
    assert sum(1 for _ in log.stream(TrailQuery())) == 1101


def test_counts_by_organisation_and_by_day(home: LogHome) -> None:
    clock = TickingClock(datetime(2026, 3, 1, 23, 59, 58, tzinfo=UTC))
    log = home.open(clock)
    for organisation in ("a", "b", "b", None):
        log.append(an_access(organisation=organisation))
    assert log.counts_by(TrailQuery(), "organisation") == {"a": 1, "b": 2, "": 1}
    assert log.counts_by_day(TrailQuery()) == {date(2026, 3, 1): 1, date(2026, 3, 2): 3}
    with pytest.raises(ValueError, match="cannot be counted"):
        log.counts_by(TrailQuery(), "sealed")
    log.close()


def test_every_entry_has_a_receipt_that_verifies_without_the_log(home: LogHome, log: AuditLog) -> None:
    log.append_all([an_access(subject=f"EE{number}") for number in range(300)])
    for seq in (0, 1, 254, 255, 256, 299):
        verdict = verify_receipt(log.receipt(seq).text, [home.verifier])
        assert (verdict.index, verdict.size) == (seq, 300)
        assert verdict.access == log.entry(seq).access
        assert not verdict.is_own_label


def test_a_subjects_receipts_count_their_entries_from_one(home: LogHome, log: AuditLog) -> None:
    log.append_all([an_access(subject="EE1"), an_access(subject="EE2"), an_access(subject="EE1")])
    log.append(an_access(subject="EE1"))
    counts = [verify_receipt(log.receipt(seq, for_subject=True).text, [home.verifier]).label_count for seq in (0, 2, 3)]
    assert counts == [1, 2, 3]
    keys = {log.receipt(seq, for_subject=True).label_key for seq in (0, 2, 3)}
    assert len(keys) == 1
    assert log.receipt(1, for_subject=True).label_key not in keys


def test_there_is_no_receipt_or_entry_beyond_the_end(log: AuditLog) -> None:
    log.append(an_access())
    for seq in (1, -1, 10**12):
        with pytest.raises(EntryNotFound):
            log.receipt(seq)
        with pytest.raises(EntryNotFound):
            log.entry(seq)


def test_the_database_holds_nothing_of_a_body_in_clear(tmp_path: Path, sqlite_url: str) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    access = an_access(justification="a justification that nobody may read")
    log.append(access)
    log.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("test.db*"))
    for secret in (access.subject, access.justification, access.official, access.official_name, access.case):
        assert secret is not None
        assert secret.encode() not in stored


def test_labels_and_commitments_of_one_person_are_never_alike(log: AuditLog) -> None:
    from audit.entry import decode_leaf

    log.append_all([an_access(), an_access()])
    first, second = (decode_leaf(log.receipt(seq).leaf) for seq in (0, 1))
    assert first.label != second.label
    assert first.commitment != second.commitment


def test_another_master_key_opens_nothing(home: LogHome) -> None:
    wrong = LogSettings(
        home.settings.database_url, home.settings.origin, home.settings.signing_key, MasterKey.generate(), None
    )
    with pytest.raises(KeyRefused, match="another master key"):
        open_log(wrong)


def test_a_signing_key_of_another_name_is_refused(home: LogHome, tmp_path: Path) -> None:
    generate_signing_key(tmp_path / "other.key", "other.example/log")
    settings = home.settings
    wrong = LogSettings(settings.database_url, settings.origin, tmp_path / "other.key", settings.master_key, None)
    with pytest.raises(KeyRefused, match=r"other\.example"):
        open_log(wrong)


def test_a_database_without_a_log_is_no_empty_log(tmp_path: Path, home: LogHome) -> None:
    with pytest.raises(LogUnavailable):
        home.at(f"sqlite:///{tmp_path / 'nothing.db'}").open()


def test_nothing_is_appended_once_the_database_is_behind_what_was_signed(home: LogHome) -> None:
    other = home.open()
    log = home.open()
    log.append(an_access())
    other.append(an_access())  # two openers share the head
    other.close()
    log.append(an_access())
    log.close()
    assert home.settings.checkpoint_file is not None
    ahead = home.settings.checkpoint_file.read_text()
    behind = LogHome(home.settings, home.verifier)
    assert "\n3\n" in ahead
    _forget_entries(behind)
    with pytest.raises(LogFrozen, match="older backup"):
        behind.open()


def _forget_entries(home: LogHome) -> None:
    """Put an empty log into the place of the one that grew, as a restored backup would."""
    from sqlalchemy import create_engine

    from audit import schema

    engine = create_engine(home.settings.database_url)
    schema.metadata.drop_all(engine)
    engine.dispose()
    create_log(home.settings)


def test_the_access_itself_is_what_the_receipt_shows(home: LogHome, log: AuditLog) -> None:
    access: Access = an_access()
    log.append(access)
    text = log.receipt(0).text
    assert access.justification is not None
    assert access.justification in text
    assert "label-key" not in text
