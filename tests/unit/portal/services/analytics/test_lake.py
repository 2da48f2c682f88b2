"""The tables follow the log: nothing twice, nothing lost; what was erased goes; a crash leaves them as they were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from obstore.store import LocalStore

from audit.log import AuditLog
from portal.services.analytics import lake as lake_module
from portal.services.analytics.engines import LakeEngine
from portal.services.analytics.lake import GRACE, STATE, Lake, LakeUnreadable
from portal.services.analytics.measures import looks_by_purpose
from tests.factories.logs import LogHome, TickingClock, an_access

ALWAYS = looks_by_purpose(0, 1_000_000)


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def log(tmp_path: Path, database_url: str, clock: TickingClock) -> Iterator[AuditLog]:
    with closing(LogHome.make(tmp_path, database_url).open(clock)) as log:
        yield log


@pytest.fixture
def lake(tmp_path: Path, clock: TickingClock) -> Lake:
    return Lake(LocalStore(tmp_path / "lake", mkdir=True), clock)


def seqs_of(lake: Lake, folder: Path) -> list[int]:
    """The numbers of all entries in the files that the state names."""
    found: list[int] = []
    for part in lake.state().parts:
        found += pq.read_table(folder / "lake" / part.path, columns=["seq"], partitioning=None)["seq"].to_pylist()
    return found


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder / "lake")) for path in (folder / "lake").rglob("*.parquet")}


def test_each_entry_stands_once_and_in_its_month(
    log: AuditLog, lake: Lake, clock: TickingClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake_module, "ROWS_OF_A_FILE", 7)
    for _ in range(5):
        log.append_all([an_access() for _ in range(10)])
        lake.refresh(log)
        clock.now += timedelta(days=12)
    assert seqs_of(lake, tmp_path) == list(range(50))
    assert {part.path.split("/")[1] for part in lake.state().parts} == {"month=2026-03", "month=2026-04"}
    assert lake.state().rows == 50


def test_a_refresh_without_news_changes_no_file(log: AuditLog, lake: Lake, tmp_path: Path) -> None:
    log.append_all([an_access() for _ in range(5)])
    first = lake.refresh(log)
    assert lake.refresh(log).parts == first.parts
    assert files_of(tmp_path) == {part.path for part in first.parts}


def test_the_state_names_the_checkpoint_under_which_the_tables_were_read(log: AuditLog, lake: Lake) -> None:
    log.append(an_access())
    assert lake.refresh(log).checkpoint == log.checkpoint().text


def test_the_tables_hold_no_text_of_a_body(log: AuditLog, lake: Lake, tmp_path: Path) -> None:
    access = an_access(justification="Deciding the claim", case="C-77", official_name="Mari Maasikas")
    log.append_all([access] * 3)
    lake.refresh(log)
    everything = b"".join(path.read_bytes() for path in (tmp_path / "lake").rglob("*") if path.is_file())
    for said in (access.subject, access.official, access.official_name, access.justification, "C-77"):
        assert said is not None
        assert said.encode() not in everything


@pytest.mark.parametrize("erased", [[3], [0, 1, 2, 3, 4], [9]])
def test_what_was_erased_goes_at_the_next_refresh(log: AuditLog, lake: Lake, tmp_path: Path, erased: list[int]) -> None:
    log.append_all([an_access() for _ in range(5)])
    lake.refresh(log)
    log.append_all([an_access() for _ in range(5)])
    lake.refresh(log)
    before = files_of(tmp_path)
    log.erase_entries(erased, basis="GDPR Article 17(1)(d)")
    lake.refresh(log)
    assert [seq for seq in seqs_of(lake, tmp_path) if seq < 10] == [seq for seq in range(10) if seq not in erased]
    assert files_of(tmp_path) == {part.path for part in lake.state().parts}
    assert before - files_of(tmp_path), "the file that held the erased entry is still there"


def test_a_refresh_that_is_killed_leaves_the_tables_as_they_were(
    log: AuditLog, lake: Lake, clock: TickingClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append_all([an_access() for _ in range(5)])
    lake.refresh(log)
    log.append_all([an_access() for _ in range(5)])
    with monkeypatch.context() as patch:
        patch.setattr(lake_module.LakeState, "text", lambda _self: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            lake.refresh(log)
    assert seqs_of(lake, tmp_path) == list(range(5))
    log.append(an_access())
    lake.refresh(log)
    assert seqs_of(lake, tmp_path) == list(range(11))
    assert len(files_of(tmp_path)) == 3, "the orphan of the killed refresh is left alone for a while"
    clock.now += timedelta(days=400) + GRACE
    lake.refresh(log)
    assert files_of(tmp_path) == {part.path for part in lake.state().parts}


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"version": 2}', b'{"version": 1, "size": 1}', b"\xff"])
def test_a_damaged_state_is_told_and_never_taken_for_an_empty_one(log: AuditLog, lake: Lake, content: bytes) -> None:
    lake.refresh(log)
    lake.store.put(STATE, content)
    with pytest.raises(LakeUnreadable):
        lake.state()
    with pytest.raises(LakeUnreadable):
        lake.refresh(log)


def test_a_changed_or_missing_file_is_told(log: AuditLog, lake: Lake, tmp_path: Path) -> None:
    log.append(an_access())
    state = lake.refresh(log)
    path = tmp_path / "lake" / state.parts[0].path
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(LakeUnreadable, match="changed"):
        lake.file(state.parts[0])
    path.unlink()
    with pytest.raises(LakeUnreadable):
        LakeEngine(lake, state).rows(ALWAYS)


def test_progress_ends_with_the_size_of_the_log(log: AuditLog, lake: Lake) -> None:
    log.append_all([an_access() for _ in range(5)])
    told: list[tuple[int, int]] = []
    lake.refresh(log, lambda done, total: told.append((done, total)))
    assert told[-1] == (5, 5)
    assert json.loads(lake.state().text())["size"] == 5
