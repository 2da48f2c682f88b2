"""`python -m audit`: keep, check and prove a log without the portal.

Exit status: 0 when all is well, 1 when something was found broken or false, 2 when it could not be judged.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.entry import Access
from audit.errors import (
    AuditError,
    EntryNotFound,
    EntryRefused,
    InvalidProof,
    KeyRefused,
    LogFrozen,
    MalformedReceipt,
    VerificationFailed,
)
from audit.keys import MasterKey, generate_signing_key
from audit.log import LogSettings, create_log, open_log, recover_log, verify_store
from audit.manifest import verify_export
from audit.note import Verifier, verifier_from_vkey
from audit.public import PublicLog
from audit.published import fsck
from audit.store import Store
from audit.verify import ReceiptVerdict, VerificationReport, verify_receipt

#: What was judged, and found false.
_FALSE = (InvalidProof, LogFrozen, VerificationFailed)
_ENVIRONMENT = "GLASSHOUSE_LOG_"


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
            _OPTIONS[group](added)
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
    recover = add("recover", _recover, "Go on from an older database; the log records that it did.", "keys", "store")
    recover.add_argument("--yes", action="store_true", help="do it; without it, only say what would be done")
    return parser


def _store_options(parser: argparse.ArgumentParser) -> None:
    _add(parser, "database-url", "sqlite:///var/audit.db", "SQLAlchemy URL of the log's database")
    _add(
        parser, "checkpoint-file", "var/log.checkpoint", "where the last checkpoint is remembered outside the database"
    )
    _add(parser, "master-key-file", "var/keys/master_key.txt", "the master key that seals the bodies")


def _vkey_option(parser: argparse.ArgumentParser) -> None:
    _add(parser, "vkey", "var/keys/log.vkey", "the log's verifier key, or its file")


def _key_options(parser: argparse.ArgumentParser) -> None:
    _add(parser, "signing-key", "var/keys/log.key", "the log's signing key")


_OPTIONS = {"store": _store_options, "vkey": _vkey_option, "keys": _key_options}


def _add(parser: argparse.ArgumentParser, name: str, default: str, what: str) -> None:
    variable = _ENVIRONMENT + name.replace("-", "_").upper()
    parser.add_argument(f"--{name}", default=os.environ.get(variable, default), help=f"{what} [{variable}, {default}]")


def _verifier(text_or_path: str) -> Verifier:
    path = Path(text_or_path)
    is_text = "+" in text_or_path and not path.exists()
    try:
        text = text_or_path if is_text else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise KeyRefused(
            f"there is no verifier key at {path}; give the log's published key with --vkey or {_ENVIRONMENT}VKEY"
        ) from None
    return verifier_from_vkey(text.strip())


def _master_key(path: str) -> MasterKey:
    try:
        return MasterKey.from_text(Path(path).read_text(encoding="utf-8").strip())
    except UnicodeDecodeError:
        raise KeyRefused(f"the master key at {path} is not text") from None
    except OSError:
        raise KeyRefused(
            f"there is no master key to read at {path}; name its file with --master-key-file or"
            f" {_ENVIRONMENT}MASTER_KEY_FILE"
        ) from None


def _settings(options: argparse.Namespace) -> LogSettings:
    signing_key = Path(options.signing_key)
    vkey = signing_key.with_suffix(".vkey")
    return LogSettings(
        database_url=options.database_url,
        origin=_verifier(str(vkey)).name,
        signing_key=signing_key,
        master_key=_master_key(options.master_key_file),
        checkpoint_file=Path(options.checkpoint_file) if options.checkpoint_file else None,
    )


def _keygen(options: argparse.Namespace) -> int:
    signer = generate_signing_key(options.file, options.name)
    print(signer.vkey)
    return 0


def _append(options: argparse.Namespace) -> int:
    settings = _settings(options)
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
    verifier = _verifier(options.vkey)
    _refuse_missing_file(options.database_url)
    earlier = [_kept(path, verifier) for path in options.against]
    remembered = Path(options.checkpoint_file) if options.checkpoint_file else None
    if remembered is not None and remembered.exists():
        earlier.append(_kept(remembered, verifier))
    key_file = Path(options.master_key_file)
    master_key = _master_key(options.master_key_file) if key_file.exists() else None
    report = verify_store(options.database_url, verifier, master_key, earlier=earlier, progress=_progress("entries"))
    if not earlier:
        place = "" if remembered is None else f" at {remembered}"
        print(f"note: no remembered checkpoint{place}; a log cut short cannot be told from a shorter log")
    if master_key is None:
        print(f"note: no master key at {key_file}; the sealed bodies were not opened")
    return _tell(report, verifier.name)


def _kept(path: Path, verifier: Verifier) -> Checkpoint:
    try:
        return open_checkpoint(path.read_text(encoding="utf-8"), verifier.name, [verifier]).checkpoint
    except (AuditError, UnicodeDecodeError) as error:
        raise VerificationFailed(f"{path}: not a checkpoint that this log signed ({error})") from None


def _refuse_missing_file(database_url: str) -> None:
    path = database_url.removeprefix("sqlite:///")
    if path != database_url and not Path(path).exists():
        raise FileNotFoundError(f"there is no database at {path}")


def _tell(report: VerificationReport, origin: str) -> int:
    if not report.ok:
        print(f"BROKEN at entry {report.first_broken}: {report.problem}")
        return 1
    root = "" if report.root is None else report.root.hex()
    print(f"SOUND: {origin}, {report.size} entries, {report.opened} opened, {report.erased} erased, root {root}")
    return 0


def _fsck(options: argparse.Namespace) -> int:
    verifier = _verifier(options.vkey)
    return _tell(fsck(options.folder, verifier, _progress("entries")), verifier.name)


def _proof(options: argparse.Namespace) -> int:
    log = open_log(_settings(options))
    try:
        print(log.receipt(options.seq).text, end="")
    except EntryNotFound as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        log.close()
    return 0


def _check_receipt(options: argparse.Namespace) -> int:
    verdict = verify_receipt(options.file.read_bytes(), [_verifier(options.vkey)])
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
    verifier = _verifier(options.vkey)
    key = options.export_vkey or os.environ.get(f"{_ENVIRONMENT}EXPORT_VKEY", "var/keys/export.vkey")
    verdict = verify_export(options.file, verifier, _verifier(key))
    print(
        f"TRUE: {verdict.file} holds the {verdict.entries} entries that {verdict.origin} gave out at {verdict.made_at},"
        f" under its checkpoint over {verdict.size} entries. Nothing was added, left out or changed since."
    )
    return 0


def _export(options: argparse.Namespace) -> int:
    _refuse_missing_file(options.database_url)
    log = Store(options.database_url)
    try:
        size = PublicLog(log).write_to(options.folder, _progress("tiles"))
    finally:
        log.close()
    print(f"Wrote the public log of {size} entries to {options.folder}.")
    return 0


def _recover(options: argparse.Namespace) -> int:
    settings = _settings(options)
    _refuse_missing_file(settings.database_url)
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
    acknowledged = recover_log(settings)
    if acknowledged is not None:
        print(f"The log goes on; entry {acknowledged.seq} records the recovery.")
    return 0


def _progress(what: str) -> Callable[[int, int], None]:
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= 1:
            last = now
            print(f"  {done:,} of {total:,} {what}", file=sys.stderr)

    return tell


if __name__ == "__main__":
    sys.exit(main())
