"""Receipts and exports, good and tampered with, and the verdict that each must get from every verifier.

The good ones come out of a real log and a real export; the others are made from them by whoever could: a holder of the
file, the log itself lying (its own key signs), or another log.
"""

from __future__ import annotations

import base64
import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.entry import decode_leaf, encode_leaf, leaf_hash
from audit.keys import generate_signing_key, load_signer
from audit.merkle import inclusion_proof, root_of
from audit.note import CosignatureSigner, Ed25519Signer, Signer, sign_note
from audit.receipt import Receipt, TlogProof
from portal.services.exporting.formats import ExportFormat
from portal.services.oversight import TrailSearch
from tests.factories.houses import FakeHouse
from tests.factories.logs import NOON, an_access
from tests.factories.people import an_auditor

#: What the text of a justification may try on a page that shows it: markup, a hidden turn of direction, a long word.
HOSTILE = (
    "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script> \u202egnihton\u202c \u2066\u200b"
    + "A" * 3000
)
ENTRIES = 11
WHY = "Evidence in a case before a court"


@dataclass(frozen=True)
class Case:
    """A file and the verdict on it: the page's word and reason, and the beginning of what the command line says."""

    name: str
    content: bytes
    verdict: str
    reason: str
    says: str

    @property
    def command(self) -> str:
        """What a person would check this file with on the command line."""
        return "check-export" if b"PK\x03\x04" in self.content[:64] else "check-receipt"


@dataclass
class Proofs:
    """A log with some entries about two people, its keys, and files that it gave out."""

    log_signer: Ed25519Signer
    export_signer: Ed25519Signer
    stranger: Ed25519Signer
    receipt: Receipt
    plain: Receipt
    neighbour: Receipt
    hostile: Receipt
    exports: dict[ExportFormat, bytes]

    @classmethod
    def make(cls, folder: Path) -> Proofs:
        house = FakeHouse.build(folder, f"sqlite:///{folder / 'log.db'}", "sqlite://")
        log = house.log
        for number in range(ENTRIES):
            subject = "EE38001085718" if number % 2 else "EE37605030299"
            log.append(an_access(subject=subject, case=f"C-{number}", occurred_at=NOON + timedelta(hours=number)))
        hostile = log.append(an_access(justification=HOSTILE, case='"quoted", and\r\nmore', automatic=True))
        exports = {
            form: b"".join(
                house.exports.export(an_auditor(), TrailSearch(), form, reason=WHY, request_id="1" * 16).chunks
            )
            for form in ExportFormat
        }
        made = cls(
            cast(Ed25519Signer, load_signer(house.home.settings.signing_key)),
            cast(Ed25519Signer, load_signer(folder / "keys" / "export.key")),
            generate_signing_key(folder / "keys" / "stranger.key", log.origin),
            log.receipt(5, for_subject=True),
            log.receipt(5),
            log.receipt(4, for_subject=True),
            log.receipt(hostile.seq, for_subject=True),
            exports,
        )
        log.close()
        return made

    def cases(self) -> list[Case]:
        return [*_good(self), *_false_receipts(self), *_unreadable_receipts(self), *_false_exports(self),
                *_false_bundles(self), *_unreadable_exports(self)]  # fmt: skip

    def rotated(self) -> list[tuple[str, Case]]:
        """After the log has changed its signing key: the keys that a reader knows, and a file with its verdict."""
        size, old = _checkpoint(self.receipt.proof.checkpoint).size, self.log_signer.vkey
        new = Ed25519Signer(self.log_signer.name, Ed25519PrivateKey.generate())
        text = _checkpoint(self.receipt.proof.checkpoint).text()

        def under(*signers: Signer) -> bytes:
            return _text(replace(self.receipt, proof=replace(self.receipt.proof, checkpoint=sign_note(text, signers))))

        forged = _flipped(sign_note(text, [self.log_signer, new]))
        by_both = replace(self.receipt, proof=replace(self.receipt.proof, checkpoint=forged))
        in_time, too_late = f"{old} until {size}\n{new.vkey}", f"{old} until {size - 1}\n{new.vkey}\n"
        return [
            (in_time, _true("the old key, as long as it was in use", self.receipt.text.encode(), "TRUE: entry 5")),
            (too_late, _false("the old key, after it was retired", self.receipt, "log-key-retired")),
            (too_late, _true("the new key", under(new), "TRUE: entry 5")),
            (too_late, _true("both keys, in the overlap", under(self.log_signer, new), "TRUE: entry 5")),
            (in_time, _false("one of the two signatures is false", by_both, "log-signature-false")),
            (new.vkey, _false("the new key alone is known", self.receipt, "log-signature-missing")),
        ]

    def signed(self, leaf: bytes, *, index: int, also: tuple[Signer, ...] = (), name: str | None = None) -> Receipt:
        """A receipt for a leaf in a tree of three in which it is entry `index`, signed by the log itself."""
        hashes = [bytes([number]) * 32 for number in range(3)]
        hashes[index] = leaf_hash(leaf)
        path = inclusion_proof(index, 3, lambda height, at: root_of(hashes[at << height : at + 1 << height]))
        origin = name or self.log_signer.name
        signers = [self.log_signer, *also]
        note = sign_note(Checkpoint(origin, 3, root_of(hashes)).text(), signers)
        return replace(self.plain, leaf=leaf, proof=TlogProof(index, tuple(path), note))


def _text(receipt: Receipt) -> bytes:
    return receipt.text.encode()


def _cosigner() -> CosignatureSigner:
    return CosignatureSigner("witness.example", Ed25519PrivateKey.generate(), lambda: 1_700_000_000)


def _true(name: str, content: bytes, says: str, kind: str = "receipt") -> Case:
    return Case(name, content, "true", kind, says)


def _false(name: str, content: bytes | Receipt, reason: str, says: str = "FALSE: ") -> Case:
    return Case(name, content if isinstance(content, bytes) else _text(content), "false", reason, says)


def _unreadable(name: str, content: bytes, reason: str) -> Case:
    return Case(name, content, "unreadable", reason, "NOT READABLE: ")


def _good(proofs: Proofs) -> list[Case]:
    leaf = replace(decode_leaf(proofs.plain.leaf), seq=0)
    alone = proofs.signed(encode_leaf(leaf), index=0, also=(_cosigner(),))
    receipt, plain = proofs.receipt, proofs.plain
    return [
        _true("a receipt for the person", _text(receipt), "TRUE: entry 5"),
        _true("a receipt without the label key", _text(plain), "TRUE: entry 5"),
        _true("a receipt of an erased entry", _text(replace(plain, body=None, secret=None)), "TRUE: entry 5"),
        _true("a receipt whose entry tries to word the page", _text(proofs.hostile), f"TRUE: entry {ENTRIES}"),
        _true("a receipt with the cosignature of a witness", _text(alone), "TRUE: entry 0"),
        *(_true(f"an export as {form}", made, f"TRUE: this {form}", "export") for form, made in proofs.exports.items()),
    ]


def _false_receipts(proofs: Proofs) -> list[Case]:
    receipt, plain = proofs.receipt, proofs.plain
    text, leaf = receipt.text, decode_leaf(receipt.leaf)
    path, note = receipt.proof.hashes, receipt.proof.checkpoint
    size = _checkpoint(note).size
    later, unlabelled = (encode_leaf(replace(leaf, time_ms=1)), encode_leaf(replace(leaf, label=bytes(32))))
    stranger = sign_checkpoint(_checkpoint(note), [proofs.stranger]).text
    renamed = Ed25519Signer("other.example/log", Ed25519PrivateKey.generate())
    other = sign_checkpoint(replace(_checkpoint(note), origin=renamed.name), [renamed]).text
    damaged = sign_note(f"{proofs.log_signer.name}\n12\nnot the root\n", [proofs.log_signer])
    elsewhere = encode_leaf(replace(leaf, log="other.example/log", seq=1))

    def with_path(*hashes: bytes) -> Receipt:
        return replace(receipt, proof=replace(receipt.proof, hashes=hashes))

    def under(checkpoint: str) -> Receipt:
        return replace(receipt, proof=replace(receipt.proof, checkpoint=checkpoint))

    return [
        _false("another case in the content", text.replace("C-5", "C-6", 1).encode(), "content-changed"),
        _false("the secret of another entry", replace(plain, secret=proofs.neighbour.secret), "content-changed"),
        _false("the content of another entry", replace(plain, body=proofs.neighbour.body), "content-changed"),
        _false("the label key of a neighbour", replace(receipt, label_key=proofs.neighbour.label_key),
               "label-of-another"),
        _false("another count", replace(receipt, label_count=(receipt.label_count or 0) + 1), "label-of-another"),
        _false("a count of nought", replace(receipt, label_count=0), "label-of-another"),
        _false("another time in the entry", replace(receipt, leaf=later), "not-in-tree"),
        _false("the entry of a neighbour", replace(receipt, leaf=unlabelled), "not-in-tree"),
        _false("a hash of the proof changed", with_path(bytes(32), *path[1:]), "not-in-tree"),
        _false("a hash in the middle changed", with_path(path[0], bytes(32), *path[2:]), "not-in-tree"),
        _false("a hash of the proof left out", with_path(*path[:-1]), "not-in-tree"),
        _false("a hash more in the proof", with_path(*path, bytes(32)), "not-in-tree"),
        _false("the proof in another order", with_path(*reversed(path)), "not-in-tree"),
        _false("no proof at all", with_path(), "not-in-tree"),
        _false("another index", text.replace("\nindex 5\n", "\nindex 4\n").encode(), "number-differs"),
        _false("another size", text.replace(f"\n{size}\n", f"\n{size}0\n").encode(), "log-signature-false"),
        _false("another root", under(_with_root(note)), "log-signature-false"),
        _false("an extension line added", under(note.replace("\n\n", "\nmore\n\n", 1)), "log-signature-false"),
        _false("a bit of the signature flipped", under(_flipped(note)), "log-signature-false"),
        _false("signed by a stranger under the log's name", under(stranger), "log-signature-missing"),
        _false("a stranger's signature beside a false one", under(_flipped(note) + stranger.rpartition("\n\n")[2]),
               "log-signature-false"),
        _false("the checkpoint of another log", under(other), "log-unknown"),
        _false("another log's name, signed by this one", proofs.signed(elsewhere, index=1, name="other.example/log"),
               "log-unknown"),
        _false("an entry of another log, signed by this one", proofs.signed(elsewhere, index=1), "entry-of-other-log"),
        _false("an entry with another number, signed by the log", proofs.signed(plain.leaf, index=1), "number-differs"),
        _false("an index beyond the size, signed by the log",
               replace(plain, proof=replace(proofs.signed(plain.leaf, index=1).proof, index=5)), "not-in-tree"),
        _false("what the log signed is no checkpoint", under(damaged), "log-note-malformed"),
        _false("the last newline lost", text[:-1].encode(), "log-note-malformed"),
        _false("a line added below", f"{text}Trust me.\n".encode(), "log-note-malformed"),
        _false("a control character in the checkpoint", under(note.replace(f"\n{size}\n", f"\n{size}\t\n")),
               "log-note-malformed"),
    ]  # fmt: skip


def _unreadable_receipts(proofs: Proofs) -> list[Case]:
    receipt = proofs.receipt
    text = receipt.text

    def malformed(name: str, content: str | bytes) -> Case:
        content = content.encode() if isinstance(content, str) else content
        return _unreadable(name, content, "receipt-malformed")

    leaf = receipt.leaf.decode()
    return [
        malformed("cut off within the proof", text[: text.index("\nindex")]),
        malformed("the entry alone", text.partition("\n\n")[0] + "\n"),
        malformed("another version", text.replace("receipt v1", "receipt v2", 1)),
        malformed("another kind of proof", text.replace("tlog-proof@v1", "tlog-proof@v2")),
        malformed("a line of its own", text.replace("\nleaf ", "\nverdict TRUE\nleaf ", 1)),
        malformed("the entry twice", text.replace("\nbody ", f"\nleaf {leaf}\nbody ", 1)),
        malformed("content without its secret", re.sub("\nsecret [^\n]*", "", text)),
        malformed("a secret without content", re.sub("\nbody [^\n]*", "", text)),
        malformed("a label key without its count", re.sub("\nlabel-count [^\n]*", "", text)),
        malformed("lines in another order", re.sub("(\nbody [^\n]*)(\nsecret [^\n]*)", r"\2\1", text)),
        malformed("line ends of another system", text.replace("\n", "\r\n")),
        malformed("an index with a nought before it", text.replace("\nindex 5", "\nindex 05")),
        malformed("a negative index", text.replace("\nindex 5", "\nindex -5")),
        malformed("extra data in the proof", text.replace("\nindex 5", "\nextra AAAA\nindex 5")),
        malformed("a hash that is no base64", text.replace("\nindex 5\n", "\nindex 5\n!\n")),
        malformed("more hashes than any tree has", text.replace("\nindex 5\n", "\nindex 5\n" + f"{'A' * 43}=\n" * 64)),
        malformed("bytes that are no text", text.encode().replace(b"C-5", b"C-\xff", 1)),
        malformed("longer than any receipt", text + "x" * (2 << 20)),
        _unreadable("an entry that is spelt otherwise", text.replace('{"commitment"', '{ "commitment"', 1).encode(),
                    "entry-malformed"),
        _unreadable("an entry with a member more", text.replace('{"commitment"', '{"a":1,"commitment"', 1).encode(),
                    "entry-malformed"),
        _unreadable("content that is spelt otherwise", text.replace('\nbody {"', '\nbody { "', 1).encode(),
                    "entry-malformed"),
        _unreadable("content with a fraction", re.sub('"occurred_at":([0-9]+)', r'"occurred_at":\1.5', text).encode(),
                    "entry-malformed"),
        _unreadable("a mark of byte order before it", ("\ufeff" + text).encode(), "unknown-kind"),
        _unreadable("nothing", b"", "unknown-kind"),
        _unreadable("something else", b"Dear Sir or Madam,\n", "unknown-kind"),
    ]  # fmt: skip


def _false_exports(proofs: Proofs) -> list[Case]:
    made = proofs.exports[ExportFormat.CSV]
    files = _unpacked(made)
    older = sign_checkpoint(Checkpoint(proofs.log_signer.name, 3, bytes(32)), [proofs.log_signer]).text.encode()
    forged = sign_checkpoint(_checkpoint(files["checkpoint"].decode()), [proofs.stranger]).text.encode()
    manifest = files["manifest.txt"].decode()
    resigned = sign_note(_text_of(manifest), [_renamed(proofs.stranger, proofs.export_signer.name)])
    fewer = _manifest(proofs, manifest, entries="11")
    lines = files["trail.csv"].splitlines(keepends=True)

    def with_files(**changed: bytes) -> bytes:
        return packed({**files, **{name.replace("_", "."): content for name, content in changed.items()}})

    return [
        _false("a cell of the export changed", with_files(trail_csv=files["trail.csv"].replace(b"C-5", b"C-6")),
               "digest-differs"),
        _false("a row of the export left out", with_files(trail_csv=b"".join(lines[:-1])), "digest-differs"),
        _false("a row of the export added", with_files(trail_csv=files["trail.csv"] + lines[-1]), "digest-differs"),
        _false("the manifest changed",
               with_files(manifest_txt=re.sub("entries [0-9]+", "entries 99", manifest).encode()),
               "export-signature-false"),
        _false("the manifest signed by a stranger", with_files(manifest_txt=resigned.encode()),
               "export-signature-missing"),
        _false("a manifest that is no note", with_files(manifest_txt=b"glasshouse trail export v2\n"),
               "export-note-malformed"),
        _false("the manifest counts otherwise", with_files(manifest_txt=fewer), "count-differs"),
        _false("a file added", with_files(readme_txt=b"more"), "other-files"),
        _false("the file under another name", packed({("t.csv" if name == "trail.csv" else name): content
                                                       for name, content in files.items()}), "other-files"),
        _false("an older checkpoint", with_files(checkpoint=older), "other-checkpoint"),
        _false("a stranger's checkpoint", with_files(checkpoint=forged), "log-signature-missing"),
        _false("a byte before the archive", b"\n" + made, "packing-changed"),
        _false("the packing changed", _byte_changed(made, made.index(b"PK\x03\x04") + 10), "packing-changed"),
        _false("its seal taken away", packed(files, sealed=False), "packing-changed"),
        _false("a checkpoint that is no note", with_files(checkpoint=_checkpoint(forged.decode()).text().encode()),
               "log-note-malformed"),
    ]  # fmt: skip


def _false_bundles(proofs: Proofs) -> list[Case]:
    """Bundles for a court that the export's own key signed, and that lie."""
    files = _unpacked(proofs.exports[ExportFormat.COURT])
    first, second = sorted(name for name in files if name.startswith("receipts/"))[:2]

    def bundle(**changed: bytes | None) -> bytes:
        """The bundle with files changed or (None) left out, and a manifest that names what is there."""
        names = {"entries": "entries.jsonl", "first": first, "second": second, "report": "report.pdf"}
        lying = files | {names[name]: content for name, content in changed.items() if content is not None}
        for name in (names[name] for name, content in changed.items() if content is None):
            del lying[name]
        return packed(lying | {"manifest.txt": _manifest_over(proofs, files["manifest.txt"].decode(), lying)})

    return [
        _false("an entry told otherwise than its receipt proves",
               bundle(entries=files["entries.jsonl"].replace(b'"case":"C-5"', b'"case":"C-6"')), "told-otherwise"),
        _false("a receipt left out", bundle(first=None), "receipt-missing"),
        _false("the receipt of another entry", bundle(first=files[second]), "told-otherwise"),
        _false("a receipt with its content changed", bundle(first=files[first].replace(b"C-0", b"C-9", 1)),
               "content-changed"),
        _false("a receipt of an entry that is not told of",
               bundle(entries=b"".join(files["entries.jsonl"].splitlines(keepends=True)[1:])), "count-differs"),
        _false("the report changed", packed({**files, "report.pdf": b"%PDF-1.7 another"}), "digest-differs"),
    ]  # fmt: skip


def _manifest_over(proofs: Proofs, note: str, files: Mapping[str, bytes]) -> bytes:
    """The manifest with its list of files made anew, signed by the key of exports."""
    head = [line for line in _text_of(note).splitlines() if not line.startswith("file ")]
    listed = [
        f"file {sha256(content).hexdigest()} {len(content)} {name}"
        for name, content in files.items()
        if name != "manifest.txt"
    ]
    return sign_note("\n".join([*head, *listed, ""]), [proofs.export_signer]).encode()


def _unreadable_exports(proofs: Proofs) -> list[Case]:
    made = proofs.exports[ExportFormat.CSV]
    files = _unpacked(made)
    other_kind = sign_note(_text_of(files["manifest.txt"].decode()).replace("export v2", "export v9"),
                           [proofs.export_signer]).encode()  # fmt: skip
    locked = bytearray(made)
    locked[made.index(b"PK\x01\x02") + 8] |= 1
    packing = bytearray(made)
    packing[made.index(b"PK\x01\x02") + 10] = 99
    broken = _byte_changed(made, made.index(b"trail.csv") + 60)
    missing = packed({name: content for name, content in files.items() if name != "manifest.txt"})
    return [
        _unreadable("an export cut off", made[: len(made) // 2], "export-damaged"),
        _unreadable("an export with a broken byte", broken, "export-damaged"),
        _unreadable("an export without its manifest", missing, "export-damaged"),
        _unreadable("a locked archive", bytes(locked), "export-packing"),
        _unreadable("an archive packed in an unknown way", bytes(packing), "export-packing"),
        _unreadable("an export of another version", packed({**files, "manifest.txt": other_kind}),
                    "export-of-another-kind"),
        _unreadable("an archive of something else", packed({"letter.txt": b"Dear Sir"}), "export-damaged"),
    ]  # fmt: skip


def _checkpoint(note: str) -> Checkpoint:
    origin, size, root = note.split("\n")[:3]
    return Checkpoint(origin, int(size), base64.b64decode(root))


def _text_of(note: str) -> str:
    return note.rpartition("\n\n")[0] + "\n"


def _with_root(note: str) -> str:
    origin, size, _, rest = note.split("\n", 3)
    return "\n".join([origin, size, base64.b64encode(bytes(32)).decode(), rest])


def _flipped(note: str) -> str:
    """The note with one bit of its last signature flipped; the key id stays."""
    head, _, encoded = note.removesuffix("\n").rpartition(" ")
    signature = bytearray(base64.b64decode(encoded))
    signature[20] ^= 1
    return f"{head} {base64.b64encode(signature).decode()}\n"


def _renamed(signer: Ed25519Signer, name: str) -> Ed25519Signer:
    return Ed25519Signer(name, signer._private_key)


def _manifest(proofs: Proofs, note: str, **changed: str) -> bytes:
    text = _text_of(note)
    for name, value in changed.items():
        text = re.sub(rf"\n{name} [^\n]*", f"\n{name} {value}", text)
    return sign_note(text, [proofs.export_signer]).encode()


def _unpacked(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def _byte_changed(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


def packed(files: Mapping[str, bytes], *, sealed: bool = True) -> bytes:
    """An archive as whoever tampers would make it: with a seal that fits, since anybody can compute one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.comment = b"sha256 " + bytes(64)
    content = packed.getvalue()[:-71]
    return content + (b"sha256 " + sha256(content).hexdigest().encode() if sealed else b"sha256 " + b"0" * 64)
