"""The master key can come from a token, and then stands nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audit.errors import KeyRefused
from audit.keys import MasterKey
from audit.log import TrailQuery
from audit.options import master_key_of
from audit.token_secret import token_master_key
from tests.factories.apps import FakePortal
from tests.factories.logs import LogHome, an_access
from tests.factories.people import MARY
from tests.factories.tokens import SoftToken, soft_token
from tests.unit.portal.web.test_trips import a_form

__all__ = ["soft_token"]


def test_a_token_gives_the_same_master_key_each_time_and_another_secret_another_one(soft_token: SoftToken) -> None:
    for label in ("first", "second"):
        soft_token.make_secret(label)
    first, again, second = (token_master_key(soft_token.reference(label)) for label in ("first", "first", "second"))
    assert first.to_text() == again.to_text()
    assert first.key_id != second.key_id
    assert not first.is_demo


def test_the_key_is_an_ordinary_one_to_a_log_and_to_the_command_line(soft_token: SoftToken, tmp_path: Path) -> None:
    soft_token.make_secret("log")
    key = master_key_of(soft_token.reference("log"))
    home = LogHome.make(tmp_path, f"sqlite:///{tmp_path}/audit.db")
    assert isinstance(key, MasterKey)
    assert key.unwrap(key.wrap(b"secret", b"context"), b"context") == b"secret"
    with pytest.raises(KeyRefused):
        home.settings.master_key.unwrap(key.wrap(b"secret", b"context"), b"context")


def test_a_secret_that_could_be_taken_out_of_the_token_is_refused(soft_token: SoftToken) -> None:
    soft_token.make_secret("loose", extractable=True)
    with pytest.raises(KeyRefused, match="taken out"):
        token_master_key(soft_token.reference("loose"))


@pytest.mark.parametrize("change", ["label", "token", "pin", "module"])
def test_what_is_wrong_with_the_token_is_told_without_the_pin(
    soft_token: SoftToken, tmp_path: Path, change: str
) -> None:
    soft_token.make_secret(f"right-{change}")
    wrong_pin = tmp_path / "pin"
    wrong_pin.write_text("999999")
    wrong_pin.chmod(0o600)
    reference = soft_token.reference(f"right-{change}")
    reference = {
        "label": reference.replace("right", "wrong"),
        "token": reference.replace("token=Glasshouse", "token=Elsewhere"),
        "pin": reference.replace(str(soft_token.pin_file), str(wrong_pin)),
        "module": reference.replace(soft_token.module, "/nowhere/libpkcs11.so"),
    }[change]
    with pytest.raises(KeyRefused) as refused:
        token_master_key(reference)
    assert "master key" in str(refused.value)
    assert "999999" not in str(refused.value)


def test_a_whole_portal_runs_on_a_tokens_key_and_no_file_holds_it(
    soft_token: SoftToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soft_token.make_secret("portal")
    portal = FakePortal.build(tmp_path, monkeypatch, master_key_token=soft_token.reference("portal"))
    try:
        answer = portal.post(portal.client("caseworker"), "/casework/benefit-claim", **a_form())
        assert answer.status_code == 200
        looked = portal.house.log.read(TrailQuery(subject=MARY.subject)).items
        assert any(item.access is not None and item.access.action == "read" for item in looked)
    finally:
        portal.close()
    assert not (tmp_path / "keys" / "master_key.txt").exists()
    key = token_master_key(soft_token.reference("portal"))
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (key.to_text().encode(), key._key):
        assert secret not in kept


def test_after_a_fork_the_token_still_answers(soft_token: SoftToken) -> None:
    soft_token.make_secret("forked")
    reference = soft_token.reference("forked")
    expected = token_master_key(reference).to_text()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # the child says what it got and leaves without a word to pytest
        try:
            os.write(writer, token_master_key(reference).to_text().encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answered:
        assert answered.read().decode() == expected
    os.waitpid(child, 0)


def test_an_entry_sealed_under_a_tokens_key_opens_under_it_alone(soft_token: SoftToken, tmp_path: Path) -> None:
    from dataclasses import replace

    from audit.log import create_log, open_log

    soft_token.make_secret("sealing")
    home = LogHome.make(tmp_path / "other", f"sqlite:///{tmp_path}/unused.db")
    settings = replace(
        home.settings,
        master_key=token_master_key(soft_token.reference("sealing")),
        database_url=f"sqlite:///{tmp_path}/token.db",
        checkpoint_file=tmp_path / "token.checkpoint",
    )
    create_log(settings)
    log = open_log(settings)
    log.append(an_access())
    assert log.entry(0).access == an_access()
    log.close()
    with pytest.raises(KeyRefused):
        open_log(replace(settings, master_key=home.settings.master_key))
