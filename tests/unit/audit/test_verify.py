"""Receipts that lie: each claim is checked against the keys that the reader trusts, and against nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.entry import GENESIS, Leaf, commit, encode_body, encode_leaf, leaf_hash
from audit.errors import InvalidProof, MalformedReceipt, VerificationFailed
from audit.keys import generate_signing_key, load_signer
from audit.log import AuditLog, verify_store
from audit.merkle import inclusion_proof, root_of
from audit.note import Ed25519Signer
from audit.receipt import Receipt, TlogProof, parse_receipt
from audit.verify import digest_of_entries, verify_receipt
from tests.factories.logs import ORIGIN, LogHome, an_access

SIZE = 7


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> LogHome:
    folder = tmp_path_factory.mktemp("log")
    return LogHome.make(folder, f"sqlite:///{folder / 'log.db'}")


@pytest.fixture(scope="module")
def log(home: LogHome) -> AuditLog:
    """Entries 0, 2, 4, 6 about one person, 1, 3, 5 about another."""
    log = home.open()
    log.append_all([an_access(subject=f"EE{number % 2}", case=f"C-{number}") for number in range(SIZE - 1)])
    log.append(an_access(subject="EE0", case="C-6"))
    return log


@pytest.fixture
def receipt(log: AuditLog) -> Receipt:
    return log.receipt(2, for_subject=True)


@pytest.fixture
def signer(home: LogHome) -> Ed25519Signer:
    return load_signer(home.settings.signing_key)


def test_a_true_receipt_says_what_it_proves(home: LogHome, receipt: Receipt) -> None:
    verdict = verify_receipt(receipt.text, [home.verifier])
    assert (verdict.index, verdict.size, verdict.origin) == (2, SIZE, ORIGIN)
    assert verdict.access == an_access(subject="EE0", case="C-2")
    assert (verdict.is_own_label, verdict.label_count) == (True, 2)


def test_with_no_trusted_key_nothing_is_true(receipt: Receipt) -> None:
    with pytest.raises(VerificationFailed, match="did not say you trust"):
        verify_receipt(receipt.text, [])


def test_a_log_that_is_not_trusted_is_not_believed(tmp_path: Path, receipt: Receipt) -> None:
    stranger = generate_signing_key(tmp_path / "k.key", "stranger.example/log").verifier()
    with pytest.raises(VerificationFailed, match="did not say you trust"):
        verify_receipt(receipt.text, [stranger])


def test_another_key_of_the_same_name_is_not_the_logs(tmp_path: Path, receipt: Receipt) -> None:
    impostor = generate_signing_key(tmp_path / "k.key", ORIGIN).verifier()
    with pytest.raises(VerificationFailed, match="no known key"):
        verify_receipt(receipt.text, [impostor])


def test_the_right_key_among_several_is_enough(tmp_path: Path, home: LogHome, receipt: Receipt) -> None:
    others = [generate_signing_key(tmp_path / f"{name}.key", f"{name}/log").verifier() for name in ("a", "b")]
    others.append(generate_signing_key(tmp_path / "same.key", ORIGIN).verifier())
    assert verify_receipt(receipt.text, [*others, home.verifier]).index == 2


def test_a_trusted_key_cannot_speak_for_another_log(tmp_path: Path, receipt: Receipt) -> None:
    """Whoever trusts two logs must not take one's signature for the other's checkpoint."""
    other = generate_signing_key(tmp_path / "other.key", "other.example/log")
    signed = sign_checkpoint(Checkpoint(other.name, SIZE, bytes(32)), [other]).text
    renamed = signed.replace(f"{other.name}\n", f"{ORIGIN}\n", 1)
    forged = replace(receipt, proof=replace(receipt.proof, checkpoint=renamed))
    with pytest.raises(VerificationFailed):
        verify_receipt(forged.text, [other.verifier()])


def _of_leaf(leaf: Leaf, signer: Ed25519Signer, body: bytes | None = None, secret: bytes | None = None) -> str:
    """The receipt of a log that holds this leaf alone, signed by `signer`."""
    encoded = encode_leaf(leaf)
    signed = sign_checkpoint(Checkpoint(signer.name, 1, leaf_hash(encoded)), [signer])
    return Receipt(encoded, TlogProof(0, (), signed.text), body, secret).text


def _leaf(**changes: object) -> Leaf:
    values: dict[str, object] = {
        "log": ORIGIN,
        "seq": 0,
        "time_ms": 1_772_452_800_000,
        "source": "portal",
        "source_seq": 0,
        "label": bytes(32),
        "commitment": bytes(32),
        "prev": GENESIS,
    }
    return Leaf(**values | changes)  # type: ignore[arg-type]


def test_an_entry_of_another_log_does_not_count_though_the_tree_holds_it(home: LogHome, signer: Ed25519Signer) -> None:
    assert verify_receipt(_of_leaf(_leaf(), signer), [home.verifier]).size == 1
    with pytest.raises(VerificationFailed, match="another log"):
        verify_receipt(_of_leaf(_leaf(log="other.example/log"), signer), [home.verifier])


def test_an_entry_that_bears_another_number_than_its_place_does_not_count(home: LogHome, signer: Ed25519Signer) -> None:
    with pytest.raises(VerificationFailed, match="number"):
        verify_receipt(_of_leaf(_leaf(seq=1), signer), [home.verifier])


def test_a_time_that_no_calendar_holds_is_refused(home: LogHome, signer: Ed25519Signer) -> None:
    last = _leaf(time_ms=253_402_300_799_999)
    assert verify_receipt(_of_leaf(last, signer), [home.verifier]).logged_at.year == 9999
    for beyond in (253_402_300_800_000, 2**53 - 1):
        with pytest.raises(VerificationFailed, match="9999"):
            verify_receipt(_of_leaf(_leaf(time_ms=beyond), signer), [home.verifier])


def test_a_body_that_no_access_could_have_is_refused_though_it_was_committed_to(
    home: LogHome, signer: Ed25519Signer
) -> None:
    secret = bytes(32)
    spaced = encode_body(an_access()).replace(b'{"', b'{ "', 1)
    leaf = _leaf(commitment=commit(secret, spaced))
    with pytest.raises(MalformedReceipt):
        verify_receipt(_of_leaf(leaf, signer, spaced, secret), [home.verifier])


LIES: dict[str, tuple[Callable[[Receipt, AuditLog], Receipt], type[Exception]]] = {
    "the body of another entry": (
        lambda true, log: replace(true, body=log.receipt(4).body),
        VerificationFailed,
    ),
    "the body and secret of another entry": (
        lambda true, log: replace(true, body=log.receipt(4).body, secret=log.receipt(4).secret),
        VerificationFailed,
    ),
    "a body with another justification": (
        lambda true, log: replace(true, body=encode_body(an_access(subject="EE0", case="C-2", justification="other"))),
        VerificationFailed,
    ),
    "another secret": (lambda true, log: replace(true, secret=bytes(32)), VerificationFailed),
    "the label key of another person": (
        lambda true, log: replace(true, label_key=log.receipt(3, for_subject=True).label_key),
        VerificationFailed,
    ),
    "another count": (lambda true, log: replace(true, label_count=3), VerificationFailed),
    "the count 0": (lambda true, log: replace(true, label_count=0), VerificationFailed),
    "the leaf of another entry": (lambda true, log: replace(true, leaf=log.receipt(4).leaf), VerificationFailed),
    "another index": (
        lambda true, log: replace(true, proof=replace(true.proof, index=3)),
        VerificationFailed,
    ),
    "the proof of another entry": (
        lambda true, log: replace(true, proof=replace(true.proof, hashes=log.receipt(4).proof.hashes)),
        InvalidProof,
    ),
    "no proof": (lambda true, log: replace(true, proof=replace(true.proof, hashes=())), InvalidProof),
    "a proof that is too short": (
        lambda true, log: replace(true, proof=replace(true.proof, hashes=true.proof.hashes[:-1])),
        InvalidProof,
    ),
    "a proof that is too long": (
        lambda true, log: replace(true, proof=replace(true.proof, hashes=(*true.proof.hashes, bytes(32)))),
        InvalidProof,
    ),
    "a forged hash in the middle": (
        lambda true, log: replace(
            true, proof=replace(true.proof, hashes=(true.proof.hashes[0], bytes(32), *true.proof.hashes[2:]))
        ),
        InvalidProof,
    ),
    "hashes in another order": (
        lambda true, log: replace(true, proof=replace(true.proof, hashes=true.proof.hashes[::-1])),
        InvalidProof,
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_receipt_that_lies_is_found_out(home: LogHome, log: AuditLog, receipt: Receipt, lie: str) -> None:
    tell, error = LIES[lie]
    forged = tell(receipt, log)
    assert parse_receipt(forged.text) == forged, "it is well formed: only the check can find it out"
    with pytest.raises(error):
        verify_receipt(forged.text, [home.verifier])


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6, 8])
def test_a_true_checkpoint_of_another_size_does_not_go_with_the_proof(
    home: LogHome, signer: Ed25519Signer, log: AuditLog, receipt: Receipt, size: int
) -> None:
    leaves = [leaf_hash(log.receipt(seq).leaf) for seq in range(SIZE)]
    root = root_of([*leaves, bytes(32)][:size])
    other = sign_checkpoint(Checkpoint(ORIGIN, size, root), [signer]).text
    with pytest.raises(InvalidProof):
        verify_receipt(replace(receipt, proof=replace(receipt.proof, checkpoint=other)).text, [home.verifier])


def test_a_receipt_made_by_the_rules_alone_is_true(home: LogHome, signer: Ed25519Signer, log: AuditLog) -> None:
    """Built here from leaves and RFC 6962, without the log's own proofs."""
    receipts = [log.receipt(seq) for seq in range(SIZE)]
    leaves = [leaf_hash(one.leaf) for one in receipts]

    def node(height: int, index: int) -> bytes:
        return root_of(leaves[index << height : (index + 1) << height])

    signed = sign_checkpoint(Checkpoint(ORIGIN, SIZE, root_of(leaves)), [signer]).text
    for seq, one in enumerate(receipts):
        own = TlogProof(seq, tuple(inclusion_proof(seq, SIZE, node)), signed)
        assert own == one.proof
        assert verify_receipt(replace(one, proof=own).text, [home.verifier]).index == seq


def test_progress_is_told_and_ends_at_the_end(tmp_path: Path, sqlite_url: str) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    log.append_all([an_access() for _ in range(2100)])
    told: list[tuple[int, int]] = []
    assert log.verify(lambda done, total: told.append((done, total))).ok
    log.close()
    assert told == [(1024, 2100), (2048, 2100), (2100, 2100)]


def test_without_the_master_key_the_chain_is_checked_and_no_body_opened(tmp_path: Path, sqlite_url: str) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    log.append_all([an_access() for _ in range(3)])
    log.close()
    report = verify_store(sqlite_url, [home.verifier], None)
    assert (report.ok, report.size, report.opened) == (True, 3, 0)


def test_the_digest_of_erased_entries_does_not_depend_on_their_order() -> None:
    assert digest_of_entries([3, 1, 2]) == digest_of_entries([1, 2, 3])
    # printf '1\n2\n3\n' | sha256sum
    assert digest_of_entries([1, 2, 3]) == "14c5e74c4b96ccef41cd94db73a9ec3348038ac094feca4fd897cecffa07cdae"
