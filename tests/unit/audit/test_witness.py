"""A witness cosigns only what follows from the last thing that it cosigned (C2SP tlog-witness)."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import witness as witnesses
from audit.checkpoint import Checkpoint, LogKey, sign_checkpoint
from audit.errors import MalformedNote
from audit.keys import generate_signing_key
from audit.merkle import EMPTY_ROOT, consistency_proof, leaf_hash, root_of
from audit.note import Ed25519Signer, open_note
from audit.witness import MAX_PROOF, MAX_REQUEST, Reply, Submission, Witness
from audit.witness_client import WitnessAddress, WitnessState, ask_witness
from audit.witness_server import WitnessServer
from tests.factories.witnesses import NOW, NearbyWitness

ORIGIN = "log.example"
LEAVES = [leaf_hash(bytes([number])) for number in range(40)]


def _root(size: int) -> bytes:
    return root_of(LEAVES[:size])


def _proof(old: int, size: int) -> tuple[bytes, ...]:
    if not 0 < old < size:
        return ()
    return tuple(consistency_proof(old, size, lambda height, at: root_of(LEAVES[at << height : at + 1 << height])))


@dataclass
class Town:
    """A log's key and a witness that knows it."""

    log: Ed25519Signer
    nearby: NearbyWitness

    @property
    def witness(self) -> Witness:
        return self.nearby.witness

    def note(self, size: int, root: bytes | None = None, *, signer: Ed25519Signer | None = None) -> str:
        signer = signer or self.log
        return sign_checkpoint(Checkpoint(signer.name, size, _root(size) if root is None else root), [signer]).text

    def add(self, old: int, size: int, root: bytes | None = None) -> Reply:
        return self.witness.add_checkpoint(Submission(old, _proof(old, size), self.note(size, root)).encode())


@pytest.fixture
def town(tmp_path: Path) -> Town:
    log = generate_signing_key(tmp_path / "log.key", ORIGIN)
    return Town(log, NearbyWitness.make(tmp_path, "witness.example", [log.verifier()]))


def test_a_first_checkpoint_and_every_growth_is_cosigned(town: Town) -> None:
    old = 0
    for size in (0, 1, 5, 5, 8, 33):
        reply = town.add(old, size)
        assert reply.status == 200, reply
        opened = open_note(town.note(size).partition("\n\n")[0] + "\n\n" + reply.body, [town.nearby.signer.verifier()])
        assert opened.verified[0].signature[:8] == NOW.to_bytes(8, "big")
        old = size


def test_another_old_size_than_the_last_is_a_conflict_that_tells_the_last(town: Town) -> None:
    assert town.add(0, 8).status == 200
    for old, size in ((0, 8), (0, 9), (7, 9), (9, 9), (8, 8 + 1)):
        reply = town.add(old, size)
        if (old, size) == (8, 9):
            assert reply.status == 200
        else:
            assert (reply.status, reply.body, reply.content_type) == (409, "8\n", "text/x.tlog.size")


def test_a_fork_is_refused_and_forgets_nothing(town: Town) -> None:
    assert town.add(0, 8).status == 200
    assert town.add(8, 8, bytes(32)).status == 409
    assert town.add(8, 9, bytes(32)).status == 422
    assert town.witness.add_checkpoint(Submission(8, (bytes(32),), town.note(9)).encode()).status == 422
    assert town.witness.add_checkpoint(Submission(8, (), town.note(9)).encode()).status == 422
    assert town.witness.add_checkpoint(Submission(8, (bytes(32),), town.note(8)).encode()).status == 422
    assert town.add(8, 9).status == 200


def test_a_rollback_is_refused(town: Town) -> None:
    assert town.add(0, 8).status == 200
    assert town.add(5, 5).body == "8\n"
    assert town.add(0, 5).body == "8\n"
    assert town.add(8, 5).status == 400


def test_a_first_proof_has_no_hashes_and_an_empty_log_the_empty_root(town: Town) -> None:
    assert town.witness.add_checkpoint(Submission(0, (bytes(32),), town.note(3)).encode()).status == 422
    assert town.add(0, 0, bytes(32)).status == 409
    assert town.add(0, 0, EMPTY_ROOT).status == 200
    assert town.add(0, 3).status == 200


def test_an_unknown_log_is_not_found_and_a_stranger_forbidden(town: Town, tmp_path: Path) -> None:
    other = generate_signing_key(tmp_path / "other.key", "other.example")
    assert town.witness.add_checkpoint(Submission(0, (), town.note(3, signer=other)).encode()).status == 404
    stranger = generate_signing_key(tmp_path / "stranger.key", ORIGIN)
    assert town.witness.add_checkpoint(Submission(0, (), town.note(3, signer=stranger)).encode()).status == 403
    forged = town.note(3).replace("\n3\n", "\n4\n")
    assert town.witness.add_checkpoint(Submission(0, (), forged).encode()).status == 403
    assert town.add(0, 3).status == 200


def test_a_retired_key_is_believed_no_further_than_it_served(town: Town, tmp_path: Path) -> None:
    new = generate_signing_key(tmp_path / "new.key", ORIGIN)
    keys = [LogKey(town.log.verifier(), 5), new.verifier()]
    nearby = NearbyWitness.make(tmp_path, "careful.example", keys)
    assert nearby.witness.add_checkpoint(Submission(0, (), town.note(6)).encode()).status == 403
    assert nearby.witness.add_checkpoint(Submission(0, (), town.note(5)).encode()).status == 200
    assert nearby.witness.add_checkpoint(Submission(5, _proof(5, 6), town.note(6, signer=new)).encode()).status == 200


@pytest.mark.parametrize(
    "head",
    ["", "old\n", "old -1\n", "old 01\n", "old 1 \n", "old 1\r\n", "new 1\n", "old 99999999999999999999\n",
     "old 1\nxyz\n", "old 1\nAAAA\n", "old 1\n" + "A" * 44 + "\n", "old 1\n" + ("A" * 43 + "=\n") * 64, "öld 1\n"],
)  # fmt: skip
def test_a_malformed_request_is_bad(town: Town, head: str) -> None:
    assert town.witness.add_checkpoint(f"{head}\n{town.note(3)}".encode()).status == 400


def test_what_is_no_checkpoint_is_bad(town: Town) -> None:
    for note in (
        "",
        "no note",
        town.note(3)[:-1],
        town.note(3).partition("\n\n")[0],
        "\xff",
        f"{ORIGIN}\n3\n\n{town.note(3).partition(chr(10) * 2)[2]}",
    ):
        assert town.witness.add_checkpoint(f"old 0\n\n{note}".encode()).status in {400, 403, 404}
    assert town.witness.add_checkpoint(b"old 0\n\n\xff\xfe\n").status == 400
    assert town.add(0, 3).status == 200


@given(st.binary(max_size=300))
def test_no_request_breaks_the_parser(body: bytes) -> None:
    try:
        submission = Submission.parse(body)
    except MalformedNote:
        return
    assert Submission.parse(submission.encode()) == submission


def test_what_was_cosigned_is_remembered_by_the_next_process(town: Town, tmp_path: Path) -> None:
    assert town.add(0, 8).status == 200
    again = Witness(tmp_path / "witness.example", town.nearby.signer, [town.log.verifier()])
    assert again.add_checkpoint(Submission(0, (), town.note(3)).encode()).body == "8\n"


def test_nothing_is_cosigned_that_cannot_be_kept(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(witnesses, "replace_durably", full)
    with pytest.raises(OSError, match="no space"):
        town.add(0, 8)
    monkeypatch.undo()
    assert town.add(0, 5).status == 200, "what was not kept was not cosigned either"


def test_a_damaged_memory_is_not_taken_for_an_empty_one(town: Town, tmp_path: Path) -> None:
    assert town.add(0, 8).status == 200
    [kept] = (tmp_path / "witness.example").glob("*.checkpoint")
    kept.write_bytes(b"")
    with pytest.raises(OSError, match="damaged"):
        town.add(0, 5)


def test_requests_that_race_never_lead_back(town: Town, tmp_path: Path) -> None:
    """Two processes' witnesses over one folder, many threads: of two histories only one is ever cosigned."""
    twins = [Witness(tmp_path / "witness.example", town.nearby.signer, [town.log.verifier()]) for _ in range(2)]

    def submit(number: int) -> int:
        fork = number % 2 == 1
        note = town.note(8, bytes(32)) if fork else town.note(8)
        return twins[number % 2].add_checkpoint(Submission(0, (), note).encode()).status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(submit, range(40)))
    assert statuses.count(200) == 1
    assert statuses.count(409) == 39


# Over HTTP.


@pytest.fixture
def server(town: Town) -> Iterator[WitnessServer]:
    server = WitnessServer("127.0.0.1", 0, town.witness)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _http(server: WitnessServer, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers["Content-Type"]
    finally:
        connection.close()


def test_the_server_answers_as_the_specification_says(server: WitnessServer, town: Town) -> None:
    body = Submission(0, (), town.note(8)).encode()
    assert _http(server, "POST", "/add-checkpoint", body) == (200, "text/plain; charset=utf-8")
    assert _http(server, "POST", "/add-checkpoint", body) == (409, "text/x.tlog.size")
    assert _http(server, "GET", "/add-checkpoint")[0] == 405
    assert _http(server, "HEAD", "/add-checkpoint")[0] == 405
    assert _http(server, "GET", "/")[0] == 404
    assert _http(server, "POST", "/elsewhere", body)[0] == 404
    assert _http(server, "POST", "/add-checkpoint", b"nonsense")[0] == 400
    too_long = {"Content-Length": str(MAX_REQUEST + 1)}
    assert _http(server, "POST", "/add-checkpoint", b"", **too_long)[0] == 413
    assert _http(server, "POST", "/add-checkpoint", b"", **{"Content-Length": "many"})[0] == 411


def test_one_connection_serves_several_requests(server: WitnessServer, town: Town) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    for old, size in ((0, 1), (1, 2), (2, 3)):
        connection.request("POST", "/add-checkpoint", Submission(old, _proof(old, size), town.note(size)).encode())
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()
    connection.close()


def test_a_witness_that_cannot_write_says_so(
    server: WitnessServer, town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(witnesses, "replace_durably", full)
    assert _http(server, "POST", "/add-checkpoint", Submission(0, (), town.note(8)).encode())[0] == 500
    assert "not cosigned" in caplog.text


def test_the_client_and_the_server_understand_each_other(server: WitnessServer, town: Town) -> None:
    address = WitnessAddress.parse(f"{server.url} {town.nearby.signer.vkey}")
    assert ask_witness(address, town.note(5), 5, 0, _proof).state is WitnessState.COSIGNED
    assert ask_witness(address, town.note(9), 9, 0, _proof).state is WitnessState.COSIGNED, "409 tells where to go on"
    assert "rollback" in ask_witness(address, town.note(5), 5, 0, _proof).problem
    assert "fork" in ask_witness(address, town.note(9, bytes(32)), 9, 9, _proof).problem
    assert "fork" in ask_witness(address, town.note(12, bytes(32)), 12, 9, _proof).problem


def test_the_longest_proof_of_the_specification_is_read() -> None:
    assert len(Submission.parse(Submission(1, (bytes(32),) * MAX_PROOF, "x").encode()).proof) == MAX_PROOF
