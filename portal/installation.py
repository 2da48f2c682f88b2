"""Preparing an installation: a demonstration's keys, the portal's tables, and the log with its first checkpoint."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from audit.keys import MasterKey, generate_signing_key
from audit.log import LogSettings, create_log
from audit.private import read_private_file
from audit.token_secret import token_master_key
from audit.witness_client import WitnessAddress
from config.settings import DEMO_SECRET_PREFIX, Settings
from portal.services.preparation import bring_tables_up_to_date, make_secret, write_private_file


def initialise(settings: Settings) -> Settings:
    """Make what is missing and give the settings with the secrets made. Safe to repeat; nothing is overwritten.

    In production the keys are the operator's: none is made, and a missing one is an error.

    Raises:
        KeyRefused: a signing key is missing or unfit.
        LogUnavailable: the log's database cannot be written.
    """
    settings = unlocked(settings)
    if not settings.is_production:
        _make_demonstration_keys(settings)
        settings = settings.with_secrets_from_files()
    bring_tables_up_to_date(settings.database_url)
    create_log(log_settings(settings))
    return settings


def unlocked(settings: Settings) -> Settings:
    """The settings with the master key, where it comes from a token. To be done before a process forks.

    Raises KeyRefused: the token does not give it.
    """
    if settings.master_key is not None or settings.master_key_token is None:
        return settings
    derived = token_master_key(settings.master_key_token)
    return settings.model_copy(update={"master_key": SecretStr(derived.to_text())})


def log_settings(settings: Settings) -> LogSettings:
    """What the audit log needs of the settings. `initialise` has made the master key, or production has given it.

    Raises:
        KeyRefused: a master key, or what is given as a witness, cannot be read, or others can read it.
    """
    assert settings.master_key is not None  # noqa: S101 - see above
    audit = settings.audit
    own, previous = _own_master_key(audit.master_key_file), _own_master_key(audit.previous_master_key_file)
    return LogSettings(
        database_url=audit.database_url,
        origin=audit.origin,
        signing_key=audit.signing_key_file,
        master_key=own or MasterKey.from_text(settings.master_key.get_secret_value()),
        checkpoint_file=audit.checkpoint_file,
        next_signing_key=audit.next_signing_key_file,
        previous_master_key=previous,
        witnesses=tuple(map(WitnessAddress.parse, audit.witnesses)),
        relay_folder=audit.relay_folder,
    )


def _own_master_key(path: Path | None) -> MasterKey | None:
    return None if path is None else MasterKey.from_text(read_private_file(path, "master key"))


def _make_demonstration_keys(settings: Settings) -> None:
    folder = settings.data_dir / "keys"
    if settings.secret_key is None:
        write_private_file(folder / "secret_key.txt", DEMO_SECRET_PREFIX + make_secret())
    if settings.master_key is None:
        write_private_file(folder / "master_key.txt", MasterKey.generate(is_demo=True).to_text())
    origin = settings.audit.origin
    for path, name in ((settings.audit.signing_key_file, origin), (settings.audit.export_key_file, f"{origin}/export")):
        if not path.exists():
            generate_signing_key(path, name)
