"""The page that tells how to verify the log is enough to do it: its example, with nothing but Python's own library."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from pathlib import Path

import pytest

from audit.entry import decode_body, decode_leaf, encode_body
from audit.schema import metadata
from tests.factories.logs import LogHome, an_access

PAGE = (Path(__file__).parents[3] / "docs" / "log-format.md").read_text(encoding="utf-8")


def _example() -> dict[str, str]:
    block = PAGE.partition("### Example")[2].partition("\n## ")[0]
    lines = [line.strip() for line in block.splitlines() if line.startswith("    ")]
    body, secret, key, leaf, root = lines
    return {"body": body, "secret": secret.split()[-1], "key": key.split()[-1], "leaf": leaf, "root": root}


def test_the_example_can_be_verified_from_the_page_alone() -> None:
    example = _example()
    leaf = json.loads(example["leaf"])
    body, secret, key = example["body"].encode(), bytes.fromhex(example["secret"]), bytes.fromhex(example["key"])
    assert hmac.digest(secret, body, "sha256").hex() == leaf["commitment"]
    assert hmac.digest(key, b"glasshouse/label/v1" + (3).to_bytes(8, "big"), "sha256").hex() == leaf["label"]
    assert hashlib.sha256(b"\x00" + example["leaf"].encode()).hexdigest() == example["root"]
    assert json.dumps(leaf, sort_keys=True, separators=(",", ":")) == example["leaf"]


def test_the_example_is_what_this_software_writes() -> None:
    example = _example()
    assert decode_leaf(example["leaf"].encode()).log == "log.example/audit"
    assert encode_body(decode_body(example["body"].encode())) == example["body"].encode()


def test_every_table_is_described() -> None:
    rows = PAGE.partition("## Rows in the database")[2] + PAGE.partition("### What verification does not see")[2]
    for table in metadata.tables:
        assert f"`{table}`" in rows or f"`{table}." in rows, table


def test_a_receipt_is_checked_by_the_five_steps_of_the_page(tmp_path: Path, sqlite_url: str) -> None:
    """Written from the page, and sharing no code with the log: what somebody else's verifier would be."""
    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    for number in range(11):
        log.append(an_access(case=f"C-{number}", subject=f"EE{number % 2}"))
    for seq in range(11):
        _check(log.receipt(seq, for_subject=True).text, home.verifier.vkey)
    tampered = log.receipt(4, for_subject=True).text.replace("C-4", "C-5", 1)
    log.close()
    with pytest.raises(AssertionError):
        _check(tampered, home.verifier.vkey)


def _check(receipt: str, vkey: str) -> None:
    import base64

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    head, _, core = receipt.partition("\n\n")
    said = dict(line.split(" ", 1) for line in head.split("\n")[1:])
    proof, _, note = core.partition("\n\n")
    _, index, *hashes = proof.split("\n")
    text, _, signatures = note.rpartition("\n\n")
    origin, size, root = text.split("\n")
    name, key_id, typed = re.fullmatch(r"(.+)\+([0-9a-f]{8})\+(.+)", vkey).groups()  # type: ignore[union-attr]
    signed = {line.split()[1]: base64.b64decode(line.split()[2]) for line in signatures.splitlines()}
    assert signed[name][:4].hex() == key_id
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(typed)[1:])
    key.verify(signed[name][4:], f"{text}\n".encode())
    leaf = json.loads(said["leaf"])
    assert (f"index {leaf['seq']}", leaf["log"]) == (index, origin)
    node, place, last = hashlib.sha256(b"\x00" + said["leaf"].encode()).digest(), leaf["seq"], int(size) - 1
    for sibling in map(base64.b64decode, hashes):
        if place & 1 or place == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        place, last = place >> 1, last >> 1
    assert (last, base64.b64encode(node).decode()) == (0, root)
    secret = base64.b64decode(said["secret"])
    assert hmac.digest(secret, said["body"].encode(), "sha256").hex() == leaf["commitment"]
    label = b"glasshouse/label/v1" + int(said["label-count"]).to_bytes(8, "big")
    assert hmac.digest(base64.b64decode(said["label-key"]), label, "sha256").hex() == leaf["label"]
