"""`python -m audit`: keep, check and prove a log without the portal.

Exit status: 0 when all is well, 1 when something was found broken or false, 2 when it could not be judged.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from audit.checkpoint import Checkpoint, open_checkpoint, origin_of
from audit.custody import COMMANDS
from audit.entry import Access
from audit.errors import (
    AuditError,
    EntryNotFound,
    EntryRefused,
    InvalidProof,
    LogFrozen,
    MalformedReceipt,
    VerificationFailed,
)
from audit.keys import generate_signing_key
from audit.log import create_log, open_log, recover_log, verify_store
from audit.manifest import verify_export
from audit.note import Verifier
from audit.options import (
    ENVIRONMENT,
    OPTIONS,
    master_key_of,
    previous_master_key_of,
    progress_of,
    refuse_missing_file,
    retired_keys,
    settings_of,
    verifiers_of,
)
from audit.public import PublicLog
from audit.published import fsck
from audit.store import Store
from audit.verify import ReceiptVerdict, VerificationReport, verify_receipt

#: What was judged, and found false.
_FALSE = (InvalidProof, LogFrozen, VerificationFailed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; see `python -m audit --help`."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except _FALSE as error:
        print(f"FALSE: {error}", file=sys.stderr)
        return 1
    except MalformedReceipt as error:
        print(f"NOT READABLE: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever was reading has gone; what is left in the buffer must not fail at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except AuditError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename}: {error.strerror}" if error.filename else error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m audit", description=(__doc__ or "").split("\n\n")[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, command: Callable[[argparse.Namespace], int], what: str, *groups: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=what, description=what)
        added.set_defaults(command=command)
        for group in groups:
            OPTIONS[group](added)
        return added

    keygen = add("keygen", _keygen, "Make a signing key, readable by its owner alone.")
    keygen.add_argument("name", help="the key's name; for a log, its origin")
    keygen.add_argument("file", type=Path)
    append = add("append", _append, "Append accesses, one JSON object on each line of standard input.", "keys", "store")
    append.add_argument("--create", action="store_true", help="make the log first if there is none")
    verify = add("verify", _verify, "Replay the whole log and name the first broken entry.", "vkey", "store")
    verify.add_argument("--against", type=Path, action="append", default=[], metavar="CHECKPOINT", help="a checkpoint"
                        " kept elsewhere that the log must still contain; may be repeated")  # fmt: skip
    check = add("fsck", _fsck, "Check a log published as files, with the public key alone.", "vkey")
    check.add_argument("folder", type=Path)
    proof = add("proof", _proof, "Print the receipt of one entry.", "keys", "store")
    proof.add_argument("seq", type=int)
    receipt = add("check-receipt", _check_receipt, "Check a receipt; needs no database.", "vkey")
    receipt.add_argument("file", type=Path)
    export = add("check-export", _check_export, "Check an export of the trail; needs no database.", "vkey")
    export.add_argument("file", type=Path)
    export.add_argument("--export-vkey", metavar="KEY", help="verifier key of the export, or its file"
                        " [GLASSHOUSE_LOG_EXPORT_VKEY, else var/keys/export.vkey]")  # fmt: skip
    published = add("export", _export, "Write the public log (checkpoint, tiles, entry bundles) as files.", "store")
    published.add_argument("folder", type=Path)
    recover = add("recover", _recover, "Go on from an older database; the log records that it did.", "keys", "store",
                  "vkey")  # fmt: skip
    recover.add_argument("--yes", action="store_true", help="do it; without it, only say what would be done")
    for name, (command, what, groups, configure) in COMMANDS.items():
        configure(add(name, command, what, *groups))
    return parser


def _keygen(options: argparse.Namespace) -> int:
    signer = generate_signing_key(options.file, options.name)
    print(signer.vkey)
    return 0


def _append(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    if options.create:
        create_log(settings)
    log = open_log(settings)
    try:
        for number, line in enumerate(sys.stdin.buffer, 1):
            if line.strip():
                acknowledged = log.append(_access_of(line, number))
                print(json.dumps({"seq": acknowledged.seq, "leaf_hash": acknowledged.leaf_hash.hex()}), flush=True)
    finally:
        log.close()
    return 0


def _access_of(line: bytes, number: int) -> Access:
    try:
        values: Any = json.loads(line)
        if not isinstance(values, dict):
            raise EntryRefused(f"line {number}: not a JSON object")
        values["occurred_at"] = datetime.fromisoformat(values["occurred_at"])
        if isinstance(values.get("fields"), list):
            values["fields"] = tuple(values["fields"])
        return Access(**values)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        # The line itself may hold personal data and stays out of the message.
        reason = str(error) if isinstance(error, EntryRefused) else type(error).__name__
        raise EntryRefused(f"line {number} is no access: {reason}") from None


def _verify(options: argparse.Namespace) -> int:
    verifiers = verifiers_of(options.vkey)
    refuse_missing_file(options.database_url)
    earlier = [_kept(path, verifiers) for path in options.against]
    remembered = Path(options.checkpoint_file) if options.checkpoint_file else None
    if remembered is not None and remembered.exists():
        earlier.append(_kept(remembered, verifiers))
    key_file = Path(options.master_key_file)
    master_key = master_key_of(options.master_key_file) if key_file.exists() else None
    report = verify_store(
        options.database_url,
        verifiers,
        master_key,
        previous_master_key=None if master_key is None else previous_master_key_of(options),
        earlier=earlier,
        progress=progress_of("entries"),
    )
    if not earlier:
        place = "" if remembered is None else f" at {remembered}"
        print(f"note: no remembered checkpoint{place}; a log cut short cannot be told from a shorter log")
    if master_key is None:
        print(f"note: no master key at {key_file}; the sealed bodies were not opened")
    return _tell(report, origin_of(verifiers))


def _kept(path: Path, verifiers: Sequence[Verifier]) -> Checkpoint:
    try:
        return open_checkpoint(path.read_text(encoding="utf-8"), origin_of(verifiers), verifiers).checkpoint
    except (AuditError, UnicodeDecodeError) as error:
        raise VerificationFailed(f"{path}: not a checkpoint that this log signed ({error})") from None


def _tell(report: VerificationReport, origin: str) -> int:
    if not report.ok:
        print(f"BROKEN at entry {report.first_broken}: {report.problem}")
        return 1
    root = "" if report.root is None else report.root.hex()
    print(f"SOUND: {origin}, {report.size} entries, {report.opened} opened, {report.erased} erased, root {root}")
    return 0


def _fsck(options: argparse.Namespace) -> int:
    verifiers = verifiers_of(options.vkey)
    return _tell(fsck(options.folder, verifiers, progress_of("entries")), origin_of(verifiers))


def _proof(options: argparse.Namespace) -> int:
    log = open_log(settings_of(options))
    try:
        print(log.receipt(options.seq).text, end="")
    except EntryNotFound as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        log.close()
    return 0


def _check_receipt(options: argparse.Namespace) -> int:
    verdict = verify_receipt(options.file.read_bytes(), verifiers_of(options.vkey))
    print("\n".join(_in_words(verdict)))
    return 0


def _in_words(verdict: ReceiptVerdict) -> list[str]:
    lines = [
        f"TRUE: entry {verdict.index} of the log {verdict.origin}, written {verdict.logged_at:%Y-%m-%d %H:%M:%S} UTC,",
        f"is in the tree of {verdict.size} entries that the log signed.",
    ]
    if verdict.access is None:
        return [*lines, "The receipt does not show what the entry says (its content was erased)."]
    access = verdict.access
    lines.append("It says:")
    for name in Access.__dataclass_fields__:
        value = getattr(access, name)
        if value not in (None, (), False) and not (name == "details" and not value):
            shown = ", ".join(value) if isinstance(value, tuple) else dict(value) if name == "details" else value
            lines.append(f"  {name.replace('_', ' ')}: {_visible(str(shown))}")
    if verdict.is_own_label:
        lines.append(f"It is number {verdict.label_count} of the entries about this person.")
    return lines


def _visible(text: str) -> str:
    """The text with every unprintable character escaped: no entry may write lines of its own to the terminal."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _check_export(options: argparse.Namespace) -> int:
    key = options.export_vkey or os.environ.get(f"{ENVIRONMENT}EXPORT_VKEY", "var/keys/export.vkey")
    verdict = verify_export(options.file, verifiers_of(options.vkey), verifiers_of([key]))
    print(
        f"TRUE: {verdict.file} holds the {verdict.entries} entries that {verdict.origin} gave out at {verdict.made_at},"
        f" under its checkpoint over {verdict.size} entries. Nothing was added, left out or changed since."
    )
    return 0


def _export(options: argparse.Namespace) -> int:
    refuse_missing_file(options.database_url)
    log = Store(options.database_url)
    try:
        size = PublicLog(log).write_to(options.folder, progress_of("tiles"))
    finally:
        log.close()
    print(f"Wrote the public log of {size} entries to {options.folder}.")
    return 0


def _recover(options: argparse.Namespace) -> int:
    settings = settings_of(options)
    refuse_missing_file(settings.database_url)
    try:
        open_log(settings).close()
    except LogFrozen as error:
        print(f"The log is frozen: {error}")
    else:
        print("The log is not frozen; there is nothing to recover from.")
        return 0
    if not options.yes:
        print("With --yes it goes on from what the database holds. The entries signed for since then are lost; the log")
        print("records that they were, and the checkpoint that proves it is kept beside the remembered one.")
        return 1
    acknowledged = recover_log(settings, besides=retired_keys(options))
    if acknowledged is not None:
        print(f"The log goes on; entry {acknowledged.seq} records the recovery.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
