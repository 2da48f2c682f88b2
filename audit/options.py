"""What the commands of `python -m audit` share: where the log and its keys are, by option or environment variable."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from audit.checkpoint import LogKey, parse_log_keys
from audit.errors import KeyRefused
from audit.keys import MasterKey, load_signer
from audit.log import LogSettings
from audit.note import Verifier
from audit.pkcs11 import PKCS11
from audit.token_secret import token_master_key
from audit.witness_client import WitnessAddress

ENVIRONMENT = "GLASSHOUSE_LOG_"
_DEFAULT_VKEY = "var/keys/log.vkey"
_BAR_WIDTH = 30
_BAR_SECONDS = 0.1


def _store_options(parser: argparse.ArgumentParser) -> None:
    _add(parser, "database-url", "sqlite:///var/audit.db", "SQLAlchemy URL of the log's database")
    _add(
        parser, "checkpoint-file", "var/log.checkpoint", "where the last checkpoint is remembered outside the database"
    )
    _add(parser, "master-key-file", "var/keys/master_key.txt", "the master key that seals the bodies")
    _add(parser, "previous-master-key-file", "", "the other master key, while one replaces the other")


def _vkey_option(parser: argparse.ArgumentParser) -> None:
    variable = f"{ENVIRONMENT}VKEY"
    what = "the log's verifier key, or a file of its keys, a retired one with `until <size>`; may be repeated"
    shown = f"{what} [{variable}, {_DEFAULT_VKEY}]"
    parser.add_argument("--vkey", action="append", metavar="KEY", help=shown)


def _key_options(parser: argparse.ArgumentParser) -> None:
    _add(parser, "signing-key", "var/keys/log.key", "the log's signing key: a file, or a pkcs11: reference")
    _add(parser, "next-signing-key", "", "the key that is to take over")


def _witness_option(parser: argparse.ArgumentParser) -> None:
    what = "a witness of the log: its address and, after a space, its verifier key; may be repeated"
    shown = f"{what} [{ENVIRONMENT}WITNESSES, one on each line]"
    parser.add_argument("--witness", action="append", metavar="'URL KEY'", help=shown)


OPTIONS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "store": _store_options,
    "vkey": _vkey_option,
    "keys": _key_options,
    "witnesses": _witness_option,
}


def _add(parser: argparse.ArgumentParser, name: str, default: str, what: str) -> None:
    variable = ENVIRONMENT + name.replace("-", "_").upper()
    shown = f"{variable}, {default}" if default else variable
    parser.add_argument(f"--{name}", default=os.environ.get(variable, default), help=f"{what} [{shown}]")


def vkey_file(options: argparse.Namespace) -> Path:
    """The file in which the log's verifier keys are kept."""
    return Path(_vkeys(options.vkey)[0])


def _vkeys(given: Sequence[str] | None) -> Sequence[str]:
    return given or [os.environ.get(f"{ENVIRONMENT}VKEY", _DEFAULT_VKEY)]


def verifiers_of(given: Sequence[str] | None) -> list[Verifier]:
    """The verifier keys that were given as texts or files. Raises KeyRefused where one cannot be read."""
    keys: dict[tuple[str, bytes], Verifier] = {}
    for text_or_path in _vkeys(given):
        for key in parse_log_keys(_vkey_text(text_or_path)):
            keys[key.name, key.key_id] = key
    return list(keys.values())


def retired_keys(options: argparse.Namespace) -> list[Verifier]:
    """The keys in the verifier-key file that the process does not sign with itself; none without a file."""
    return [key for key in verifiers_of(options.vkey) if isinstance(key, LogKey)] if vkey_file(options).exists() else []


def _vkey_text(text_or_path: str) -> str:
    path = Path(text_or_path)
    if "+" in text_or_path and not path.exists():
        return text_or_path
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise KeyRefused(
            f"there is no verifier key at {path}; give the log's published key with --vkey or {ENVIRONMENT}VKEY"
        ) from None


def master_key_of(path: str) -> MasterKey:
    """The master key in a file, or by a `pkcs11:` reference from a token. Raises KeyRefused."""
    if path.startswith(PKCS11):
        return token_master_key(path)
    try:
        return MasterKey.from_text(Path(path).read_text(encoding="utf-8").strip())
    except UnicodeDecodeError:
        raise KeyRefused(f"the master key at {path} is not text") from None
    except OSError:
        raise KeyRefused(
            f"there is no master key to read at {path}; name its file with --master-key-file or"
            f" {ENVIRONMENT}MASTER_KEY_FILE"
        ) from None


def previous_master_key_of(options: argparse.Namespace) -> MasterKey | None:
    return master_key_of(options.previous_master_key_file) if options.previous_master_key_file else None


def settings_of(options: argparse.Namespace) -> LogSettings:
    """The settings that the options of the groups "keys" and "store" make. Raises KeyRefused for an unfit key."""
    return LogSettings(
        database_url=options.database_url,
        origin=load_signer(options.signing_key).name,
        signing_key=options.signing_key,
        master_key=master_key_of(options.master_key_file),
        checkpoint_file=Path(options.checkpoint_file) if options.checkpoint_file else None,
        next_signing_key=options.next_signing_key or None,
        previous_master_key=previous_master_key_of(options),
        witnesses=witnesses_of(options),
    )


def witnesses_of(options: argparse.Namespace) -> tuple[WitnessAddress, ...]:
    """The witnesses that are configured, by option or environment. Raises KeyRefused where one cannot be read."""
    given = getattr(options, "witness", None) or os.environ.get(f"{ENVIRONMENT}WITNESSES", "").splitlines()
    return tuple(WitnessAddress.parse(text) for text in given if text.strip())


def refuse_missing_file(database_url: str) -> None:
    path = database_url.removeprefix("sqlite:///")
    if path != database_url and not Path(path).exists():
        raise FileNotFoundError(f"there is no database at {path}")


def progress_of(what: str) -> Callable[[int, int], None]:
    """Tells of the progress on standard error: a bar on a terminal, else a line once a second."""
    last = time.monotonic()
    is_terminal = sys.stderr.isatty()
    every = _BAR_SECONDS if is_terminal else 1.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        now, is_over = time.monotonic(), done >= total
        if is_terminal and (now - last >= every or is_over):
            last = now
            print(f"\r{_bar(done, total)} {done:,} of {total:,} {what}", end="\n" if is_over else "", file=sys.stderr)
            sys.stderr.flush()
        elif not is_terminal and now - last >= every:
            last = now
            print(f"  {done:,} of {total:,} {what}", file=sys.stderr)

    return tell


def _bar(done: int, total: int) -> str:
    filled = _BAR_WIDTH if total == 0 else min(_BAR_WIDTH, _BAR_WIDTH * done // total)
    return f"[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}]"
