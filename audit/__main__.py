"""`python -m audit`: keep, check and prove a log without the portal.

Exit status: 0 when all is well, 1 when something was found broken or false, 2 when it could not be judged.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from audit import attesting, custody, judging
from audit.answers import FOUND, UNABLE, Answer, Command, failure, give, misused
from audit.entry import Access
from audit.errors import AuditError, EntryRefused, LogFrozen
from audit.keys import generate_signing_key, load_cosigner
from audit.log import create_log, open_log, recover_log
from audit.options import OPTIONS, progress_of, refuse_missing_file, retired_keys, settings_of, witnesses_of
from audit.pkcs11 import PKCS11, make_token_key
from audit.public import PublicLog
from audit.store import Store


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; see `python -m audit --help`."""
    options = _parser().parse_args(arguments)
    command: Command = options.command
    try:
        return give(_answered(command, options), options.name_of_command, as_json=options.json)
    except BrokenPipeError:  # whoever was reading has gone; what is left in the buffer must not fail at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNABLE


def _answered(command: Command, options: argparse.Namespace) -> Answer:
    try:
        return command.run(options)
    except BrokenPipeError:
        raise
    except (AuditError, OSError) as error:
        return failure(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m audit",
        description=(__doc__ or "").split("\n\n")[0],
        epilog="Exit status: 0 all is well; 1 something was found broken or false; 2 it could not be judged.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in (_COMMANDS | judging.COMMANDS | attesting.COMMANDS | custody.COMMANDS).items():
        added = commands.add_parser(name, help=command.what, description=command.what)
        added.add_argument("--json", action="store_true", help="answer in one line of JSON (docs/command-line.md)")
        added.set_defaults(command=command, name_of_command=name)
        for group in command.groups:
            OPTIONS[group](added)
        command.configure(added)
    return parser


def _keygen_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the key's name; for a log, its origin")
    parser.add_argument("file", help="where to keep it: a new file, or a pkcs11: reference to a token")
    parser.add_argument("--witness", action="store_true", help="make a witness's key (type 0x04)")


def _keygen(options: argparse.Namespace) -> Answer:
    if options.file.startswith(PKCS11):
        if options.witness:
            return misused("A witness's key is kept in a file.")
        vkey = make_token_key(options.file, options.name).vkey
    elif options.witness:
        generate_signing_key(Path(options.file), options.name, for_witness=True)
        vkey = load_cosigner(Path(options.file)).vkey
    else:
        vkey = generate_signing_key(Path(options.file), options.name).vkey
    return Answer("done", [vkey], facts={"vkey": vkey, "file": options.file})


def _append(options: argparse.Namespace) -> Answer:
    settings = settings_of(options)
    if options.create:
        create_log(settings)
    log = open_log(settings)
    appended = 0
    try:
        for number, line in enumerate(sys.stdin.buffer, 1):
            if line.strip():
                access = _access_of(line, number)
                try:
                    acknowledged = log.append(access)
                except EntryRefused as error:
                    raise EntryRefused(f"line {number} is no access: {error}") from None
                print(json.dumps({"seq": acknowledged.seq, "leaf_hash": acknowledged.leaf_hash.hex()}), flush=True)
                appended += 1
    finally:
        log.close()
    return Answer("done", facts={"appended": appended})


def _access_of(line: bytes, number: int) -> Access:
    try:
        values: Any = json.loads(line)
        if not isinstance(values, dict):
            raise EntryRefused("not a JSON object")
        values["occurred_at"] = datetime.fromisoformat(values["occurred_at"])
        if isinstance(values.get("fields"), list):
            values["fields"] = tuple(values["fields"])
        return Access(**values)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        # The line itself may hold personal data and stays out of the message.
        reason = str(error) if isinstance(error, EntryRefused) else type(error).__name__
        raise EntryRefused(f"line {number} is no access: {reason}") from None


def _proof(options: argparse.Namespace) -> Answer:
    log = open_log(settings_of(options))
    try:
        receipt = log.receipt(options.seq)
    finally:
        log.close()
    return Answer("done", [receipt.text.removesuffix("\n")], facts={"entry": options.seq, "receipt": receipt.text})


def _export(options: argparse.Namespace) -> Answer:
    refuse_missing_file(options.database_url)
    log = Store(options.database_url)
    try:
        witnesses = [witness.verifier for witness in witnesses_of(options)]
        size = PublicLog(log, witnesses).write_to(options.folder, progress_of("tiles"))
    finally:
        log.close()
    words = f"Wrote the public log of {size} entries to {options.folder}."
    return Answer("done", [words], facts={"entries": size, "folder": str(options.folder)})


def _recover(options: argparse.Namespace) -> Answer:
    settings = settings_of(options)
    refuse_missing_file(settings.database_url)
    try:
        open_log(settings).close()
    except LogFrozen as error:
        frozen = str(error)
    else:
        return Answer("nothing-to-do", ["The log is not frozen; there is nothing to recover from."])
    if not options.yes:
        words = [
            f"The log is frozen: {frozen}",
            "With --yes it goes on from what the database holds. The entries signed for since then are lost; the log",
            "records that they were, and the checkpoint that proves it is kept beside the remembered one.",
        ]
        return Answer("asked", words, status=FOUND, problem=frozen)
    acknowledged = recover_log(settings, besides=retired_keys(options))
    if acknowledged is None:
        return Answer("nothing-to-do", ["The log is not frozen any more; somebody else has recovered it."])
    words = [f"The log is frozen: {frozen}", f"The log goes on; entry {acknowledged.seq} records the recovery."]
    return Answer("done", words, facts={"entry": acknowledged.seq})


_COMMANDS: dict[str, Command] = {
    "keygen": Command(_keygen, "Make a signing key, readable by its owner alone.", (), _keygen_options),
    "append": Command(
        _append,
        "Append accesses, one JSON object on each line of standard input.",
        ("keys", "store"),
        lambda parser: parser.add_argument("--create", action="store_true", help="make the log first if there is none"),
    ),
    "proof": Command(
        _proof,
        "Print the receipt of one entry.",
        ("keys", "store", "witnesses"),
        lambda parser: parser.add_argument("seq", type=int),
    ),
    "export": Command(
        _export,
        "Write the public log (checkpoint, tiles, entry bundles) as files.",
        ("store", "witnesses"),
        lambda parser: parser.add_argument("folder", type=Path),
    ),
    "recover": Command(
        _recover,
        "Go on from an older database; the log records that it did.",
        ("keys", "store", "vkey"),
        lambda parser: parser.add_argument(
            "--yes", action="store_true", help="do it; without it, only say what would be done"
        ),
    ),
}


if __name__ == "__main__":
    sys.exit(main())
