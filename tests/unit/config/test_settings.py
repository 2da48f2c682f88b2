"""Settings come from a file and the environment; every mistake is named, and production takes no risks."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.settings import Mode, Settings, SettingsError

PRODUCTION = {
    "GLASSHOUSE_MODE": "production",
    "GLASSHOUSE_SECRET_KEY": secrets.token_urlsafe(32),
    "GLASSHOUSE_MASTER_KEY": secrets.token_urlsafe(32),
    "GLASSHOUSE_PUBLIC_URL": "https://data.example",
    "GLASSHOUSE_AUDIT__ORIGIN": "log.data.example",
    "GLASSHOUSE_LIMITS__STORAGE": "redis://127.0.0.1:6379",
}


def _mistakes(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        Settings.load(environ)
    return refused.value.mistakes


def test_without_any_setting_it_is_a_demonstration_on_this_machine(tmp_path: Path) -> None:
    settings = Settings.load({"GLASSHOUSE_DATA_DIR": str(tmp_path)})
    assert settings.mode is Mode.DEMO
    assert (settings.host, settings.port) == ("127.0.0.1", 5000)
    assert settings.offers_demo_sign_in
    assert settings.database_url == f"sqlite:///{tmp_path}/portal.db"
    assert settings.audit.signing_key_file == tmp_path / "keys" / "log.key"


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = Settings.load({"GLASSHOUSE_DATA_DIR": str(tmp_path)})
    with pytest.raises(ValidationError):
        settings.port = 1


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "glasshouse.toml"
    file.write_text('port = 6000\nthreads = 3\n[audit]\norigin = "file.example/log"\n')
    settings = Settings.load(
        {
            "GLASSHOUSE_CONFIG": str(file),
            "GLASSHOUSE_PORT": "7000",
            "GLASSHOUSE_AUDIT__ORIGIN": "environment.example/log",
            "GLASSHOUSE_DATA_DIR": str(tmp_path),
        }
    )
    assert (settings.port, settings.threads) == (7000, 3)
    assert settings.audit.origin == "environment.example/log"


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "glasshouse.toml"
    file.write_text('colour = "teal"\n[audit]\nspeed = 3\n')
    mistakes = "\n".join(
        _mistakes({"GLASSHOUSE_CONFIG": str(file), "GLASSHOUSE_PORT": "no", "GLASSHOUSE_POTR": "5000"})
    )
    for name in ("GLASSHOUSE_POTR", "port", "colour", "audit.speed"):
        assert name in mistakes


@pytest.mark.parametrize("text", ["port = ", "port = 1\nport = 2\n"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "glasshouse.toml"
    file.write_text(text)
    assert str(file) in _mistakes({"GLASSHOUSE_CONFIG": str(file)})[0]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "cannot be read" in _mistakes({"GLASSHOUSE_CONFIG": str(tmp_path / "none.toml")})[0]


def test_names_of_the_audit_command_line_are_not_taken_for_mistakes(tmp_path: Path) -> None:
    Settings.load({"GLASSHOUSE_DATA_DIR": str(tmp_path), "GLASSHOUSE_LOG_VKEY": "x"})


def test_a_secret_may_stand_in_a_file_and_only_there(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s" * 40 + "\n")
    settings = Settings.load({"GLASSHOUSE_SECRET_KEY_FILE": str(file), "GLASSHOUSE_DATA_DIR": str(tmp_path)})
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == "s" * 40
    both = {"GLASSHOUSE_SECRET_KEY_FILE": str(file), "GLASSHOUSE_SECRET_KEY": "s" * 40}
    assert "both given" in "\n".join(_mistakes(both))


def test_no_secret_shows_in_settings_or_in_errors(tmp_path: Path) -> None:
    secret = "a-secret-that-nobody-may-see-anywhere"
    settings = Settings.load({"GLASSHOUSE_SECRET_KEY": secret, "GLASSHOUSE_DATA_DIR": str(tmp_path)})
    assert secret not in repr(settings)
    shown = "\n".join(_mistakes({**PRODUCTION, "GLASSHOUSE_SECRET_KEY": secret[:20], "GLASSHOUSE_PORT": secret}))
    assert secret[:20] not in shown


def test_production_starts_with_all_it_needs() -> None:
    settings = Settings.load(PRODUCTION)
    assert settings.is_production
    assert not settings.offers_demo_sign_in
    assert settings.is_served_over_https


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"GLASSHOUSE_SECRET_KEY": None}, "secret_key"),
        ({"GLASSHOUSE_MASTER_KEY": None}, "master_key"),
        ({"GLASSHOUSE_SECRET_KEY": "short"}, "shorter"),
        ({"GLASSHOUSE_MASTER_KEY": "demo:" + secrets.token_urlsafe(32)}, "demonstration's key"),
        ({"GLASSHOUSE_SECRET_KEY": "demo:" + secrets.token_urlsafe(32)}, "demonstration's key"),
        ({"GLASSHOUSE_DEMO_SIGN_IN": "true"}, "demo_sign_in"),
        ({"GLASSHOUSE_PUBLIC_URL": "http://data.example"}, "public_url"),
        ({"GLASSHOUSE_PUBLIC_URL": None}, "public_url"),
        ({"GLASSHOUSE_AUDIT__ORIGIN": None}, "audit.origin"),
    ],
)
def test_production_refuses_to_start(change: dict[str, str | None], named: str) -> None:
    environ = {name: value for name, value in {**PRODUCTION, **change}.items() if value is not None}
    assert named in "\n".join(_mistakes(environ))


def test_production_does_not_pick_up_a_demonstrations_keys(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    for name in ("secret_key", "master_key"):
        (keys / f"{name}.txt").write_text("demo:" + secrets.token_urlsafe(32))
    environ = {**PRODUCTION, "GLASSHOUSE_DATA_DIR": str(tmp_path)}
    del environ["GLASSHOUSE_SECRET_KEY"], environ["GLASSHOUSE_MASTER_KEY"]
    assert len(_mistakes(environ)) == 2


@pytest.mark.parametrize("limit", ["often", "60", "60/fortnight", ""])
def test_a_limit_that_says_nothing_is_named(limit: str) -> None:
    (mistake,) = _mistakes({"GLASSHOUSE_LIMITS__PER_ADDRESS": limit})
    assert mistake.startswith("limits.per_address")


def test_production_counts_in_redis_and_does_not_stop_counting() -> None:
    mistakes = _mistakes(
        PRODUCTION | {"GLASSHOUSE_LIMITS__STORAGE": "memory://", "GLASSHOUSE_LIMITS__ENABLED": "false"}
    )
    assert [mistake.split(":")[0] for mistake in mistakes] == ["limits.enabled", "limits.storage"]


def test_a_request_may_be_for_the_public_host_and_those_that_are_named_besides(tmp_path: Path) -> None:
    given = {"GLASSHOUSE_DATA_DIR": str(tmp_path), "GLASSHOUSE_PUBLIC_URL": "https://data.example"}
    assert Settings.load(given).hosts == ["data.example"]
    assert Settings.load(given | {"GLASSHOUSE_ALLOWED_HOSTS": "10.0.0.7"}).hosts == ["data.example", "10.0.0.7"]


def test_production_may_have_its_master_key_on_a_token_and_nowhere_else() -> None:
    token = {"GLASSHOUSE_MASTER_KEY_TOKEN": "pkcs11:token=x;object=y?module-path=m&pin-source=p"}
    without = {name: value for name, value in PRODUCTION.items() if name != "GLASSHOUSE_MASTER_KEY"}
    assert Settings.load(without | token).master_key is None
    assert any("keep one" in mistake for mistake in _mistakes(PRODUCTION | token))
