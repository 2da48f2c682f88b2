"""The settings of the mail server: a plain connection is an exception that says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.mail import MailSettings, unfit_mail
from config.settings import Settings, SettingsError

SERVER = {"GLASSHOUSE_MAIL__HOST": "mx.example.ee", "GLASSHOUSE_MAIL__SENDER": "portal@example.ee"}


def test_a_server_is_set_by_the_environment_and_its_password_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("correct horse\n")
    given = SERVER | {"GLASSHOUSE_MAIL__USER": "portal", "GLASSHOUSE_MAIL__PASSWORD_FILE": str(tmp_path / "password")}
    mail = Settings.load(given, data_dir=tmp_path).mail
    assert mail is not None
    assert (mail.security, mail.server_port) == ("starttls", 587)
    assert mail.password is not None
    assert mail.password.get_secret_value() == "correct horse"
    assert "correct horse" not in repr(mail)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"SENDER": "Portal <p@example.ee>"}, "mail.sender"),
        ({"USER": "portal"}, "mail.password"),
        ({"USER": "portal", "PASSWORD": "x", "SECURITY": "plain"}, "plain connection"),
        ({"SECURITY": "ssl"}, "mail.security"),
        ({"CA_FILE": "/nowhere"}, "mail.ca_file"),
        ({"BOUNCE_MAILDIR": "/var/mail/bounces"}, "bounce_address"),
    ],
)
def test_each_mistake_is_named(tmp_path: Path, change: dict[str, str], says: str) -> None:
    given = SERVER | {f"GLASSHOUSE_MAIL__{name}": value for name, value in change.items()}
    with pytest.raises(SettingsError, match=says):
        Settings.load(given, data_dir=tmp_path)


@pytest.mark.parametrize(
    ("reason", "is_fit"), [(None, False), ("because", False), ("a relay on this very machine", True)]
)
def test_production_sends_in_the_clear_only_for_a_reason(reason: str | None, is_fit: bool) -> None:
    mail = MailSettings(host="localhost", sender="p@example.ee", security="plain", plain_because=reason)
    assert (unfit_mail(mail, is_production=True) == []) is is_fit
    assert unfit_mail(mail, is_production=False) == []
