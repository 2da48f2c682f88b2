"""A receipt's text: written and read back the same, and refused in every other spelling."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import AuditError, InvalidProof, MalformedReceipt, VerificationFailed
from audit.note import Ed25519Verifier
from audit.receipt import HEADER, MAX_HASHES, MAX_RECEIPT, PROOF_HEADER, Receipt, TlogProof, parse_proof, parse_receipt
from audit.verify import verify_receipt
from tests.factories.logs import LogHome, an_access

_HASHES = st.binary(min_size=32, max_size=32)
#: A line of a receipt: the canonical encodings hold neither line feeds nor lone surrogates.
_LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), min_size=1, max_size=60)
_ASCII_LINE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=60)
_PROOFS = st.builds(
    TlogProof,
    index=st.integers(0, 10**19 - 1),
    hashes=st.lists(_HASHES, max_size=MAX_HASHES).map(tuple),
    checkpoint=st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
)


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    opened = draw(st.booleans())
    labelled = draw(st.booleans())
    return Receipt(
        leaf=draw(_ASCII_LINE).encode(),
        proof=draw(_PROOFS),
        body=draw(_LINE).encode() if opened else None,
        secret=draw(_HASHES) if opened else None,
        label_key=draw(_HASHES) if labelled else None,
        label_count=draw(st.integers(0, 10**19 - 1)) if labelled else None,
    )


@given(receipts())
def test_what_was_written_is_read_back_the_same(receipt: Receipt) -> None:
    assert parse_receipt(receipt.text) == receipt
    assert parse_receipt(receipt.text.encode()) == receipt


@given(_PROOFS)
def test_a_proof_alone_is_read_back_the_same(proof: TlogProof) -> None:
    assert parse_proof(proof.text) == proof


@given(st.text() | st.binary())
def test_no_other_text_is_a_receipt_and_none_makes_the_reader_fail(text: str | bytes) -> None:
    with pytest.raises(MalformedReceipt):
        parse_receipt(text)


_HASH = base64.b64encode(bytes(32)).decode()
_PROOF = f"{PROOF_HEADER}\nindex 0\n\ncheckpoint"

MALFORMED = {
    "another header": f"glasshouse receipt v2\nleaf x\n\n{_PROOF}",
    "no leaf": f"{HEADER}\n\n{_PROOF}",
    "no proof": f"{HEADER}\nleaf x\n",
    "lines out of order": f"{HEADER}\nbody b\nleaf x\nsecret {_HASH}\n\n{_PROOF}",
    "a leaf twice": f"{HEADER}\nleaf x\nleaf x\n\n{_PROOF}",
    "an unknown line": f"{HEADER}\nleaf x\ncomment y\n\n{_PROOF}",
    "a body without its secret": f"{HEADER}\nleaf x\nbody b\n\n{_PROOF}",
    "a secret without a body": f"{HEADER}\nleaf x\nsecret {_HASH}\n\n{_PROOF}",
    "a label key without a count": f"{HEADER}\nleaf x\nlabel-key {_HASH}\n\n{_PROOF}",
    "a count without a label key": f"{HEADER}\nleaf x\nlabel-count 1\n\n{_PROOF}",
    "a short secret": f"{HEADER}\nleaf x\nbody b\nsecret AAAA\n\n{_PROOF}",
    "a count with a leading zero": f"{HEADER}\nleaf x\nlabel-key {_HASH}\nlabel-count 01\n\n{_PROOF}",
    "a count in other digits": f"{HEADER}\nleaf x\nlabel-key {_HASH}\nlabel-count ١\n\n{_PROOF}",
    "a count of twenty digits": f"{HEADER}\nleaf x\nlabel-key {_HASH}\nlabel-count {'9' * 20}\n\n{_PROOF}",
    "no index": f"{HEADER}\nleaf x\n\n{PROOF_HEADER}\n\ncheckpoint",
    "an empty index": f"{HEADER}\nleaf x\n\n{PROOF_HEADER}\nindex \n\ncheckpoint",
    "a negative index": f"{HEADER}\nleaf x\n\n{PROOF_HEADER}\nindex -1\n\ncheckpoint",
    "another proof": f"{HEADER}\nleaf x\n\nc2sp.org/tlog-proof@v2\nindex 0\n\ncheckpoint",
    "a hash with stray bits": f"{HEADER}\nleaf x\n\n{PROOF_HEADER}\nindex 0\n{_HASH[:-2]}B=\n\ncheckpoint",
    "a hash with a space": f"{HEADER}\nleaf x\n\n{PROOF_HEADER}\nindex 0\n{_HASH} \n\ncheckpoint",
    "a leaf beyond ASCII": f"{HEADER}\nleaf ü\n\n{_PROOF}",
    "DOS line ends": f"{HEADER}\r\nleaf x\r\n\r\n{_PROOF}",
    "half a surrogate pair": f"{HEADER}\nleaf x\n\n{_PROOF}\ud800",
    "too many hashes": f"{HEADER}\nleaf x\n\n{PROOF_HEADER}\nindex 0\n{(_HASH + chr(10)) * 64}\ncheckpoint",
    "too long": f"{HEADER}\nleaf {'x' * MAX_RECEIPT}\n\n{_PROOF}",
    "a byte order mark": f"\ufeff{HEADER}\nleaf x\n\n{_PROOF}",
}


@pytest.mark.parametrize("defect", MALFORMED)
def test_a_malformed_receipt_is_refused(defect: str) -> None:
    with pytest.raises(MalformedReceipt):
        parse_receipt(MALFORMED[defect])


def test_the_smallest_receipt_is_one() -> None:
    """So that each of the malformed ones above is refused for its defect and for nothing else."""
    assert parse_receipt(f"{HEADER}\nleaf x\n\n{_PROOF}").leaf == b"x"


def test_nothing_of_what_is_opened_shows_in_a_repr() -> None:
    proof = TlogProof(0, (), "checkpoint")
    shown = repr(Receipt(b"leaf", proof, b"the body", b"s" * 32, b"k" * 32, 1))
    assert "the body" not in shown
    assert "sss" not in shown
    assert "kkk" not in shown


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Ed25519Verifier]:
    """A person's own receipt for one of five entries, whole with body and label."""
    folder: Path = tmp_path_factory.mktemp("log")
    home = LogHome.make(folder, f"sqlite:///{folder / 'log.db'}")
    log = home.open()
    log.append_all([an_access(justification="põhjendus", fields=()) for _ in range(5)])
    text = log.receipt(2, for_subject=True).text
    log.close()
    assert verify_receipt(text, [home.verifier]).is_own_label
    return text, home.verifier


REPLACEMENTS = "0A\n ü"


@pytest.mark.parametrize("replacement", REPLACEMENTS)
def test_every_character_that_is_replaced_makes_the_receipt_false_or_unreadable(
    genuine: tuple[str, Ed25519Verifier], replacement: str
) -> None:
    text, verifier = genuine
    for position, character in enumerate(text):
        if character == replacement:
            continue
        changed = text[:position] + replacement + text[position + 1 :]
        with pytest.raises((MalformedReceipt, InvalidProof, VerificationFailed)):
            verify_receipt(changed, [verifier])


def test_every_character_that_is_left_out_or_doubled_makes_the_receipt_false_or_unreadable(
    genuine: tuple[str, Ed25519Verifier],
) -> None:
    text, verifier = genuine
    for position, character in enumerate(text):
        for changed in (text[:position] + text[position + 1 :], text[:position] + character + text[position:]):
            with pytest.raises((MalformedReceipt, InvalidProof, VerificationFailed)):
                verify_receipt(changed, [verifier])


def test_every_flipped_bit_makes_the_receipt_false_or_unreadable(genuine: tuple[str, Ed25519Verifier]) -> None:
    text, verifier = genuine
    encoded = text.encode()
    for position in range(len(encoded)):
        for bit in (0, 5, 7):
            changed = bytearray(encoded)
            changed[position] ^= 1 << bit
            with pytest.raises((MalformedReceipt, InvalidProof, VerificationFailed)):
                verify_receipt(bytes(changed), [verifier])


@given(data=st.data())
def test_what_is_cut_or_moved_about_is_never_taken_for_true_unless_it_says_less(
    genuine: tuple[str, Ed25519Verifier], data: st.DataObject
) -> None:
    """Whole lines may be left out: the receipt then opens less of the entry, and nothing that it says is false."""
    text, verifier = genuine
    lines = text.split("\n")
    kept = data.draw(st.permutations(lines).flatmap(lambda order: st.integers(0, len(lines)).map(lambda n: order[:n])))
    changed = "\n".join(kept)
    honest = verify_receipt(text, [verifier])
    try:
        verdict = verify_receipt(changed, [verifier])
    except AuditError:
        return
    assert verdict.leaf == honest.leaf
    assert verdict.access in (None, honest.access)
    assert verdict.label_count in (None, honest.label_count)


def test_lines_that_open_the_entry_may_be_left_out(genuine: tuple[str, Ed25519Verifier]) -> None:
    """A person may pass a receipt on without its label key, by which their entries can be linked, or without a body."""
    text, verifier = genuine
    lines = text.split("\n")
    without_label = "\n".join(line for line in lines if not line.startswith("label-"))
    verdict = verify_receipt(without_label, [verifier])
    assert verdict.access is not None
    assert not verdict.is_own_label
    without_body = "\n".join(line for line in lines if not line.startswith(("label-", "body ", "secret ")))
    verdict = verify_receipt(without_body, [verifier])
    assert (verdict.index, verdict.access) == (2, None)
