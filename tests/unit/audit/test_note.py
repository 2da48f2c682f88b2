import base64
import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit import note as notes
from audit.errors import AuditError, KeyRefused, MalformedNote, VerificationFailed
from tests.vectors import signed_note

PETER = notes.Ed25519Verifier.from_vkey(signed_note.VKEY)
TEXT = "first line\nsecond line\n"


def private_key(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


LOG = notes.Ed25519Signer("example.com/log", private_key(1))
OTHER = notes.Ed25519Signer("example.com/other", private_key(2))
WITNESS = notes.CosignatureSigner("example.com/witness", private_key(3), lambda: 1_700_000_000.9)
SIGNED = notes.sign_note(TEXT, [LOG])


def line(name: str, key_id: bytes, signature: bytes) -> str:
    return notes.NoteSignature(name, key_id, signature).line()


class TestTheExampleOfTheSpecification:
    def test_opens_with_its_key(self) -> None:
        opened = notes.open_note(signed_note.NOTE, [PETER])
        assert opened.text == signed_note.TEXT
        assert [(each.name, each.key_id.hex()) for each in opened.verified] == [("PeterNeumann", "c74f20a3")]
        assert opened.unverified == ()

    def test_opens_from_bytes_as_well(self) -> None:
        assert notes.open_note(signed_note.NOTE.encode(), [PETER]) == notes.open_note(signed_note.NOTE, [PETER])

    def test_is_signed_again_to_the_same_bytes(self) -> None:
        seed = base64.b64decode(signed_note.PRIVATE_KEY.split("+", 4)[4])[1:]
        signer = notes.Ed25519Signer(signed_note.NAME, Ed25519PrivateKey.from_private_bytes(seed))
        assert signer.vkey == signed_note.VKEY
        assert notes.sign_note(signed_note.TEXT, [signer]) == signed_note.NOTE

    def test_is_refused_with_one_letter_changed(self) -> None:
        with pytest.raises(VerificationFailed):
            notes.open_note(signed_note.NOTE.replace("answer", "Answer"), [PETER])


class TestOpening:
    def test_a_note_keeps_the_signatures_of_keys_that_are_not_known_apart(self) -> None:
        opened = notes.open_note(notes.sign_note(TEXT, [OTHER, LOG, WITNESS]), [LOG.verifier()])
        assert [each.name for each in opened.verified] == [LOG.name]
        assert [each.name for each in opened.unverified] == [OTHER.name, WITNESS.name]

    def test_a_note_that_no_known_key_signed_is_refused(self) -> None:
        for verifiers in ([], [OTHER.verifier()]):
            with pytest.raises(VerificationFailed):
                notes.open_note(SIGNED, verifiers)

    def test_a_false_signature_of_a_known_key_refuses_the_note_whoever_else_signed(self) -> None:
        forged = SIGNED + line(OTHER.name, OTHER.key_id, bytes(64))
        assert notes.open_note(forged, [LOG.verifier()]).text == TEXT
        with pytest.raises(VerificationFailed):
            notes.open_note(forged, [LOG.verifier(), OTHER.verifier()])

    @pytest.mark.parametrize("length", [1, 63, 65])
    def test_a_known_keys_signature_of_another_length_is_false(self, length: int) -> None:
        for signer in (LOG, WITNESS):
            with pytest.raises(VerificationFailed):
                notes.open_note(f"{TEXT}\n{line(signer.name, signer.key_id, bytes(length))}", [signer.verifier()])

    def test_a_key_is_known_by_its_name_and_id_together(self) -> None:
        same_name = notes.Ed25519Signer(LOG.name, private_key(9))
        opened = notes.open_note(notes.sign_note(TEXT, [same_name, LOG]), [LOG.verifier()])
        assert [each.key_id for each in opened.unverified] == [same_name.key_id]
        same_id = SIGNED + line("example.com/elsewhere", LOG.key_id, bytes(64))
        assert [each.name for each in notes.open_note(same_id, [LOG.verifier()]).unverified] == [
            "example.com/elsewhere"
        ]

    def test_a_second_signature_of_one_key_is_ignored_even_if_false(self) -> None:
        repeated = SIGNED + SIGNED.split("\n\n")[1] + line(LOG.name, LOG.key_id, bytes(64))
        assert notes.open_note(repeated, [LOG.verifier()]) == notes.open_note(SIGNED, [LOG.verifier()])

    def test_a_repeated_line_of_an_unknown_key_is_kept_once(self) -> None:
        unknown = line("example.com/nobody", b"abcd", b"one")
        different = line("example.com/nobody", b"abcd", b"two")
        opened = notes.open_note(SIGNED + unknown + different + unknown, [LOG.verifier()])
        assert [each.signature for each in opened.unverified] == [b"one", b"two"]

    def test_two_known_keys_of_one_name_and_id_are_refused(self) -> None:
        with pytest.raises(KeyRefused):
            notes.open_note(SIGNED, [LOG.verifier(), LOG.verifier()])

    def test_the_text_ends_at_the_last_blank_line(self) -> None:
        text = "above\n\n\u2014 not a signature\n\nbelow\n\n"
        opened = notes.open_note(notes.sign_note(text, [LOG]), [LOG.verifier()])
        assert opened.text == text

    def test_a_text_of_one_newline_is_a_text(self) -> None:
        assert notes.open_note(notes.sign_note("\n", [LOG]), [LOG.verifier()]).text == "\n"

    def test_sixteen_and_up_to_a_hundred_signatures_are_read_and_no_more(self) -> None:
        def with_others(count: int) -> str:
            return SIGNED + "".join(line(f"example.com/{index}", b"abcd", b"s") for index in range(count))

        for count in (15, 99):
            assert len(notes.open_note(with_others(count), [LOG.verifier()]).unverified) == count
        with pytest.raises(MalformedNote):
            notes.open_note(with_others(100), [LOG.verifier()])

    def test_a_note_beyond_a_mebibyte_is_refused(self) -> None:
        largest = "é" * ((notes.MAX_NOTE - len(notes.sign_note("\n", [LOG]).encode())) // 2)
        signed = notes.sign_note(f"{largest}\n", [LOG])
        assert notes.open_note(signed, [LOG.verifier()]).text == f"{largest}\n"
        with pytest.raises(MalformedNote):
            notes.sign_note(f"{largest}é\n", [LOG])
        for too_long in (signed.replace("é\n", "éé\n"), "x" * (notes.MAX_NOTE + 1)):
            with pytest.raises(MalformedNote):
                notes.open_note(too_long, [LOG.verifier()])
            with pytest.raises(MalformedNote):
                notes.open_note(too_long.encode(), [LOG.verifier()])


GOOD_LINE = SIGNED.split("\n\n")[1]
NAME_AND_REST = GOOD_LINE.removeprefix("\u2014 ")
ENCODED = NAME_AND_REST.split(" ")[1].rstrip("\n")


@pytest.mark.parametrize(
    "note",
    [
        pytest.param("", id="nothing at all"),
        pytest.param("\n", id="one newline"),
        pytest.param(TEXT, id="no signature block"),
        pytest.param(f"{TEXT}\n", id="empty signature block"),
        pytest.param(f"{TEXT}{GOOD_LINE}", id="no blank line"),
        pytest.param(f"\n{GOOD_LINE}", id="no text"),
        pytest.param(SIGNED[:-1], id="no newline at the end"),
        pytest.param(f"{SIGNED[:-1]}x", id="another character for the newline at the end"),
        pytest.param(f"{SIGNED}\n", id="a blank line at the end"),
        pytest.param(f"{SIGNED}more\n", id="text after the signatures"),
        pytest.param(f"{TEXT}\nmore\n{GOOD_LINE}", id="text before the signatures"),
        pytest.param(f"{TEXT}\n\u2013 {NAME_AND_REST}", id="an en dash"),
        pytest.param(f"{TEXT}\n- {NAME_AND_REST}", id="a hyphen"),
        pytest.param(f"{TEXT}\n\u2014{NAME_AND_REST}", id="no space after the dash"),
        pytest.param(f"{TEXT}\n\u2014\u00a0{NAME_AND_REST}", id="a no-break space after the dash"),
        pytest.param(f"{TEXT}\n \u2014 {NAME_AND_REST}", id="a space before the dash"),
        pytest.param(f"{TEXT}\n\u2014  {NAME_AND_REST}", id="two spaces after the dash"),
        pytest.param(f"{TEXT}\n\u2014 {LOG.name}  {ENCODED}\n", id="two spaces after the name"),
        pytest.param(f"{TEXT}\n\u2014 {LOG.name} {ENCODED} \n", id="a space at the end of the line"),
        pytest.param(f"{TEXT}\n\u2014 {LOG.name}\n", id="no signature"),
        pytest.param(f"{TEXT}\n\u2014 {LOG.name} \n", id="an empty signature"),
        pytest.param(f"{TEXT}\n\u2014 {ENCODED}\n", id="no name"),
        pytest.param(f"{TEXT}\n\u2014 a+b {ENCODED}\n", id="a plus in the name"),
        pytest.param(f"{TEXT}\n\u2014 a\u2003b {ENCODED}\n", id="an em space in the name"),
        pytest.param(f"{TEXT}\n\u2014 a\u0085b {ENCODED}\n", id="a next-line character in the name"),
        pytest.param(f"{TEXT}\n\u2014 a\u3000b {ENCODED}\n", id="an ideographic space in the name"),
        pytest.param(f"{TEXT}\n\u2014 {LOG.name} {ENCODED.rstrip('=')}\n", id="no padding"),
        pytest.param(f"{TEXT}\n\u2014 {LOG.name} {ENCODED}=\n", id="surplus padding"),
        pytest.param(f"{TEXT}\n\u2014 {LOG.name} {ENCODED}{ENCODED}\n", id="padding in the middle"),
        pytest.param(f"{TEXT}\n\u2014 {LOG.name} *{ENCODED[1:]}\n", id="a letter outside base64"),
        pytest.param(f"{TEXT}\n\u2014 {LOG.name} ____\n", id="the alphabet of URLs"),
        pytest.param(f"{TEXT}\n\u2014 {LOG.name} YWJjZGZ=\n", id="stray bits before the padding"),
        pytest.param(f"{TEXT}\n\u2014 {LOG.name} YWJjZA==\n", id="a key id and no signature"),
        pytest.param(SIGNED.replace("\n", "\r\n"), id="carriage returns"),
        pytest.param(SIGNED.replace("first", "fir\tst"), id="a tab in the text"),
        pytest.param(SIGNED.replace("first", "fir\x00st"), id="a NUL in the text"),
        pytest.param(SIGNED.replace("first", "fir\x1fst"), id="a control character in the text"),
        pytest.param(SIGNED.replace("example.com", "example\x1b.com"), id="a control character in a signature line"),
        pytest.param(SIGNED.replace("first", "fir\ud800st"), id="half of a surrogate pair"),
        pytest.param(SIGNED.encode().replace(b"first", b"fir\xffst"), id="not UTF-8"),
        pytest.param(SIGNED.encode().replace(b"first", b"fir\xc0\xafst"), id="overlong UTF-8"),
        pytest.param(SIGNED.encode().replace(b"first", b"fir\xed\xa0\x80st"), id="a surrogate in UTF-8"),
        pytest.param(SIGNED.encode("utf-16"), id="UTF-16"),
    ],
)
def test_what_is_no_note_is_refused_whichever_keys_are_known(note: str | bytes) -> None:
    for verifiers in ([LOG.verifier()], []):
        with pytest.raises(MalformedNote):
            notes.open_note(note, verifiers)


@pytest.mark.parametrize("character", ["\x7f", "\u2028", "\u0085", "\u00a0", "\ufeff", "\U0001f512"])
def test_a_text_may_hold_any_other_character(character: str) -> None:
    text = f"before{character}after\n"
    assert notes.open_note(notes.sign_note(text, [LOG]), [LOG.verifier()]).text == text


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_input_breaks_the_parser(note: bytes | str) -> None:
    with pytest.raises((MalformedNote, VerificationFailed)):
        notes.open_note(note, [LOG.verifier()])


@given(st.integers(0, len(SIGNED.encode()) * 8 - 1))
def test_no_single_changed_bit_yields_another_verified_text(bit: int) -> None:
    changed = bytearray(SIGNED.encode())
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(AuditError):
        notes.open_note(bytes(changed), [LOG.verifier()])


plain_texts = st.text(
    st.characters(exclude_categories=["Cs"]).filter(lambda char: char >= " ") | st.just("\n"), max_size=60
).map(lambda text: f"{text}\n")


@given(plain_texts, st.permutations([LOG, OTHER, WITNESS]))
def test_what_is_signed_opens_to_the_same_text(text: str, signers: list[notes.Signer]) -> None:
    opened = notes.open_note(notes.sign_note(text, signers), [each.verifier() for each in signers])
    assert opened.text == text
    assert [each.name for each in opened.verified] == [each.name for each in signers]
    assert notes.format_note(text, opened.verified) == notes.sign_note(text, signers)


class TestSigning:
    @pytest.mark.parametrize("text", ["", "no newline", "a\tb\n", "a\rb\n", "a\x00\n", "\ud800\n"])
    def test_a_text_that_no_reader_would_accept_is_not_signed(self, text: str) -> None:
        with pytest.raises(MalformedNote):
            notes.sign_note(text, [LOG])

    def test_a_note_without_a_signature_is_not_made(self) -> None:
        with pytest.raises(MalformedNote):
            notes.sign_note(TEXT, [])

    def test_signatures_made_elsewhere_can_be_added(self) -> None:
        text, signatures = notes.split_note(SIGNED)
        cosigned = notes.format_note(text, [*signatures, notes.sign_text(text, WITNESS)])
        assert cosigned.startswith(SIGNED)
        assert len(notes.open_note(cosigned, [LOG.verifier(), WITNESS.verifier()]).verified) == 2

    def test_a_signature_line_is_read_alone_as_a_witness_sends_it(self) -> None:
        signature = notes.sign_text(TEXT, WITNESS)
        assert notes.parse_signature(signature.line().removesuffix("\n")) == signature
        with pytest.raises(MalformedNote):
            notes.parse_signature(signature.line())

    @pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\u2028b", "a\x01b", "a\ud800b"])
    def test_a_name_that_cannot_stand_in_a_note_is_refused(self, name: str) -> None:
        for make in (notes.Ed25519Signer, lambda name, key: notes.CosignatureSigner(name, key, lambda: 0.0)):
            with pytest.raises(KeyRefused):
                make(name, private_key(1))

    def test_a_name_may_be_in_any_script(self) -> None:
        signer = notes.Ed25519Signer("näide.ee/päevik", private_key(1))
        assert notes.open_note(notes.sign_note(TEXT, [signer]), [signer.verifier()]).text == TEXT
        assert notes.verifier_from_vkey(signer.vkey).name == signer.name

    def test_neither_a_signer_nor_a_verifier_shows_its_key(self) -> None:
        assert repr(LOG) == f"<Ed25519Signer example.com/log {LOG.key_id.hex()}>"
        assert repr(WITNESS.verifier()) == f"<CosignatureVerifier example.com/witness {WITNESS.key_id.hex()}>"


class TestKeyTexts:
    def test_are_read_back_as_they_were_written(self) -> None:
        for signer, kind in ((LOG, notes.Ed25519Verifier), (WITNESS, notes.CosignatureVerifier)):
            verifier = notes.verifier_from_vkey(signer.vkey)
            assert isinstance(verifier, kind)
            assert (verifier.name, verifier.key_id, verifier.vkey) == (signer.name, signer.key_id, signer.vkey)

    def test_give_the_key_id_of_the_specification(self) -> None:
        public = private_key(1).public_key().public_bytes_raw()
        assert LOG.key_id == hashlib.sha256(b"example.com/log\n\x01" + public).digest()[:4]
        public = private_key(3).public_key().public_bytes_raw()
        assert WITNESS.key_id == hashlib.sha256(b"example.com/witness\n\x04" + public).digest()[:4]

    def test_of_one_type_are_refused_where_the_other_is_asked_for(self) -> None:
        with pytest.raises(KeyRefused):
            notes.Ed25519Verifier.from_vkey(WITNESS.vkey)
        with pytest.raises(KeyRefused):
            notes.CosignatureVerifier.from_vkey(LOG.vkey)

    @staticmethod
    def with_key(typed_key: bytes, name: str = "PeterNeumann") -> str:
        key_id = hashlib.sha256(f"{name}\n".encode() + typed_key).digest()[:4]
        return f"{name}+{key_id.hex()}+{base64.b64encode(typed_key).decode()}"

    @pytest.mark.parametrize("typed_key", [b"", b"\x01", b"\x01" + bytes(31), b"\x01" + bytes(33)])
    def test_with_a_key_of_another_length_are_refused(self, typed_key: bytes) -> None:
        with pytest.raises(KeyRefused):
            notes.verifier_from_vkey(self.with_key(typed_key))

    @pytest.mark.parametrize("key_type", [0x00, 0x02, 0x05, 0x06, 0xFF])
    def test_of_a_type_that_is_not_known_here_are_refused(self, key_type: int) -> None:
        with pytest.raises(KeyRefused, match=f"{key_type:#04x}"):
            notes.verifier_from_vkey(self.with_key(bytes([key_type]) + bytes(32)))

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda text: "",
            lambda text: "PeterNeumann",
            lambda text: text.replace("PeterNeumann", ""),
            lambda text: text.replace("PeterNeumann", "PeterNewmann"),
            lambda text: text.replace("PeterNeumann", "Peter Neumann"),
            lambda text: text.replace("c74f20a3", "c74f20a4"),
            lambda text: text.replace("c74f20a3", "c74f20a"),
            lambda text: text.replace("c74f20a3", "00c74f20a3"),
            lambda text: text.replace("c74f20a3", "c74f20ag"),
            lambda text: text.replace("c74f20a3", ""),
            lambda text: text[:-1],
            lambda text: text + "=",
            lambda text: text + "\n",
            lambda text: " " + text,
            lambda text: text.replace("ARpc", "BRpc"),
            lambda text: text.replace("ARpc", "AR-c"),
        ],
    )
    def test_that_are_damaged_are_refused(self, spoil: Callable[[str], str]) -> None:
        with pytest.raises(KeyRefused):
            notes.verifier_from_vkey(spoil(signed_note.VKEY))


class TestCosignatures:
    def test_sign_a_time_in_whole_seconds_before_the_text(self) -> None:
        signature = WITNESS.sign(TEXT.encode())
        assert signature[:8] == (1_700_000_000).to_bytes(8, "big")
        message = b"cosignature/v1\ntime 1700000000\n" + TEXT.encode()
        private_key(3).public_key().verify(signature[8:], message)
        assert notes.cosignature_time(signature) == 1_700_000_000

    def test_with_another_time_are_false(self) -> None:
        signature = WITNESS.sign(TEXT.encode())
        later = (1_700_000_001).to_bytes(8, "big") + signature[8:]
        assert WITNESS.verifier().verify(TEXT.encode(), signature)
        assert not WITNESS.verifier().verify(TEXT.encode(), later)

    def test_are_no_plain_signatures_and_the_other_way_round(self) -> None:
        plain = notes.Ed25519Signer(WITNESS.name, private_key(3))
        assert plain.key_id != WITNESS.key_id
        assert not plain.verifier().verify(TEXT.encode(), WITNESS.sign(TEXT.encode())[8:])
        assert not WITNESS.verifier().verify(TEXT.encode(), bytes(8) + plain.sign(TEXT.encode()))

    @pytest.mark.parametrize(("seconds", "holds"), [(2**63 - 1, True), (2**63, False)])
    def test_beyond_the_largest_time_are_false(self, seconds: int, holds: bool) -> None:
        witness = notes.CosignatureSigner(WITNESS.name, private_key(3), lambda: seconds)
        assert witness.verifier().verify(TEXT.encode(), witness.sign(TEXT.encode())) is holds

    @pytest.mark.parametrize("length", [0, 7, 8, 71, 73])
    def test_of_another_length_are_false(self, length: int) -> None:
        assert not WITNESS.verifier().verify(TEXT.encode(), bytes(length))
