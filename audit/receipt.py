"""A receipt: everything needed to check one entry with no database and no trust in the server.

Its core is a C2SP tlog-proof, word for word, after a blank line. Before it stand the leaf and, for whom the entry is
opened, the body with the secret of its commitment, and the label key with the entry's count under it::

    glasshouse receipt v1
    leaf {"commitment":"…","label":"…",…}
    body {"action":"read",…}
    secret <base64>
    label-key <base64>
    label-count <k>

    c2sp.org/tlog-proof@v1
    index <i>
    <base64 hashes, leaf to root>

    <checkpoint, word for word>

`body` and `secret` are left out together where the entry was erased; so are the two label lines for anybody but the
data subject.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from audit.errors import MalformedReceipt

HEADER = "glasshouse receipt v1"
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
#: A proof in a tree of 2^63 leaves has 63 hashes.
MAX_HASHES = 63
MAX_RECEIPT = 2 * 1024 * 1024
_HASH_SIZE = 32
_MAX_DIGITS = 19


@dataclass(frozen=True, slots=True)
class TlogProof:
    """An inclusion proof with its checkpoint (C2SP tlog-proof): `hashes` lead from the leaf to the root.

    `extra` is opaque and vouched for by nobody; no receipt of ours has any.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    @property
    def text(self) -> str:
        hashes = "".join(f"{base64.b64encode(node).decode()}\n" for node in self.hashes)
        extra = "" if self.extra is None else f"extra {base64.b64encode(self.extra).decode()}\n"
        return f"{PROOF_HEADER}\n{extra}index {self.index}\n{hashes}\n{self.checkpoint}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The parts of a receipt as they were read or are to be written; nothing is verified yet."""

    leaf: bytes
    proof: TlogProof
    body: bytes | None = field(default=None, repr=False)
    secret: bytes | None = field(default=None, repr=False)
    label_key: bytes | None = field(default=None, repr=False)
    label_count: int | None = None

    @property
    def text(self) -> str:
        lines = [HEADER, f"leaf {self.leaf.decode('ascii')}"]
        if self.body is not None and self.secret is not None:
            lines += [f"body {self.body.decode()}", f"secret {base64.b64encode(self.secret).decode()}"]
        if self.label_key is not None:
            lines += [
                f"label-key {base64.b64encode(self.label_key).decode()}",
                f"label-count {self.label_count}",
            ]
        return "\n".join(lines) + "\n\n" + self.proof.text


def parse_receipt(text: str | bytes) -> Receipt:
    """Read a receipt strictly: what would not be written back the same is refused.

    Raises:
        MalformedReceipt: too long, not UTF-8, a line missing, unknown or out of place.
    """
    if len(text) > MAX_RECEIPT:
        raise MalformedReceipt(f"longer than {MAX_RECEIPT} bytes")
    try:
        text = text.decode() if isinstance(text, bytes) else text
        text.encode()
    except UnicodeError:
        raise MalformedReceipt("not UTF-8 text") from None
    head, blank, core = text.partition("\n\n")
    if not blank:
        raise MalformedReceipt("there is no proof after the entry")
    lines = head.split("\n")
    if lines[0] != HEADER:
        raise MalformedReceipt(f"the first line is not {HEADER!r}")
    receipt = _receipt_of(_values(lines[1:]), parse_proof(core))
    if receipt.proof.extra is not None or receipt.text != text:
        raise MalformedReceipt("not in the form in which receipts are written")
    return receipt


def parse_proof(text: str) -> TlogProof:
    """Read a tlog-proof. Raises MalformedReceipt."""
    head, blank, checkpoint = text.partition("\n\n")
    header, *lines = head.split("\n")
    if not blank or header != PROOF_HEADER:
        raise MalformedReceipt(f"the proof does not begin with {PROOF_HEADER!r}, or no blank line ends it")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = _base64(lines.pop(0).removeprefix("extra "), "the extra data")
    if not lines or not lines[0].startswith("index "):
        raise MalformedReceipt("the proof does not name an index")
    index, *hashes = lines
    if len(hashes) > MAX_HASHES:
        raise MalformedReceipt(f"the proof has more than {MAX_HASHES} hashes")
    path = tuple(_bytes(line, "a hash") for line in hashes)
    return TlogProof(_number(index.removeprefix("index ")), path, checkpoint, extra)


def _values(lines: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in lines:
        name, space, value = line.partition(" ")
        if not space or name in values or name not in {"leaf", "body", "secret", "label-key", "label-count"}:
            raise MalformedReceipt("a line before the proof is unknown, empty or there twice")
        values[name] = value
    return values


def _receipt_of(values: dict[str, str], proof: TlogProof) -> Receipt:
    if "leaf" not in values:
        raise MalformedReceipt("there is no leaf")
    if ("body" in values) != ("secret" in values) or ("label-key" in values) != ("label-count" in values):
        raise MalformedReceipt("a body goes with its secret, a label key with its count")
    try:
        leaf = values["leaf"].encode("ascii")
    except UnicodeEncodeError:
        raise MalformedReceipt("the leaf is not ASCII") from None
    return Receipt(
        leaf=leaf,
        proof=proof,
        body=values["body"].encode() if "body" in values else None,
        secret=_bytes(values["secret"], "the secret") if "secret" in values else None,
        label_key=_bytes(values["label-key"], "the label key") if "label-key" in values else None,
        label_count=_number(values["label-count"]) if "label-count" in values else None,
    )


def _bytes(text: str, what: str) -> bytes:
    value = _base64(text, what)
    if len(value) != _HASH_SIZE:
        raise MalformedReceipt(f"{what} is not 32 bytes in base64")
    return value


def _base64(text: str, what: str) -> bytes:
    try:
        value = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise MalformedReceipt(f"{what} is not base64") from None
    if base64.b64encode(value).decode() != text:
        raise MalformedReceipt(f"{what} is not base64 in its one spelling")
    return value


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > _MAX_DIGITS or (text[0] == "0" and text != "0"):
        raise MalformedReceipt("a number is not written in plain digits")
    return int(text)
