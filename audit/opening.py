"""Making a log, and opening one with its keys: what everything that is done to a log begins with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from audit import schema, store
from audit.checkpoint import Checkpoint, origin_of, sign_checkpoint
from audit.entry import GENESIS
from audit.errors import KeyRefused, LogUnavailable
from audit.keys import MasterKey, load_signer
from audit.merkle import EMPTY_ROOT
from audit.note import Verifier
from audit.onward import verify_onward
from audit.relay import Relay
from audit.remembered import RememberedCheckpoint
from audit.rows import INDEX_KEY, Head
from audit.signers import Signers
from audit.source import StoredLog
from audit.store import Store
from audit.stretches import SHARED_FROM, verify_on_cores
from audit.upgrading import bring_up_to_date, is_up_to_date
from audit.vault import Vault
from audit.verify import VerificationReport, verify_log
from audit.witness_client import WitnessAddress
from audit.writer import Writer


def now_utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Where a log lives and with what it is signed and sealed. `origin` is its name for ever, and its keys' name.

    A signing key is a file, or a `pkcs11:` reference (RFC 7512). `next_signing_key` and `previous_master_key` are given
    while a key is being rotated; the log itself says which of two is in use, so the order in which processes are
    started anew does not matter. `witnesses` are asked for cosignatures by `AuditLog.ask_witnesses`.
    """

    database_url: str
    origin: str
    signing_key: Path | str
    master_key: MasterKey
    checkpoint_file: Path | None
    next_signing_key: Path | str | None = None
    previous_master_key: MasterKey | None = None
    witnesses: tuple[WitnessAddress, ...] = ()
    #: A folder of the log's owner alone, where the processes of one host hand their entries to one of them
    #: (`audit.relay`); each writes for itself where there is none.
    relay_folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A log's parts, as they work together in one process. To be closed."""

    store: Store
    vault: Vault
    writer: Writer
    signers: Signers
    #: Keys by which a checkpoint of the log is known: the signers', and such as were given besides.
    verifiers: tuple[Verifier, ...]
    remembered: RememberedCheckpoint | None
    relay: Relay | None = None

    @property
    def origin(self) -> str:
        return self.signers.origin

    def close(self) -> None:
        if self.relay is not None:
            self.relay.close()
        self.writer.close()
        self.store.close()


def create_log(settings: LogSettings) -> None:
    """Make an empty log: tables, triggers, the vault's index key, a signed checkpoint over nothing. Safe to repeat.

    A log that older software made is brought up to date (`audit.upgrading`).

    Raises:
        KeyRefused: the signing key is missing, readable by others, or not the origin's.
        LogUnavailable: the database cannot be written.
    """
    signer = load_signer(settings.signing_key)
    _require_origin(Signers([signer]), settings)
    log = Store(settings.database_url)
    try:
        with log.writing() as connection:
            if connection.dialect.name == "postgresql":
                # Two first starts at once would both create the tables; the number only has to be the log's own.
                connection.execute(text("SELECT pg_advisory_xact_lock(4705311893)"))
            schema.create_tables(connection)
            bring_up_to_date(connection, settings.master_key, settings.previous_master_key)
            if store.read_head(connection) is None:
                wrapped = Vault.new_index_key(settings.master_key)
                store.insert_rows(connection, schema.vault_keys, [{"name": INDEX_KEY, "wrapped": wrapped}])
                empty = sign_checkpoint(Checkpoint(settings.origin, 0, EMPTY_ROOT), [signer])
                store.insert_head(connection, Head(0, 0, GENESIS, (), empty.text))
    finally:
        log.close()


def signers_of(settings: LogSettings) -> Signers:
    """Load the signing keys. Raises KeyRefused where one is missing, readable by others, or not the origin's."""
    references = [settings.signing_key]
    if settings.next_signing_key is not None and settings.next_signing_key != settings.signing_key:
        references.append(settings.next_signing_key)
    signers = Signers([load_signer(reference) for reference in references])
    _require_origin(signers, settings)
    return signers


def _require_origin(signers: Signers, settings: LogSettings) -> None:
    if signers.origin != settings.origin:
        raise KeyRefused(f"the signing key is {signers.origin!r}'s, and the log is {settings.origin!r}")


def open_parts(
    settings: LogSettings, *, clock: Callable[[], datetime] = now_utc, besides: Sequence[Verifier] = ()
) -> Opened:
    """The parts of a log that `create_log` made; to be closed.

    `besides` are keys of the log that nobody holds any more, by which what they signed is still known. Nothing is said
    yet about whether the log may go on.

    Raises:
        KeyRefused: a key is missing, readable by others, or not this log's.
        LogUnavailable: the database cannot be read or holds no log.
    """
    signers = signers_of(settings)
    verifiers = (*signers.verifiers, *(key for key in besides if signers.held(key.key_id) is None))
    log = Store(settings.database_url)
    try:
        vault = vault_of(log, settings.master_key, settings.previous_master_key)
        remembered = None
        if settings.checkpoint_file is not None:
            remembered = RememberedCheckpoint(settings.checkpoint_file, settings.origin, verifiers)
        writer = Writer(log, vault, signers, verifiers, remembered, clock)
        relay = None
        if settings.relay_folder is not None:
            place = make_url(settings.database_url).render_as_string(hide_password=True)
            relay = Relay(settings.relay_folder, f"{settings.origin}\n{place}", writer)
    except BaseException:
        log.close()
        raise
    return Opened(log, vault, writer, signers, verifiers, remembered, relay)


def vault_of(log: Store, master_key: MasterKey, previous: MasterKey | None = None) -> Vault:
    """The vault of a stored log.

    Raises:
        LogUnavailable: the database cannot be read, holds no log, or holds one of older software.
        KeyRefused: neither key is this log's.
    """
    with log.reading() as connection:
        wrapped = store.read_vault_key(connection, INDEX_KEY)
        is_of_now = is_up_to_date(connection)
    if wrapped is None:
        raise LogUnavailable("the database holds no log")
    if not is_of_now:
        raise LogUnavailable(
            "the log's tables are of older software; `python -m portal init`, or `python -m audit append --create`,"
            " run by the tables' owner, brings them up to date"
        )
    return Vault(master_key, wrapped, previous)


def verify_store(
    database_url: str,
    verifiers: Sequence[Verifier],
    master_key: MasterKey | None,
    *,
    previous_master_key: MasterKey | None = None,
    earlier: Sequence[Checkpoint] = (),
    progress: Callable[[int, int], None] | None = None,
    jobs: int = 1,
    trusted: Checkpoint | None = None,
    witnesses: Sequence[Verifier] = (),
) -> VerificationReport:
    """Replay a stored log with its public keys alone; with the master key, the sealed bodies as well.

    A log that is worth it is shared among `jobs` processes. With `trusted`, a checkpoint that was verified before, only
    what came after it is replayed, by one process, and what is kept beside the log is not checked. `witnesses` are
    those whose cosignatures are verified.

    Raises:
        LogUnavailable: the database cannot be read or holds no log.
        KeyRefused: the master key is not this log's, or the verifier keys are not of one log.
    """
    origin = origin_of(verifiers)
    log = Store(database_url)
    try:
        vault = None if master_key is None else vault_of(log, master_key, previous_master_key)
        with log.reading() as connection:
            head = store.read_head(connection)
            if head is None:
                raise LogUnavailable("the database holds no log")
            if trusted is not None:
                source = StoredLog(connection, vault)
                return verify_onward(source, origin, verifiers, trusted, earlier=earlier, progress=progress)
            if jobs > 1 and head.size >= SHARED_FROM:
                return verify_on_cores(
                    database_url, origin, verifiers, master_key, previous_master_key, earlier, jobs, progress, witnesses
                )
            source = StoredLog(connection, vault, witnesses)
            return verify_log(source, origin, verifiers, earlier=earlier, progress=progress)
    finally:
        log.close()
