"""Commands of `python -m audit` about what is kept and who may read it: erasure, and the rotation of keys."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from audit.answers import FOUND, Answer, Command, misused
from audit.checkpoint import format_log_keys
from audit.erasure import Erasure, scrub
from audit.errors import KeyRefused
from audit.handover import follow
from audit.log import open_log
from audit.note import Verifier
from audit.opening import open_parts
from audit.options import progress_of, refuse_missing_file, settings_of, verifiers_of, vkey_file
from audit.rotation import rotate_master_key
from audit.schema import grants
from audit.store import Store
from audit.succession import begin_handover, go_on_without, known_keys, retire_old_key, statements

_MAX_SUBJECT_FILE = 4096
_STEPS = ("begin", "retire", "lost")


def _erase_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("seq", type=int, nargs="*", help="numbers of the entries to erase")
    parser.add_argument("--subject", metavar="FILE", help="erase all about the person whose identifier stands in FILE"
                        " (- for standard input), not on the command line, which others can read")  # fmt: skip
    parser.add_argument("--basis", required=True, help="the provision, such as 'GDPR Article 17(1)(d)'")
    parser.add_argument("--reason", help="why, in words that do not name the person")
    parser.add_argument("--yes", action="store_true", help="do it; without it, only say what would be done")


def _erase(options: argparse.Namespace) -> Answer:
    if bool(options.seq) == bool(options.subject):
        return misused("Give either the numbers of entries or --subject.")
    refuse_missing_file(options.database_url)
    subject = _subject(options.subject) if options.subject else None
    if not options.yes:
        what = "every entry about this person and their keys" if subject else f"{len(set(options.seq))} entries"
        return _asked(f"what is said in {what} is erased for ever; the log will say that it was.")
    log = open_log(settings_of(options))
    try:
        erased: Erasure = (
            log.erase_entries(options.seq, basis=options.basis, reason=options.reason)
            if subject is None
            else log.erase_subject(subject, basis=options.basis, reason=options.reason)
        )
    finally:
        log.close()
    if erased.tombstone is None:
        return Answer("nothing-to-do", ["There was nothing left to erase."], facts={"erased": 0, "tombstone": None})
    words = [
        f"Erased {erased.entries} entries; entry {erased.tombstone.seq} says so. Run `python -m audit scrub` to",
        "clear the database's free pages; see docs/erasure.md for what older backups still hold.",
    ]
    return Answer("done", words, facts={"erased": erased.entries, "tombstone": erased.tombstone.seq})


def _asked(consequence: str) -> Answer:
    """Nothing was done, since --yes was not given."""
    return Answer("asked", [f"With --yes: {consequence}"], status=FOUND, problem=consequence)


def _subject(file: str) -> str:
    if file == "-":
        text = sys.stdin.read(_MAX_SUBJECT_FILE)
    else:
        with Path(file).open(encoding="utf-8") as opened:
            text = opened.read(_MAX_SUBJECT_FILE)
    if not text.strip() or len(text.split()) != 1:
        raise KeyRefused("the file must hold one identifier, such as EE and eleven digits, and nothing else")
    return text.strip()


def _scrub(options: argparse.Namespace) -> Answer:
    refuse_missing_file(options.database_url)
    log = Store(options.database_url)
    try:
        scrub(log)
    finally:
        log.close()
    return Answer("done", ["The database holds nothing more of what was erased. Backups made before do."])


def _master_options(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Wrap every key of the vault by the key in --master-key-file, from that in --previous-master-key-file. Every"
        " process must have been started with both. It may be interrupted, and run again."
    )


def _rotate_master_key(options: argparse.Namespace) -> Answer:
    settings = settings_of(options)
    if settings.previous_master_key is None:
        raise KeyRefused("give the master key in use until now with --previous-master-key-file")
    if settings.previous_master_key.key_id == settings.master_key.key_id:
        raise KeyRefused("the two master keys are the same")
    refuse_missing_file(options.database_url)
    log = open_parts(settings)
    try:
        rotation = rotate_master_key(log, settings.master_key, progress_of("subjects"))
    finally:
        log.close()
    words = [
        f"Wrapped the keys of {rotation.rewrapped} subjects anew; nothing here needs the previous master key any more."
    ]
    if rotation.ended is not None:
        words += [
            f"Entry {rotation.ended.seq} says so. Now start every process with the new key alone, run `python -m audit",
            "scrub`, make a new backup, and destroy the old key: backups from before cannot be read without it.",
        ]
    entry = None if rotation.ended is None else rotation.ended.seq
    return Answer("done", words, facts={"rewrapped": rotation.rewrapped, "entry": entry})


def _signing_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("step", choices=_STEPS, help="begin: both keys sign; retire: the new one alone; lost: go on"
                        " without the key named by --lost-vkey")  # fmt: skip
    parser.add_argument("--lost-vkey", metavar="KEY", help="verifier key of the lost signing key, or its file")
    parser.add_argument("--yes", action="store_true", help="do it; without it, only say what would be done")


def _rotate_signing_key(options: argparse.Namespace) -> Answer:
    refuse_missing_file(options.database_url)
    lost = _lost_key(options)
    if not options.yes:
        return _asked(_CONSEQUENCES[options.step])
    log = open_parts(settings_of(options), besides=[] if lost is None else [lost])
    try:
        acknowledged = go_on_without(log, lost) if lost else _STEP_OF[options.step](log)
        with log.store.reading() as connection:
            keys = known_keys(connection, log)
        file = vkey_file(options)
        _replace(file, format_log_keys(keys))
        for seq, receipt in statements(log):
            _replace(file.with_name(f"{file.stem}.change-{seq}.receipt"), receipt.text)
    finally:
        log.close()
    words = [
        "It was done before." if acknowledged is None else f"Done; entry {acknowledged.seq} says so.",
        f"Publish {file}, the log's verifier keys, and the statements beside it.",
    ]
    facts = {"entry": None if acknowledged is None else acknowledged.seq, "vkeys": format_log_keys(keys).splitlines()}
    return Answer("nothing-to-do" if acknowledged is None else "done", words, facts=facts)


_STEP_OF = {"begin": begin_handover, "retire": retire_old_key}
_CONSEQUENCES = {
    "begin": "both signing keys sign from here on. A process that holds the old one alone will append nothing more.",
    "retire": "the new signing key signs alone from here on, and the old one is believed for earlier sizes only.",
    "lost": "the log is verified and goes on without the lost key. Whoever trusts it must be given the new key anew.",
}


def _lost_key(options: argparse.Namespace) -> Verifier | None:
    if (options.step == "lost") != bool(options.lost_vkey):
        raise KeyRefused("--lost-vkey names the key that is lost, for the step `lost` alone")
    if not options.lost_vkey:
        return None
    keys = verifiers_of([options.lost_vkey])
    if len(keys) != 1:
        raise KeyRefused("--lost-vkey must name one key; give its text")
    return keys[0]


def _replace(path: Path, content: str) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(content, encoding="utf-8")
    fresh.replace(path)


def _follow_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("receipt", type=Path, nargs="+", help="statements of changes of keys, oldest first")


def _follow_keys(options: argparse.Namespace) -> Answer:
    keys = verifiers_of(options.vkey)
    for path in options.receipt:
        keys = follow(keys, path.read_bytes())
    vkeys = format_log_keys(keys).splitlines()
    return Answer("true", vkeys, facts={"vkeys": vkeys})


def _grants(options: argparse.Namespace) -> Answer:
    try:
        statements = [f"{statement};" for statement in grants(options.role)]
    except ValueError as error:
        return misused(str(error))
    return Answer("done", statements, facts={"statements": statements})


COMMANDS: dict[str, Command] = {
    "grants": Command(
        _grants,
        "Print the SQL by which a PostgreSQL role may append, read and erase, and nothing more.",
        (),
        lambda parser: parser.add_argument("role"),
    ),
    "erase": Command(_erase, "Erase what entries say, or all about one person.", ("keys", "store"), _erase_options),
    "scrub": Command(_scrub, "Clear the database's free pages of what was erased or replaced.", ("store",)),
    "rotate-master-key": Command(
        _rotate_master_key, "Wrap every key of the vault by a new master key.", ("keys", "store"), _master_options
    ),
    "rotate-signing-key": Command(
        _rotate_signing_key, "Let a new signing key take over.", ("keys", "store", "vkey"), _signing_options
    ),
    "follow-keys": Command(
        _follow_keys,
        "From keys that you trust and statements of changes, print the keys to trust now.",
        ("vkey",),
        _follow_options,
    ),
}
