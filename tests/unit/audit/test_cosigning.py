"""The log asks its witnesses in the background, hands their cosignatures out, and raises the alarm when one refuses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from audit.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from audit.cosigning import WITNESS_REFUSAL
from audit.errors import KeyRefused, VerificationFailed
from audit.keys import generate_signing_key, load_signer
from audit.log import AuditLog, TrailQuery, open_log
from audit.note import sign_text
from audit.verify import verify_receipt
from audit.witness import Submission
from audit.witness_client import Response, WitnessAddress, WitnessState, ask_witness
from tests.factories.logs import ORIGIN, LogHome, TickingClock, an_access
from tests.factories.witnesses import NearbyWitness, sending_to


@dataclass
class Watched:
    """A log with two witnesses, in this process and without a network."""

    home: LogHome
    log: AuditLog
    witnesses: list[NearbyWitness]
    seconds: list[float]

    def round(self) -> dict[str, WitnessState]:
        return {report.name: report.state for report in self.log.ask_witnesses()}

    def grow(self, entries: int = 1) -> int:
        return self.log.append_all([an_access() for _ in range(entries)])[-1].seq

    def cosigned_by(self, note: str) -> list[str]:
        keys = [self.home.verifier, *(one.signer.verifier() for one in self.witnesses)]
        return [one.name for one in open_checkpoint(note, ORIGIN, keys).verified if one.name != ORIGIN]

    def opened(self) -> AuditLog:
        settings = replace(self.home.settings, witnesses=tuple(one.address for one in self.witnesses))
        log = open_log(settings, clock=TickingClock())
        log._cosigning._send = sending_to(*self.witnesses)
        log._cosigning._clock = lambda: self.seconds[0]
        return log


@pytest.fixture
def watched(tmp_path: Path, database_url: str) -> Iterator[Watched]:
    home = LogHome.make(tmp_path, database_url)
    names = ("one.example", "two.example")
    witnesses = [NearbyWitness.make(tmp_path, name, [home.verifier]) for name in names]
    watched = Watched(home, None, witnesses, [100.0])  # type: ignore[arg-type]
    watched.log = watched.opened()
    yield watched
    watched.log.close()


def test_a_checkpoint_is_served_with_the_cosignatures_of_all_who_gave_theirs(watched: Watched) -> None:
    watched.grow(3)
    assert watched.cosigned_by(watched.log.public.checkpoint()) == []
    assert watched.round() == {"one.example": WitnessState.COSIGNED, "two.example": WitnessState.COSIGNED}
    note = watched.log.public.checkpoint()
    assert watched.cosigned_by(note) == ["one.example", "two.example"]
    assert note.startswith(f"{ORIGIN}\n3\n")


def test_a_witness_is_asked_once_for_each_state_of_the_log(watched: Watched) -> None:
    watched.grow(2)
    watched.round()
    assert watched.round() == {}
    watched.grow()
    watched.round()
    assert [len(one.requests) for one in watched.witnesses] == [2, 2]
    assert watched.witnesses[0].requests[1].startswith(b"old 2\n")


def test_appending_waits_for_no_witness(watched: Watched) -> None:
    for one in watched.witnesses:
        one.failure = AssertionError("nobody asks within an append")
    assert watched.grow(5) == 4


def test_the_cosigned_checkpoint_stays_until_the_next_is_cosigned(watched: Watched) -> None:
    watched.grow(3)
    watched.round()
    watched.grow(300)
    note = watched.log.public.checkpoint()
    assert note.startswith(f"{ORIGIN}\n3\n")
    watched.round()
    assert watched.log.public.checkpoint().startswith(f"{ORIGIN}\n303\n")


def test_a_receipt_carries_cosignatures_as_soon_as_they_cover_the_entry(watched: Watched) -> None:
    watched.grow(3)
    watched.round()
    seq = watched.grow()
    keys = [watched.home.verifier, *(one.signer.verifier() for one in watched.witnesses)]
    assert verify_receipt(watched.log.receipt(0).text, keys).witnesses == ("one.example", "two.example")
    fresh = verify_receipt(watched.log.receipt(seq).text, keys)
    assert (fresh.witnesses, fresh.size) == ((), 4)
    watched.round()
    assert verify_receipt(watched.log.receipt(seq).text, keys).witnesses == ("one.example", "two.example")
    assert verify_receipt(watched.log.receipt(seq).text, keys[:1]).witnesses == (), "who knows no witness ignores them"


def test_a_forged_cosignature_on_a_receipt_is_false_for_who_knows_the_witness(watched: Watched) -> None:
    watched.grow(3)
    watched.round()
    receipt = watched.log.receipt(0).text
    start = receipt.rindex("two.example ") + len("two.example ") + 30
    forged = receipt[:start] + ("A" if receipt[start] != "A" else "B") + receipt[start + 1 :]
    keys = [watched.home.verifier, *(one.signer.verifier() for one in watched.witnesses)]
    with pytest.raises(VerificationFailed):
        verify_receipt(forged, keys)


def test_one_witness_that_is_away_holds_nobody_up_and_is_asked_again_later(watched: Watched) -> None:
    watched.witnesses[1].failure = TimeoutError("no answer")
    watched.grow(2)
    assert watched.round() == {"one.example": WitnessState.COSIGNED, "two.example": WitnessState.UNAVAILABLE}
    assert watched.cosigned_by(watched.log.public.checkpoint()) == ["one.example"]
    assert watched.round() == {}, "it is left alone for a second"
    watched.seconds[0] += 1
    assert watched.round() == {"two.example": WitnessState.UNAVAILABLE}
    watched.seconds[0] += 1
    assert watched.round() == {}, "and then for two"
    watched.witnesses[1].failure = None
    watched.seconds[0] += 1
    assert watched.round() == {"two.example": WitnessState.COSIGNED}
    assert watched.cosigned_by(watched.log.public.checkpoint()) == ["one.example", "two.example"]


def test_the_pause_grows_to_a_minute_and_no_longer(watched: Watched) -> None:
    for one in watched.witnesses:
        one.failure = TimeoutError("no answer")
    watched.grow()
    asked = 0
    for _ in range(200):
        asked += len(watched.round()) == 2
        watched.seconds[0] += 1
    assert asked == 9, "at 0, 1, 3, 7, 15, 31, 63, 123 and 183 seconds"


def _refusals(log: AuditLog) -> list[dict[str, object]]:
    found = log.read(TrailQuery(actions=frozenset({WITNESS_REFUSAL}))).items
    return [dict(one.access.details) for one in found if one.access is not None]


def test_a_fork_is_refused_logged_as_an_error_and_recorded_once(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    watched.grow(3)
    signer = load_signer(watched.home.settings.signing_key)
    elsewhere = sign_checkpoint(Checkpoint(ORIGIN, 2, bytes(32)), [signer])
    assert watched.witnesses[0].witness.add_checkpoint(Submission(0, (), elsewhere.text).encode()).status == 200
    with caplog.at_level(logging.WARNING):
        assert watched.round() == {"one.example": WitnessState.REFUSED, "two.example": WitnessState.COSIGNED}
    assert "ALARM: witness one.example refuses this log" in caplog.text
    [refusal] = _refusals(watched.log)
    assert refusal["size"] == 3
    assert "fork" in str(refusal["problem"])
    watched.seconds[0] += 1000
    assert watched.round()["one.example"] is WitnessState.REFUSED
    assert len(_refusals(watched.log)) == 1
    reports = {report.name: report for report in watched.log.witness_reports()}
    assert "fork" in reports["one.example"].problem
    assert reports["one.example"].asked_at is not None
    assert watched.log.verify().ok


def test_a_rollback_is_refused_even_when_the_log_has_grown_again_beyond_it(watched: Watched, tmp_path: Path) -> None:
    watched.grow(8)
    watched.round()
    (tmp_path / "other").mkdir()
    other = LogHome.make(tmp_path / "other", f"sqlite:///{tmp_path / 'other.db'}")
    assert watched.home.settings.checkpoint_file is not None
    settings = replace(
        watched.home.settings, database_url=other.settings.database_url, checkpoint_file=None,
        master_key=other.settings.master_key, witnesses=(watched.witnesses[0].address,),
    )  # fmt: skip
    engine = create_engine(other.settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER head_refuses_update"))
        connection.execute(text("DROP TRIGGER checkpoints_refuses_update"))
        empty = sign_checkpoint(
            Checkpoint(ORIGIN, 0, open_checkpoint(_note_of(engine), ORIGIN, [other.verifier]).checkpoint.root),
            [load_signer(watched.home.settings.signing_key)],
        )
        connection.execute(text("UPDATE head SET checkpoint = :note"), {"note": empty.text})
        connection.execute(text("UPDATE checkpoints SET note = :note"), {"note": empty.text})
    engine.dispose()
    rolled_back = open_log(settings, clock=TickingClock())
    rolled_back._cosigning._send = sending_to(*watched.witnesses)
    for entries, problem in ((3, "rollback"), (4, "fork"), (9, "fork")):
        rolled_back.append_all([an_access(case="another history") for _ in range(entries)])
        [report] = rolled_back.ask_witnesses(patient=False)
        assert report.state is WitnessState.REFUSED, (entries, report)
        assert problem in report.problem
    rolled_back.close()


def _note_of(engine) -> str:  # type: ignore[no-untyped-def]
    with engine.connect() as connection:
        return str(connection.execute(text("SELECT checkpoint FROM head")).scalar_one())


def test_a_witness_that_does_not_know_the_log_is_told_apart_from_a_refusal(watched: Watched, tmp_path: Path) -> None:
    stranger = generate_signing_key(tmp_path / "stranger.key", "stranger.example")
    watched.witnesses[0] = NearbyWitness.make(tmp_path, "three.example", [stranger.verifier()])
    with closing(watched.opened()) as log:
        log.append(an_access())
        states = {report.name: report.state for report in log.ask_witnesses()}
        assert states == {"three.example": WitnessState.STRANGER, "two.example": WitnessState.COSIGNED}
        assert _refusals(log) == []


def test_a_damaged_cosignature_is_not_handed_out(watched: Watched) -> None:
    watched.grow(2)
    watched.round()
    engine = create_engine(watched.home.settings.database_url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        else:
            connection.execute(text("DROP TRIGGER cosignatures_refuses_update"))
        connection.execute(text("UPDATE cosignatures SET line = replace(line, 'one', 'two') WHERE witness LIKE 'one%'"))
    engine.dispose()
    assert watched.cosigned_by(watched.log.public.checkpoint()) == ["two.example"]


def test_processes_of_one_machine_take_turns(watched: Watched) -> None:
    watched.grow()
    other = watched.opened()
    with other._cosigning._taking_turns() as is_ours:
        assert is_ours
        assert watched.round() == {}
    assert len(watched.round()) == 2
    assert other.ask_witnesses() == [], "the other process knows that it was done"
    assert {report.state for report in other.witness_reports()} == {WitnessState.COSIGNED}
    other.close()


def test_another_machine_that_was_faster_is_no_rollback(watched: Watched) -> None:
    """Between the look at the log and the question, another process appends and shows the witness the newer log."""
    watched.grow(2)
    other = watched.opened()
    first = watched.witnesses[0]
    faster: list[Callable[[], object]] = [lambda: (watched.grow(3), _ask_alone(other, first))]

    def send(url: str, body: bytes) -> Response:
        if "one.example" in url and faster:
            faster.pop()()
        return sending_to(*watched.witnesses)(url, body)

    watched.log._cosigning._send = send
    assert watched.round()["one.example"] is WitnessState.COSIGNED
    assert _refusals(watched.log) == []
    other.close()


def _ask_alone(log: AuditLog, witness: NearbyWitness) -> None:
    checkpoint = log.checkpoint()
    answer = ask_witness(
        witness.address, checkpoint.text, checkpoint.checkpoint.size, 0, log._cosigning._proof, send=witness.send
    )
    assert answer.state is WitnessState.COSIGNED


LINES = b"\xe2\x80\x94 one.example "


@pytest.mark.parametrize(
    "response",
    [
        Response(200, "text/plain", b""),
        Response(200, "text/plain", b"ok"),
        Response(200, "text/plain", LINES + b"AAAAAAA=\n"),
        Response(200, "text/plain", b"\xff"),
        Response(302, "text/plain", b""),
        Response(409, "text/plain", b"7\n"),
        Response(409, "text/x.tlog.size", b"-7\n"),
        Response(409, "text/x.tlog.size", b""),
        Response(409, "text/x.tlog.size", b"9" * 100),
        Response(500, "text/plain", b"oops"),
        OSError("connection reset"),
    ],
)
def test_a_witness_that_talks_nonsense_is_unavailable(tmp_path: Path, response: Response | Exception) -> None:
    log = generate_signing_key(tmp_path / "log.key", ORIGIN)
    witness = NearbyWitness.make(tmp_path, "one.example", [log.verifier()])
    witness.failure = response
    note = sign_checkpoint(Checkpoint(ORIGIN, 3, bytes(32)), [log]).text
    answer = ask_witness(witness.address, note, 3, 0, lambda _old, _size: (), send=witness.send)
    assert answer.state is WitnessState.UNAVAILABLE
    assert answer.problem
    assert answer.cosignature is None


def test_a_cosignature_on_something_else_is_not_believed(tmp_path: Path) -> None:
    log = generate_signing_key(tmp_path / "log.key", ORIGIN)
    witness = NearbyWitness.make(tmp_path, "one.example", [log.verifier()])
    other = sign_text("something else\n", witness.signer).line().encode()
    witness.failure = Response(200, "text/plain", other)
    note = sign_checkpoint(Checkpoint(ORIGIN, 3, bytes(32)), [log]).text
    assert "does not hold" in ask_witness(witness.address, note, 3, 0, lambda *_: (), send=witness.send).problem


@pytest.mark.parametrize(
    "given", ["", "https://w.example", "ftp://w.example {vkey}", "https:// {vkey}", "https://w.example {log}",
              "https://w.example?x=1 {vkey}", "https://w.example nonsense"]
)  # fmt: skip
def test_an_address_is_a_url_and_a_witnesss_key(tmp_path: Path, given: str) -> None:
    log = generate_signing_key(tmp_path / "log.key", ORIGIN)
    witness = NearbyWitness.make(tmp_path, "one.example", [log.verifier()])
    assert WitnessAddress.parse(f"http://127.0.0.1:8085/ {witness.signer.vkey}").url == "http://127.0.0.1:8085"
    with pytest.raises(KeyRefused):
        WitnessAddress.parse(given.format(vkey=witness.signer.vkey, log=log.vkey))
