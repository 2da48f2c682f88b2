"""What the portal hands to the log, also while a key of the log is being replaced under a running portal."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.errors import KeyRefused
from audit.keys import MasterKey, generate_signing_key
from audit.log import open_log
from audit.opening import open_parts
from audit.rotation import rotate_master_key
from audit.succession import begin_handover, retire_old_key
from config.settings import Settings
from portal.installation import initialise, log_settings
from tests.factories.logs import an_access


def _settings(folder: Path, **audit: str) -> Settings:
    environ = {f"GLASSHOUSE_AUDIT__{name.upper()}": value for name, value in audit.items()}
    return Settings.load({"GLASSHOUSE_DATA_DIR": str(folder), **environ})


def _new_master_key(path: Path) -> str:
    path.write_text(MasterKey.generate().to_text())
    path.chmod(0o600)
    return str(path)


def test_the_logs_master_key_is_the_portals_unless_it_has_its_own(tmp_path: Path) -> None:
    initialise(_settings(tmp_path))
    shared = log_settings(_settings(tmp_path)).master_key
    own = _new_master_key(tmp_path / "log_master.txt")
    settings = log_settings(_settings(tmp_path, master_key_file=own))
    assert settings.master_key.key_id != shared.key_id
    assert settings.previous_master_key is None


def test_the_logs_keys_are_replaced_while_the_portal_goes_on(tmp_path: Path) -> None:
    """The steps of docs/keys.md, with the portal's settings: a log of its own master key, both new keys beside."""
    first = _new_master_key(tmp_path / "first.txt")
    settings = _settings(tmp_path, master_key_file=first)
    initialise(settings)
    origin = settings.audit.origin
    log = open_log(log_settings(_settings(tmp_path, master_key_file=first)))
    log.append(an_access())
    log.close()
    second, next_key = _new_master_key(tmp_path / "second.txt"), tmp_path / "keys" / "next.key"
    generate_signing_key(next_key, origin)
    both = log_settings(
        _settings(
            tmp_path,
            master_key_file=second,
            previous_master_key_file=first,
            next_signing_key_file="{data_dir}/keys/next.key",
        )
    )
    running = open_log(both)
    parts = open_parts(both)
    rotate_master_key(parts, both.master_key)
    begin_handover(parts)
    running.append(an_access())
    retire_old_key(parts)
    parts.close()
    running.append(an_access())
    running.close()
    after = log_settings(_settings(tmp_path, master_key_file=second, signing_key_file=str(next_key)))
    log = open_log(after)
    assert log.append(an_access()).seq > 3
    assert log.verify().ok
    log.close()


def test_a_master_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    own = _new_master_key(tmp_path / "log_master.txt")
    initialise(_settings(tmp_path))
    Path(own).chmod(0o640)
    with pytest.raises(KeyRefused, match="0600"):
        log_settings(_settings(tmp_path, master_key_file=own))
