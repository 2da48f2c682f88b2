import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle, note
from audit.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from audit.errors import KeyRefused, MalformedCheckpoint, MalformedNote, VerificationFailed
from audit.tiles import decode_tile
from tests.vectors import shared

ORIGIN = "example.com/log"
ROOT = bytes(range(32))
ENCODED_ROOT = base64.b64encode(ROOT).decode()
CHECKPOINT = Checkpoint(ORIGIN, 7, ROOT)


def private_key(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


LOG = note.Ed25519Signer(ORIGIN, private_key(1))
WITNESS = note.CosignatureSigner("example.com/witness", private_key(2), lambda: 1_700_000_000)


def test_a_checkpoint_is_three_lines() -> None:
    assert CHECKPOINT.text() == f"example.com/log\n7\n{ENCODED_ROOT}\n"


def test_the_example_of_the_specification_is_read() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = parse_checkpoint(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert checkpoint.root.hex().startswith("0ac5186a")
    assert checkpoint.text() == text


def test_extension_lines_are_kept_as_they_stand() -> None:
    text = f"{CHECKPOINT.text()}an extension \nanother\n"
    checkpoint = parse_checkpoint(text)
    assert checkpoint.extensions == ("an extension ", "another")
    assert checkpoint.text() == text


lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
checkpoints = st.builds(
    Checkpoint,
    lines,
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
    st.lists(lines, max_size=2).map(tuple),
)


@given(checkpoints)
def test_a_checkpoint_is_read_back_as_it_was_written(checkpoint: Checkpoint) -> None:
    assert parse_checkpoint(checkpoint.text()) == checkpoint


@given(st.text(max_size=80) | st.text("01a=\n", max_size=20))
def test_whatever_parses_as_a_checkpoint_is_written_back_the_same(text: str) -> None:
    try:
        checkpoint = parse_checkpoint(text)
    except MalformedCheckpoint:
        return
    assert checkpoint.text() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"{ORIGIN}\n7\n",
        f"{ORIGIN}\n7\n{ENCODED_ROOT}",
        f"\n7\n{ENCODED_ROOT}\n",
        f"{ORIGIN}\n\n{ENCODED_ROOT}\n",
        f"{ORIGIN}\n7\n\n",
        f"{ORIGIN}\n07\n{ENCODED_ROOT}\n",
        f"{ORIGIN}\n00\n{ENCODED_ROOT}\n",
        f"{ORIGIN}\n+7\n{ENCODED_ROOT}\n",
        f"{ORIGIN}\n-7\n{ENCODED_ROOT}\n",
        f"{ORIGIN}\n7 \n{ENCODED_ROOT}\n",
        f"{ORIGIN}\n 7\n{ENCODED_ROOT}\n",
        f"{ORIGIN}\n7_0\n{ENCODED_ROOT}\n",
        f"{ORIGIN}\n0x7\n{ENCODED_ROOT}\n",
        f"{ORIGIN}\n7.0\n{ENCODED_ROOT}\n",
        f"{ORIGIN}\n٧\n{ENCODED_ROOT}\n",
        f"{ORIGIN}\n9223372036854775808\n{ENCODED_ROOT}\n",
        f"{ORIGIN}\n99999999999999999999\n{ENCODED_ROOT}\n",
        f"{ORIGIN}\n7\n{ENCODED_ROOT[:-1]}\n",
        f"{ORIGIN}\n7\n{ENCODED_ROOT}=\n",
        f"{ORIGIN}\n7\n {ENCODED_ROOT}\n",
        f"{ORIGIN}\n7\n{ENCODED_ROOT.replace('8=', '9=')}\n",
        f"{ORIGIN}\n7\n{ENCODED_ROOT.replace('A', '-')}\n",
        f"{ORIGIN}\n7\n{base64.b64encode(ROOT[:31]).decode()}\n",
        f"{ORIGIN}\n7\n{base64.b64encode(ROOT + b'x').decode()}\n",
        f"{ORIGIN}\n7\n{ROOT.hex()}\n",
        f"{ORIGIN}\n7\n{ENCODED_ROOT}\n\n",
        f"{ORIGIN}\n7\n{ENCODED_ROOT}\n\nmore\n",
        f"{ORIGIN}\r\n7\r\n{ENCODED_ROOT}\r\n",
    ],
)
def test_any_other_form_of_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedCheckpoint):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 7, ROOT, ()),
        ("a\nb", 7, ROOT, ()),
        (ORIGIN, -1, ROOT, ()),
        (ORIGIN, 2**63, ROOT, ()),
        (ORIGIN, 7, ROOT[:31], ()),
        (ORIGIN, 7, ROOT, ("",)),
        (ORIGIN, 7, ROOT, ("a\nb",)),
    ],
)
def test_a_checkpoint_that_could_not_be_read_back_is_not_made(
    origin: str, size: int, root: bytes, extensions: tuple[str, ...]
) -> None:
    with pytest.raises(MalformedCheckpoint):
        Checkpoint(origin, size, root, extensions)


def test_a_signed_checkpoint_opens_with_the_keys_of_its_log_and_witness() -> None:
    signed = sign_checkpoint(CHECKPOINT, [LOG, WITNESS])
    assert signed.text.startswith(f"{CHECKPOINT.text()}\n\u2014 {ORIGIN} ")
    assert open_checkpoint(signed.text, ORIGIN, [LOG.verifier(), WITNESS.verifier()]) == signed
    assert [each.name for each in open_checkpoint(signed.text, ORIGIN, [LOG.verifier()]).verified] == [ORIGIN]


def test_a_checkpoint_is_signed_only_by_a_key_of_its_origins_name() -> None:
    for signers in ([], [WITNESS], [note.Ed25519Signer("example.com/other", private_key(1))]):
        with pytest.raises(KeyRefused):
            sign_checkpoint(CHECKPOINT, signers)


def test_a_witness_alone_does_not_vouch_for_a_checkpoint() -> None:
    signed = sign_checkpoint(CHECKPOINT, [LOG, WITNESS])
    with pytest.raises(VerificationFailed):
        open_checkpoint(signed.text, ORIGIN, [WITNESS.verifier()])


def test_a_checkpoint_of_another_log_is_refused_even_if_this_logs_key_signed_it() -> None:
    text = note.sign_note(Checkpoint("example.com/other", 7, ROOT).text(), [LOG])
    with pytest.raises(VerificationFailed):
        open_checkpoint(text, ORIGIN, [LOG.verifier()])


def test_a_checkpoint_signed_with_another_key_of_the_same_name_is_refused() -> None:
    impostor = note.Ed25519Signer(ORIGIN, private_key(9))
    with pytest.raises(VerificationFailed):
        open_checkpoint(sign_checkpoint(CHECKPOINT, [impostor]).text, ORIGIN, [LOG.verifier()])


def test_a_checkpoint_with_another_size_than_was_signed_is_refused() -> None:
    text = sign_checkpoint(CHECKPOINT, [LOG]).text.replace("\n7\n", "\n8\n")
    with pytest.raises(VerificationFailed):
        open_checkpoint(text, ORIGIN, [LOG.verifier()])


def test_a_well_signed_note_that_is_no_checkpoint_is_refused() -> None:
    with pytest.raises(MalformedCheckpoint):
        open_checkpoint(note.sign_note(f"{ORIGIN}\n07\n{ENCODED_ROOT}\n", [LOG]), ORIGIN, [LOG.verifier()])


def test_an_unsigned_checkpoint_is_no_note() -> None:
    with pytest.raises(MalformedNote):
        open_checkpoint(CHECKPOINT.text(), ORIGIN, [LOG.verifier()])


@shared.needs_log
@pytest.mark.parametrize("size", shared.LOG_SIZES)
def test_each_checkpoint_of_the_public_log_opens_and_has_the_root_of_its_tiles(size: int) -> None:
    verifier = note.verifier_from_vkey(shared.LOG_VKEY)
    text = (shared.LOG / f"checkpoint.{size}").read_text(encoding="utf-8")
    opened = open_checkpoint(text, shared.LOG_ORIGIN, [verifier])
    hashes = decode_tile((shared.LOG / f"tile/0/000.p/{size}").read_bytes()) if size else []
    assert opened.text == text
    assert opened.checkpoint == Checkpoint(shared.LOG_ORIGIN, size, merkle.root_of(hashes))
