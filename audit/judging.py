"""Commands of `python -m audit` that judge: a log in its database or as published files, a receipt, an export."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography import x509

from audit.answers import FOUND, Answer, Command
from audit.checkpoint import Checkpoint, open_checkpoint, origin_of
from audit.entry import Access
from audit.errors import AuditError, KeyRefused, VerificationFailed
from audit.log import verify_store
from audit.manifest import ExportVerdict, verify_export
from audit.note import Verifier
from audit.options import (
    ENVIRONMENT,
    master_key_of,
    previous_master_key_of,
    progress_of,
    refuse_missing_file,
    verifiers_of,
    witnesses_of,
)
from audit.published import fsck
from audit.verify import ReceiptVerdict, VerificationReport, verify_receipt


def _verify_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--against", type=Path, action="append", default=[], metavar="CHECKPOINT", help="a checkpoint"
                        " kept elsewhere that the log must still contain; may be repeated")  # fmt: skip
    parser.add_argument("--from", type=Path, dest="trusted", metavar="CHECKPOINT", help="a checkpoint up to which the"
                        " log was verified before: only what came after it is replayed")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes that share"
                        " a large log; as many as there are cores by default")  # fmt: skip


def _verify(options: argparse.Namespace) -> Answer:
    verifiers = verifiers_of(options.vkey)
    refuse_missing_file(options.database_url)
    earlier = [_kept(path, verifiers) for path in options.against]
    remembered = Path(options.checkpoint_file) if options.checkpoint_file else None
    if remembered is not None and remembered.exists():
        earlier.append(_kept(remembered, verifiers))
    trusted = None if options.trusted is None else _kept(options.trusted, verifiers)
    key_file = Path(options.master_key_file)
    master_key = master_key_of(options.master_key_file) if key_file.exists() else None
    report = verify_store(
        options.database_url,
        verifiers,
        master_key,
        previous_master_key=None if master_key is None else previous_master_key_of(options),
        earlier=earlier,
        progress=progress_of("entries"),
        jobs=options.jobs,
        trusted=trusted,
        witnesses=[witness.verifier for witness in witnesses_of(options)],
    )
    notes = []
    if trusted is not None:
        notes.append(f"the first {trusted.size} entries were not read again; the checkpoint that you trust covers them")
    elif not earlier:
        place = "" if remembered is None else f" at {remembered}"
        notes.append(f"no remembered checkpoint{place}; a log cut short cannot be told from a shorter log")
    if master_key is None:
        notes.append(f"no master key at {key_file}; the sealed bodies were not opened")
    return _told(report, origin_of(verifiers), notes)


def _kept(path: Path, verifiers: Sequence[Verifier]) -> Checkpoint:
    try:
        return open_checkpoint(path.read_text(encoding="utf-8"), origin_of(verifiers), verifiers).checkpoint
    except (AuditError, UnicodeDecodeError) as error:
        raise VerificationFailed(f"{path}: not a checkpoint that this log signed ({error})") from None


def _told(report: VerificationReport, origin: str, notes: Sequence[str] = ()) -> Answer:
    root = None if report.root is None else report.root.hex()
    facts = {
        "origin": origin,
        "entries": report.size,
        "opened": report.opened,
        "erased": report.erased,
        "root": root,
        "first_broken": report.first_broken,
    }
    if report.ok:
        words = f"SOUND: {origin}, {report.size} entries, {report.opened} opened, {report.erased} erased, root {root}"
        return Answer("sound", [words], notes=notes, facts=facts)
    words = f"BROKEN at entry {report.first_broken}: {report.problem}"
    return Answer("broken", [words], status=FOUND, problem=report.problem, notes=notes, facts=facts)


def _fsck(options: argparse.Namespace) -> Answer:
    verifiers = verifiers_of(options.vkey)
    return _told(fsck(options.folder, verifiers, progress_of("entries")), origin_of(verifiers))


def _receipt_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--witness-vkey", action="append", default=[], metavar="KEY", help="verifier key of a witness"
                        " that you trust, or its file; may be repeated")  # fmt: skip
    parser.add_argument("--require-witnesses", type=int, default=0, metavar="N", help="take the receipt for false"
                        " unless N of these witnesses cosigned its checkpoint")  # fmt: skip


def _check_receipt(options: argparse.Namespace) -> Answer:
    witnesses = verifiers_of(options.witness_vkey) if options.witness_vkey else []
    verdict = verify_receipt(options.file.read_bytes(), [*verifiers_of(options.vkey), *witnesses])
    if len(verdict.witnesses) < options.require_witnesses:
        raise VerificationFailed(
            f"{len(verdict.witnesses)} of the witnesses that you trust cosigned it, and you require"
            f" {options.require_witnesses}"
        )
    return Answer("true", _in_words(verdict), facts=_as_facts(verdict))


def _said(access: Access) -> dict[str, Any]:
    """What an entry says, without what it leaves open."""
    values = {name: getattr(access, name) for name in Access.__dataclass_fields__}
    return {name: value for name, value in values.items() if value not in (None, (), False) and value != {}}


def _as_facts(verdict: ReceiptVerdict) -> dict[str, Any]:
    says = None if verdict.access is None else _said(verdict.access)
    if says is not None:
        says["occurred_at"] = says["occurred_at"].isoformat()
        says = {name: dict(value) if name == "details" else value for name, value in says.items()}
    return {
        "origin": verdict.origin,
        "entry": verdict.index,
        "tree_size": verdict.size,
        "logged_at": verdict.logged_at.isoformat(),
        "witnesses": list(verdict.witnesses),
        "says": says,
        "label_count": verdict.label_count,
    }


def _in_words(verdict: ReceiptVerdict) -> list[str]:
    lines = [
        f"TRUE: entry {verdict.index} of the log {verdict.origin}, written {verdict.logged_at:%Y-%m-%d %H:%M:%S} UTC,",
        f"is in the tree of {verdict.size} entries that the log signed.",
        *(f"The witness {_visible(name)} has seen that tree, and no other history." for name in verdict.witnesses),
    ]
    if verdict.access is None:
        return [*lines, "The receipt does not show what the entry says (its content was erased)."]
    lines.append("It says:")
    for name, value in _said(verdict.access).items():
        shown = ", ".join(value) if isinstance(value, tuple) else dict(value) if name == "details" else value
        lines.append(f"  {name.replace('_', ' ')}: {_visible(str(shown))}")
    if verdict.is_own_label:
        lines.append(f"It is number {verdict.label_count} of the entries about this person.")
    return lines


def _visible(text: str) -> str:
    """The text with every unprintable character escaped: no entry may write lines of its own to the terminal."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _export_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--export-vkey", metavar="KEY", help="verifier key of the export, or its file"
                        " [GLASSHOUSE_LOG_EXPORT_VKEY, else var/keys/export.vkey]")  # fmt: skip
    parser.add_argument("--witness-vkey", action="append", default=[], metavar="KEY", help="verifier key of a witness"
                        " that you trust, or its file; may be repeated")  # fmt: skip
    parser.add_argument("--tsa-certificate", type=Path, metavar="FILE", help="root certificates (PEM) of the"
                        " time-stamping authorities that you trust")  # fmt: skip


def _check_export(options: argparse.Namespace) -> Answer:
    key = options.export_vkey or os.environ.get(f"{ENVIRONMENT}EXPORT_VKEY", "var/keys/export.vkey")
    witnesses = verifiers_of(options.witness_vkey) if options.witness_vkey else []
    verdict = verify_export(
        options.file,
        [*verifiers_of(options.vkey), *witnesses],
        verifiers_of([key]),
        authorities=_authorities(options.tsa_certificate),
    )
    facts = {
        "origin": verdict.origin,
        "format": verdict.form,
        "file": verdict.file,
        "entries": verdict.entries,
        "made_at": verdict.made_at,
        "made_by": verdict.made_by,
        "tree_size": verdict.size,
        "proved": verdict.proved,
        "witnesses": list(verdict.witnesses),
        "stamped_at": None if verdict.stamped_at is None else verdict.stamped_at.isoformat(),
    }
    return Answer("true", _export_in_words(verdict), facts=facts)


def _authorities(path: Path | None) -> list[x509.Certificate]:
    if path is None:
        return []
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise KeyRefused(f"{path}: no certificates ({type(error).__name__})") from None


def _export_in_words(verdict: ExportVerdict) -> list[str]:
    lines = [
        f"TRUE: this {verdict.form} export holds the {verdict.entries} entries that {verdict.origin} gave out",
        f"at {verdict.made_at} under its checkpoint over {verdict.size} entries, to {_visible(verdict.made_by)}.",
        "Nothing was added, left out or changed since.",
        *(f"The witness {_visible(name)} has seen that checkpoint." for name in verdict.witnesses),
    ]
    if verdict.proved:
        lines.append("Each entry is proved by a receipt of its own, which says what the export says of it.")
    if verdict.stamped_at is not None:
        lines.append(f"A time-stamping authority that you trust saw it at {verdict.stamped_at:%Y-%m-%d %H:%M:%S} UTC.")
    elif verdict.has_stamp:
        lines.append("It has a time stamp, which was not checked: give the authority's root as --tsa-certificate.")
    return lines


COMMANDS: dict[str, Command] = {
    "verify": Command(
        _verify,
        "Replay the whole log and name the first broken entry.",
        ("vkey", "store", "witnesses"),
        _verify_options,
    ),
    "fsck": Command(
        _fsck,
        "Check a log published as files, with the public key alone.",
        ("vkey",),
        lambda parser: parser.add_argument("folder", type=Path),
    ),
    "check-receipt": Command(_check_receipt, "Check a receipt; needs no database.", ("vkey",), _receipt_options),
    "check-export": Command(
        _check_export, "Check an export of the trail; needs no database.", ("vkey",), _export_options
    ),
}
