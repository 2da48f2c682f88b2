"""Known answers of other people's implementations, and every edge at which readers of these formats have disagreed."""

from __future__ import annotations

import base64
import hashlib

import pytest

from audit.checkpoint import parse_checkpoint
from audit.errors import (
    AuditError,
    InvalidProof,
    KeyRefused,
    MalformedCheckpoint,
    MalformedNote,
    MalformedReceipt,
    VerificationFailed,
)
from audit.merkle import consistency_proof, leaf_hash, root_of, verify_consistency
from audit.note import (
    CosignatureVerifier,
    Ed25519Verifier,
    Verifier,
    cosignature_time,
    open_note,
    parse_signature,
    verifier_from_vkey,
)
from audit.receipt import PROOF_HEADER, TlogProof, parse_proof
from tests.vectors import consistency, rfc6962, signed_note

PETER = Ed25519Verifier.from_vkey(signed_note.VKEY)
ENOCH = Ed25519Verifier.from_vkey(signed_note.ENOCH_VKEY)
BOTH = f"{signed_note.NOTE}{signed_note.ENOCH_LINE}"
SOME = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")
EMPTY = rfc6962.ROOTS[0]


# Consistency proofs.


@pytest.mark.parametrize("sizes", consistency.PROOFS)
def test_the_known_proofs_are_made_and_taken(sizes: tuple[int, int]) -> None:
    size1, size2 = sizes
    hashes = [leaf_hash(leaf) for leaf in rfc6962.LEAVES]
    made = consistency_proof(size1, size2, lambda height, index: root_of(hashes[index << height : index + 1 << height]))
    assert tuple(made) == consistency.PROOFS[sizes]
    verify_consistency(size1, size2, made, rfc6962.ROOTS[size1], rfc6962.ROOTS[size2])


Claim = tuple[int, int, tuple[bytes, ...], bytes, bytes]


def _corrupted(size1: int, size2: int) -> dict[str, Claim]:
    proof, root1, root2 = consistency.PROOFS[size1, size2], rfc6962.ROOTS[size1], rfc6962.ROOTS[size2]
    claims: dict[str, Claim] = {
        "size1 - 1": (size1 - 1, size2, proof, root1, root2),
        "size1 + 1": (size1 + 1, size2, proof, root1, root2),
        "size1 ^ 2": (size1 ^ 2, size2, proof, root1, root2),
        "size2 * 2": (size1, size2 * 2, proof, root1, root2),
        "size2 / 2": (size1, size2 // 2, proof, root1, root2),
        "another first root": (size1, size2, proof, b"WrongRoot", root2),
        "another second root": (size1, size2, proof, root1, b"WrongRoot"),
        "roots swapped": (size1, size2, proof, root2, root1),
        "no proof": (size1, size2, (), root1, root2),
        "garbage behind": (size1, size2, (*proof, b""), root1, root2),
        "root1 behind": (size1, size2, (*proof, root1), root1, root2),
        "root2 behind": (size1, size2, (*proof, root2), root1, root2),
        "garbage before": (size1, size2, (b"", *proof), root1, root2),
        "root1 before": (size1, size2, (root1, *proof), root1, root2),
        "root2 before": (size1, size2, (root2, *proof), root1, root2),
        "first node twice": (size1, size2, (proof[0], *proof), root1, root2),
        "cut short": (size1, size2, proof[:-1], root1, root2),
    }
    for place, node in enumerate(proof):
        flipped = bytes([node[0] ^ 16]) + node[1:]
        claims[f"node {place} flipped"] = (size1, size2, (*proof[:place], flipped, *proof[place + 1 :]), root1, root2)
    return claims


@pytest.mark.parametrize("sizes", [sizes for sizes in consistency.PROOFS if sizes != (1, 1)])
def test_no_corruption_of_a_known_proof_is_taken(sizes: tuple[int, int]) -> None:
    assert [defect for defect, claim in _corrupted(*sizes).items() if _is_taken(claim)] == []


def _is_taken(claim: Claim) -> bool:
    try:
        verify_consistency(*claim)
    except InvalidProof:
        return False
    return True


@pytest.mark.parametrize(
    "claim",
    [
        (0, 0, (), b"root one", b"root two"),
        (1, 1, (), b"root one", b"root two"),
        (0, 1, (), EMPTY, rfc6962.ROOTS[1]),
        (0, 1, (EMPTY,), EMPTY, EMPTY),
        (0, 5, (), EMPTY, rfc6962.ROOTS[5]),
        (1, 0, (), rfc6962.ROOTS[1], EMPTY),
        (2, 1, (), rfc6962.ROOTS[2], rfc6962.ROOTS[1]),
        (1, 2, (), rfc6962.ROOTS[1], rfc6962.ROOTS[2]),
        (0, 0, (), EMPTY, SOME),
        (0, 0, (EMPTY,), EMPTY, EMPTY),
        (1, 1, (EMPTY,), EMPTY, EMPTY),
        (-1, 0, (), EMPTY, EMPTY),
        (2**64 - 1, 8, (), EMPTY, rfc6962.ROOTS[8]),
    ],
)
def test_claims_that_say_nothing_or_contradict_themselves_are_refused(claim: Claim) -> None:
    with pytest.raises(InvalidProof):
        verify_consistency(*claim)


@pytest.mark.parametrize("root", [EMPTY, SOME])
@pytest.mark.parametrize("size", [0, 1, 2**63])
def test_equal_sizes_and_equal_roots_need_no_proof(size: int, root: bytes) -> None:
    verify_consistency(size, size, [], root, root)


# Notes, with the two keys of golang.org/x/mod/sumdb/note's own tests.


def test_known_signatures_are_verified_and_others_set_apart() -> None:
    assert [one.name for one in open_note(BOTH, [PETER]).verified] == ["PeterNeumann"]
    assert [one.name for one in open_note(BOTH, [PETER]).unverified] == ["EnochRoot"]
    assert [one.name for one in open_note(BOTH, [PETER, ENOCH]).verified] == ["PeterNeumann", "EnochRoot"]
    with pytest.raises(VerificationFailed):
        open_note(BOTH, [])


def test_an_ambiguous_key_matters_only_where_it_signed() -> None:
    assert open_note(signed_note.NOTE, [ENOCH, PETER, ENOCH]).text == signed_note.TEXT
    with pytest.raises(KeyRefused):
        open_note(f"{signed_note.TEXT}\n{signed_note.ENOCH_LINE}", [ENOCH, PETER, ENOCH])


def test_repeated_signatures_count_once_and_a_different_one_of_an_unknown_key_twice() -> None:
    peter, enoch = signed_note.SIGNATURE_LINE, signed_note.ENOCH_LINE
    other = enoch[:60] + "ABCD" + enoch[60:]
    opened = open_note(f"{signed_note.TEXT}\n{peter}{peter}{enoch}{enoch}{other}", [PETER])
    assert len(opened.verified) == 1
    assert len(opened.unverified) == 2


def test_a_known_key_that_fails_refuses_the_note() -> None:
    broken = signed_note.SIGNATURE_LINE[:60] + "ABCD" + signed_note.SIGNATURE_LINE[60:]
    for note in (f"{signed_note.TEXT}\n{broken}", f"{signed_note.TEXT}\n{signed_note.ENOCH_LINE}{broken}"):
        with pytest.raises(VerificationFailed):
            open_note(note, [PETER, ENOCH])


@pytest.mark.parametrize("keys", [[], [PETER]])
@pytest.mark.parametrize(
    "note",
    [
        signed_note.TEXT,
        f"{signed_note.TEXT}\n",
        signed_note.NOTE[:-1],
        f"\x01{signed_note.NOTE}",
        f"\x7f\x1f{signed_note.NOTE}",
        b"\xff" + signed_note.NOTE.encode(),
        f"{signed_note.TEXT}\n{signed_note.SIGNATURE_LINE.replace('PeterNeumann', 'Bad Name')}",
        f"{signed_note.TEXT}\n{signed_note.SIGNATURE_LINE.replace('PeterNeumann', 'Bad+Name')}",
        f"{signed_note.NOTE}Unexpected line.\n",
        f"{signed_note.NOTE}\n",
        f"{signed_note.TEXT}\n{signed_note.SIGNATURE_LINE * 101}",
        f"{signed_note.TEXT}\n{signed_note.SIGNATURE_LINE.replace('—', '-')}",
        f"{signed_note.TEXT}\n— PeterNeumann \n",
        f"{signed_note.TEXT}\n— PeterNeumann AAAA\n",
        f"{signed_note.TEXT}\n— PeterNeumann !!!!\n",
        f"{'x' * 1_000_000}\n\n{signed_note.SIGNATURE_LINE}",
    ],
)
def test_what_is_malformed_is_no_note_whoever_is_known(note: str | bytes, keys: list[Verifier]) -> None:
    with pytest.raises(MalformedNote):
        open_note(note, keys)


def test_sixteen_signatures_are_read_though_one_alone_is_known() -> None:
    unknown = "".join(f"\u2014 witness{number}.example AAAAAAA=\n" for number in range(15))
    assert len(open_note(f"{signed_note.TEXT}\n{unknown}{signed_note.SIGNATURE_LINE}", [PETER]).unverified) == 15


def test_no_part_of_a_key_and_no_key_with_a_byte_more_is_a_key() -> None:
    vkey = signed_note.VKEY
    for start in range(len(vkey)):
        for end in range(start + 1, len(vkey) + 1):
            if (start, end) != (0, len(vkey)):
                with pytest.raises(KeyRefused):
                    verifier_from_vkey(vkey[start:end])
    for place in range(len(vkey)):
        with pytest.raises(KeyRefused):
            verifier_from_vkey(vkey[:place] + chr(ord(vkey[place]) + 1) + vkey[place + 1 :])
    for key in (signed_note.LONG_KEY, signed_note.KEY_OF_UNKNOWN_TYPE):
        with pytest.raises(KeyRefused):
            verifier_from_vkey(key)


# Cosignatures.


def test_a_witness_in_the_field_has_a_key_of_type_4() -> None:
    assert isinstance(verifier_from_vkey(signed_note.WITNESS_VKEY), CosignatureVerifier)


def test_the_time_of_a_cosignature_stands_before_it() -> None:
    signature = parse_signature(f"\u2014 witness.example {signed_note.COSIGNATURE}")
    assert cosignature_time(signature.signature) == signed_note.COSIGNED_AT


# Checkpoints.


@pytest.mark.parametrize("size", ["00", "01", "-1", "+1", " 1", "1 ", "", "1e3", "٣", str(2**63), "9" * 30, "1.0"])
def test_a_size_has_one_spelling_and_a_bound(size: str) -> None:
    with pytest.raises(MalformedCheckpoint):
        parse_checkpoint(f"log.example\n{size}\n{base64.b64encode(EMPTY).decode()}\n")


@pytest.mark.parametrize(
    "text",
    [
        "Head\n9944\n",
        "\n9944\n{root}\n",
        "Log\n123\n{root}",
        "Log\nbananas\n{root}\n",
        "Log\n123\nThisIsn'tBase64\n",
        "Log\n123\nYmFuYW5hcw==\n",
        "Log\n123\n{root}\n\n",
        "Log\n123\n{root}\n\nextension\n",
        "Log\n123\n{root}=\n",
        " Log\n\n123\n{root}\n",
    ],
)
def test_another_form_is_no_checkpoint(text: str) -> None:
    with pytest.raises(MalformedCheckpoint):
        parse_checkpoint(text.format(root=base64.b64encode(EMPTY).decode()))


# tlog-proof.

_HASHES = (hashlib.sha256(b"hash1").digest(), hashlib.sha256(b"hash2").digest())
_ENCODED = tuple(base64.b64encode(node).decode() for node in _HASHES)


@pytest.mark.parametrize(
    ("proof", "text"),
    [
        (
            TlogProof(5, _HASHES, "test checkpoint\n"),
            f"{PROOF_HEADER}\nindex 5\n{_ENCODED[0]}\n{_ENCODED[1]}\n\ntest checkpoint\n",
        ),
        (
            TlogProof(10, _HASHES[:1], "checkpoint data\n", b"extra information"),
            f"{PROOF_HEADER}\nextra ZXh0cmEgaW5mb3JtYXRpb24=\nindex 10\n{_ENCODED[0]}\n\ncheckpoint data\n",
        ),
        (TlogProof(0, (), "checkpoint\n"), f"{PROOF_HEADER}\nindex 0\n\ncheckpoint\n"),
        (TlogProof(0, (), "a\n\nb\n"), f"{PROOF_HEADER}\nindex 0\n\na\n\nb\n"),
    ],
)
def test_a_proof_is_written_and_read_as_the_specification_says(proof: TlogProof, text: str) -> None:
    assert proof.text == text
    assert parse_proof(text) == proof


@pytest.mark.parametrize(
    "head",
    [
        "wrong-header\nindex 0\n",
        "\nindex 0\n",
        f"{PROOF_HEADER}\n",
        f"{PROOF_HEADER}\nextra !!notbase64!!\nindex 0\n",
        f"{PROOF_HEADER}\nextra YQ\nindex 0\n",
        f"{PROOF_HEADER}\nextra YQ==\n",
        f"{PROOF_HEADER}\nextra YQ==\nextra YQ==\nindex 0\n",
        f"{PROOF_HEADER}\nindex 0\nextra YQ==\n",
        f"{PROOF_HEADER}\nindex notanumber\n",
        f"{PROOF_HEADER}\nindex -5\n",
        f"{PROOF_HEADER}\nindex 05\n",
        f"{PROOF_HEADER}\nindex  5\n",
        f"{PROOF_HEADER}\nindex 5 \n",
        f"{PROOF_HEADER}\nindex\n",
        f"{PROOF_HEADER}\nindex 99999999999999999999\n",
        f"{PROOF_HEADER}\nindex 0\n!!notbase64!!\n",
        f"{PROOF_HEADER}\nindex 0\n{base64.b64encode(bytes(64)).decode()}\n",
        f"{PROOF_HEADER}\nindex 0\n{base64.b64encode(bytes(31)).decode()}\n",
        f"{PROOF_HEADER}\nindex 0\n{'a' * 65 * 1024}\n",
        f"{PROOF_HEADER}\nindex 0\n" + f"{_ENCODED[0]}\n" * 64,
        f"{PROOF_HEADER}\r\nindex 0\r\n",
    ],
)
def test_another_form_is_no_proof(head: str) -> None:
    with pytest.raises(MalformedReceipt):
        parse_proof(f"{head}\ncheckpoint\n")


def test_a_proof_without_a_blank_line_or_a_checkpoint_proves_nothing() -> None:
    with pytest.raises(AuditError):
        parse_proof(f"{PROOF_HEADER}\nindex 0\n")
