"""An export checks with two public keys alone; whatever was changed in it, or never was one, is said."""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.errors import MalformedReceipt, VerificationFailed
from audit.keys import generate_signing_key
from audit.manifest import FIELDS, verify_export
from audit.note import sign_note
from tests.factories.exports import ROOT, ROWS, Export, a_csv
from tests.factories.logs import ORIGIN


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export(
        generate_signing_key(tmp_path / "log.key", ORIGIN),
        generate_signing_key(tmp_path / "export.key", "test.example/export"),
    )


def _verify(path: Path, export: Export) -> Any:
    return verify_export(path, [export.log.verifier()], [export.signer.verifier()])


def test_a_true_export_says_what_it_vouches_for(tmp_path: Path, export: Export) -> None:
    verdict = _verify(export.write(tmp_path / "e.zip"), export)
    assert (verdict.file, verdict.entries, verdict.size, verdict.origin) == ("trail.csv", 2, 40, ORIGIN)
    assert verdict.made_at == "2026-03-02T12:00:00Z"


def test_lines_within_a_cell_are_not_counted_as_entries(tmp_path: Path, export: Export) -> None:
    assert export.content.count(b"\n") > len(ROWS)
    assert _verify(export.write(tmp_path / "e.zip"), export).entries == 2


def test_json_lines_are_counted_by_their_lines(tmp_path: Path, export: Export) -> None:
    export.name = "trail.jsonl"
    export.content = '{"justification":"a\\nb \u2028 c"}\n{"seq":1}\n{"seq":2}\n'.encode()
    export.stated(entries="3")
    assert _verify(export.write(tmp_path / "e.zip"), export).entries == 3


def test_an_export_of_nothing_is_one(tmp_path: Path, export: Export) -> None:
    export.content = a_csv(ROWS[:1])
    export.stated(entries="0")
    assert _verify(export.write(tmp_path / "e.zip"), export).entries == 0


def _drop_a_row(export: Export) -> None:
    export.content = a_csv(ROWS[:2])
    export.stated()


FALSE: dict[str, tuple[Callable[[Export], object], str]] = {
    "a changed cell": (lambda e: setattr(e, "content", e.content.replace(b"plain", b"other")), "digest"),
    "an added row": (lambda e: setattr(e, "content", e.content + b"2,x\r\n"), "digest"),
    "a row fewer than stated": (_drop_a_row, "holds 1 entries"),
    "another digest": (lambda e: e.files.__setitem__(0, f"{'0' * 64} {len(e.content)} trail.csv"), "digest"),
    "another length": (
        lambda e: e.files.__setitem__(0, e.listed("trail.csv", e.content).replace(" ", " 1", 1)),
        "digest",
    ),
    "another count": (lambda e: e.stated(entries="3"), "names 3"),
    "a count with a leading zero": (lambda e: e.stated(entries="02"), "names 02"),
    "a file that is not named": (lambda e: e.others.update({"more.csv": b"x"}), "other files"),
    "another name for the file": (lambda e: e.files.__setitem__(0, e.listed("another.csv", e.content)), "other files"),
    "a file that is not there": (lambda e: e.files.append(e.listed("more.csv", b"x")), "other files"),
    "a format whose file is not there": (lambda e: e.stated(format="jsonl"), "names no trail.jsonl"),
    "another size of the log": (lambda e: e.stated(size="41"), "another checkpoint"),
    "another root": (lambda e: e.stated(root="00" * 32), "another checkpoint"),
    "another log": (lambda e: e.stated(log="other.example/log"), "another checkpoint"),
    "a checkpoint that is none": (lambda e: setattr(e, "checkpoint", "nonsense"), "cannot be trusted"),
    "a checkpoint signed by the export's own key": (
        lambda e: setattr(e, "checkpoint", sign_note(f"{ORIGIN}\n40\n{'A' * 43}=\n", [e.signer])),
        "no known key",
    ),
    "a checkpoint with another root": (
        lambda e: setattr(e, "checkpoint", e.checkpoint.replace(base64.b64encode(ROOT).decode(), "A" * 43 + "=")),
        "false",
    ),
}


@pytest.mark.parametrize("change", FALSE)
def test_a_changed_export_is_false(tmp_path: Path, export: Export, change: str) -> None:
    make, words = FALSE[change]
    make(export)
    with pytest.raises(VerificationFailed, match=words):
        _verify(export.write(tmp_path / "e.zip"), export)


def test_a_manifest_of_another_key_is_not_trusted(tmp_path: Path, export: Export) -> None:
    stranger = generate_signing_key(tmp_path / "stranger.key", "test.example/export")
    path = export.write(tmp_path / "e.zip")
    with pytest.raises(VerificationFailed, match="no known key"):
        verify_export(path, [export.log.verifier()], [stranger.verifier()])
    with pytest.raises(VerificationFailed, match="no known key"):
        verify_export(path, [stranger.verifier()], [export.signer.verifier()])


MALFORMED: dict[str, Callable[[Export], object]] = {
    "another header": lambda e: setattr(e, "header", "glasshouse trail export v1"),
    "a line missing": lambda e: e.manifest.pop("query-sha256"),
    "a line too many": lambda e: e.manifest.update(comment="x"),
    "lines in another order": lambda e: setattr(e, "manifest", {name: e.manifest[name] for name in reversed(FIELDS)}),
    "a file twice": lambda e: e.files.append(e.files[0]),
    "a file in a folder above": lambda e: e.files.append(f"{'0' * 64} 1 ../x"),
    "a length that is no number": lambda e: e.files.append(f"{'0' * 64} -1 x"),
    "a checkpoint without end": lambda e: setattr(e, "checkpoint", "x" * 2_000_000),
}


@pytest.mark.parametrize("change", MALFORMED)
def test_an_export_of_another_kind_cannot_be_read(tmp_path: Path, export: Export, change: str) -> None:
    MALFORMED[change](export)
    with pytest.raises(MalformedReceipt):
        _verify(export.write(tmp_path / "e.zip"), export)


@pytest.mark.parametrize("missing", ["manifest.txt", "checkpoint", "trail.csv"])
def test_an_archive_without_one_of_its_parts_is_no_export(tmp_path: Path, export: Export, missing: str) -> None:
    whole = export.write(tmp_path / "whole.zip")
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        for name in source.namelist():
            if name != missing:
                archive.writestr(name, source.read(name))
    with pytest.raises((MalformedReceipt, VerificationFailed)):
        _verify(tmp_path / "e.zip", export)


def test_a_truncated_archive_is_never_true(tmp_path: Path, export: Export) -> None:
    whole = export.write(tmp_path / "whole.zip").read_bytes()
    for length in range(0, len(whole), 7):
        (tmp_path / "e.zip").write_bytes(whole[:length])
        with pytest.raises((MalformedReceipt, VerificationFailed)):
            _verify(tmp_path / "e.zip", export)


def test_a_changed_byte_anywhere_is_found_and_told_in_plain_words(tmp_path: Path, export: Export) -> None:
    """A ZIP holds bytes of no meaning (times, versions): its comment covers them."""
    whole = export.write(tmp_path / "whole.zip").read_bytes()
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        (tmp_path / "e.zip").write_bytes(bytes(damaged))
        with pytest.raises((MalformedReceipt, VerificationFailed)):
            _verify(tmp_path / "e.zip", export)


def test_a_file_that_is_no_archive_or_is_not_there_cannot_be_read(tmp_path: Path, export: Export) -> None:
    (tmp_path / "e.zip").write_text("seq,justification\n")
    for path in (tmp_path / "e.zip", tmp_path / "missing.zip", tmp_path):
        with pytest.raises(MalformedReceipt, match="no whole export"):
            _verify(path, export)
