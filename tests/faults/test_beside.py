"""What the log keeps beside its chain: a false count, key or cosignature is found; what cannot be is stated here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from audit.errors import IdempotencyConflict
from audit.keys import generate_signing_key, load_cosigner
from audit.log import AuditLog, open_log
from audit.note import sign_text
from audit.verify import VerificationReport
from audit.witness_client import WitnessState
from tests.factories.logs import LogHome, TickingClock, an_access
from tests.factories.witnesses import NearbyWitness, sending_to

pytestmark = pytest.mark.fault


@dataclass(frozen=True)
class Kept:
    """A log of 40 entries about three people, two of them retried, and one witness that cosigned it twice."""

    home: LogHome
    witness: NearbyWitness

    @contextmanager
    def opened(self) -> Iterator[AuditLog]:
        settings = replace(self.home.settings, witnesses=(self.witness.address,))
        with closing(open_log(settings, clock=TickingClock())) as log:
            log._cosigning._send = sending_to(self.witness)
            yield log

    def verify(self, *, with_bodies: bool = True) -> VerificationReport:
        return self.home.verify(with_bodies=with_bodies, witnesses=[self.witness.signer.verifier()])

    @contextmanager
    def intruder(self) -> Iterator[Connection]:
        engine = create_engine(self.home.settings.database_url)
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET session_replication_role = replica"))
            else:
                for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                    connection.execute(text(f"DROP TRIGGER {name}"))
            yield connection
        engine.dispose()

    def damage(self, statement: str) -> None:
        with self.intruder() as connection:
            assert connection.execute(text(statement)).rowcount == 1


@pytest.fixture
def kept(tmp_path: Path, sqlite_url: str) -> Kept:
    return _kept(tmp_path, sqlite_url)


@pytest.fixture
def kept_anywhere(tmp_path: Path, database_url: str) -> Kept:
    """The same on either database."""
    return _kept(tmp_path, database_url)


def _kept(tmp_path: Path, database_url: str) -> Kept:
    home = LogHome.make(tmp_path, database_url)
    kept = Kept(home, NearbyWitness.make(tmp_path, "witness.example", [home.verifier]))
    with kept.opened() as log:
        log.append_all([an_access(subject=f"EE{number % 3}", case=f"C-{number}") for number in range(36)])
        for name in ("first", "second"):
            log.append(an_access(subject="EE0", case=name), idempotency_key=name)
            log.ask_witnesses()
        log.append_all([an_access(subject="EE0"), an_access(subject="EE1")])
    return kept


LABELS = "UPDATE subjects SET labels = labels + {} WHERE subject_index = (SELECT subject_index FROM bodies WHERE seq=0)"
FALSE_ANYHOW = {
    "a retry's key for an entry behind the end": "UPDATE idempotency SET seq = 40 WHERE seq = 36",
    "two keys for one entry": "UPDATE idempotency SET seq = 37 WHERE seq = 36",
    "a cosignature filed under another size": "UPDATE cosignatures SET size = 36 WHERE size = 37",
    "a cosignature filed under a size that was never signed": "UPDATE cosignatures SET size = 20 WHERE size = 37",
    "a cosignature filed under another witness": "UPDATE cosignatures SET witness = 'a+00000000' WHERE size = 37",
    "a cosignature that is none": "UPDATE cosignatures SET line = 'x' WHERE size = 37",
    "a cosignature that is gone, and reported": "DELETE FROM cosignatures WHERE size = 38",
    "a report of a size that was never cosigned": "UPDATE witness_reports SET size = 40",
    "a report of a state that there is not": "UPDATE witness_reports SET state = 'well'",
    "a key of the vault under another name": "UPDATE vault_keys SET name = 'other'",
}
FALSE_BY_THE_KEYS = {
    "one label too many": LABELS.format("+ 1"),
    "one label too few": LABELS.format("- 1"),
    "labels beyond counting": LABELS.format("+ 1000000000000000"),
}


@pytest.mark.parametrize("what", FALSE_ANYHOW)
def test_what_is_false_beside_the_log_is_found_without_the_master_key(kept: Kept, what: str) -> None:
    assert kept.verify(with_bodies=False).ok
    kept.damage(FALSE_ANYHOW[what])
    report = kept.verify(with_bodies=False)
    assert (report.ok, report.first_broken) == (False, 40), report.problem


def test_what_is_false_beside_the_log_is_found_on_either_database(kept_anywhere: Kept) -> None:
    assert kept_anywhere.verify().ok
    for what in ("two keys for one entry", "a cosignature that is gone, and reported"):
        kept_anywhere.damage(FALSE_ANYHOW[what])
        report = kept_anywhere.verify(with_bodies=False)
        assert (report.ok, report.first_broken) == (False, 40), report.problem
        with kept_anywhere.intruder() as connection:
            connection.execute(text("DELETE FROM idempotency"))


@pytest.mark.parametrize("what", FALSE_BY_THE_KEYS)
def test_a_false_count_of_a_persons_labels_is_found_with_the_master_key(kept: Kept, what: str) -> None:
    assert kept.verify().ok
    kept.damage(FALSE_BY_THE_KEYS[what])
    report = kept.verify()
    assert (report.ok, report.first_broken) == (False, 40)
    assert "labels" in (report.problem or "")


ERASURES: dict[str, Callable[[AuditLog], object]] = {
    "the newest entry of one": lambda log: log.erase_entries([38], basis="GDPR Article 17(1)(d)"),
    "several, and one amid them": lambda log: log.erase_entries([38, 37, 33, 3], basis="GDPR Article 17(1)(d)"),
    "every entry of one": lambda log: log.erase_entries(range(2, 36, 3), basis="GDPR Article 17(1)(d)"),
    "one of them with their keys": lambda log: log.erase_subject("EE0", basis="GDPR Article 17(1)(d)"),
}


@pytest.mark.parametrize("what", ERASURES)
def test_labels_that_erased_entries_bear_are_counted_too(kept_anywhere: Kept, what: str) -> None:
    kept = kept_anywhere
    with kept.opened() as log:
        ERASURES[what](log)
    assert kept.verify().ok
    kept.damage("UPDATE subjects SET labels = labels + 1 WHERE subject_index IN (SELECT subject_index FROM bodies"
                " WHERE seq = (SELECT max(seq) FROM bodies WHERE seq < 40))")  # fmt: skip
    assert not kept.verify().ok


def test_a_cosignature_of_another_tree_is_found_where_the_witness_is_known(kept: Kept, tmp_path: Path) -> None:
    """A key of the same name and id cannot be had; so the witness's own word on something else is put in its place."""
    line = sign_text("test.example/log\n37\nAAAA\n", kept.witness.signer).line()
    with kept.intruder() as connection:
        connection.execute(text("UPDATE cosignatures SET line = :line WHERE size = 37"), {"line": line})
    report = kept.verify()
    assert not report.ok
    assert "witness.example" in (report.problem or "")
    generate_signing_key(tmp_path / "another.key", "another.example", for_witness=True)
    others = [load_cosigner(tmp_path / "another.key").verifier()]
    assert kept.home.verify(witnesses=others).ok, "who does not know the witness cannot tell"


def test_a_retrys_key_that_was_changed_is_unseen_and_the_retry_is_recorded_once_more(kept: Kept) -> None:
    """The limit: the key is the caller's, stands in no body, and is kept as a blind index alone."""
    kept.damage("UPDATE idempotency SET key_index = (SELECT subject_index FROM bodies WHERE seq = 0) WHERE seq = 36")
    assert kept.verify().ok
    with kept.opened() as log:
        assert log.append(an_access(subject="EE0", case="first"), idempotency_key="first").seq == 40
        assert log.append(an_access(subject="EE0", case="second"), idempotency_key="second").seq == 37


def test_a_retrys_key_moved_to_another_entry_is_unseen_and_the_retry_refused(kept: Kept) -> None:
    """The limit: which entry a key stands for is nowhere else; but no other entry is given out for it."""
    kept.damage("UPDATE idempotency SET seq = 5 WHERE seq = 36")
    assert kept.verify().ok
    with kept.opened() as log, pytest.raises(IdempotencyConflict):
        log.append(an_access(subject="EE0", case="first"), idempotency_key="first")


def test_when_a_witness_was_asked_is_unseen_and_written_anew_when_it_is_asked_again(kept: Kept) -> None:
    """The limit: a report is of the moment, and of it nothing was signed. A refusal is an entry of the log as well."""
    kept.damage("UPDATE witness_reports SET asked_ms = 1, problem = 'nothing'")
    assert kept.verify().ok
    with kept.opened() as log:
        log.append(an_access())
        [report] = log.ask_witnesses()
        assert report.asked_at is not None
        assert (report.state, report.problem, report.asked_at.year) == (WitnessState.COSIGNED, "", 2026)
