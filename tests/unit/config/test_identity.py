"""The provider's settings: every mistake is named, and production trusts nothing that travels in the clear."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Settings, SettingsError
from tests.unit.config.test_settings import PRODUCTION

OIDC = {
    "GLASSHOUSE_OIDC__ISSUER": "https://govsso.example/",
    "GLASSHOUSE_OIDC__CLIENT_ID": "glasshouse",
    "GLASSHOUSE_OIDC__CLIENT_SECRET": "a secret",
    "GLASSHOUSE_OIDC__DISPLAY_NAME_EN": "the state’s sign-in service",
    "GLASSHOUSE_OIDC__DISPLAY_NAME_ET": "riigi autentimisteenus",
    "GLASSHOUSE_OIDC__DISPLAY_NAME_RU": "служба аутентификации",
}


def _mistakes(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.load(environ)
    return "\n".join(refused.value.mistakes)


def test_a_provider_is_set_by_the_environment_and_its_secret_by_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from the file\n")
    given = {name: value for name, value in OIDC.items() if "SECRET" not in name} | {
        "GLASSHOUSE_DATA_DIR": str(tmp_path),
        "GLASSHOUSE_OIDC__CLIENT_SECRET_FILE": str(secret),
        "GLASSHOUSE_OIDC__SCOPES": "openid profile",
        "GLASSHOUSE_OIDC__ACR_VALUES": "substantial high",
    }
    oidc = Settings.load(given).oidc
    assert oidc is not None
    assert oidc.client_secret is not None
    assert oidc.client_secret.get_secret_value() == "from the file"
    assert (oidc.scopes, oidc.acr_values) == (("openid", "profile"), ("substantial", "high"))
    assert (oidc.minimum_acr, oidc.clock_skew_seconds) == ("substantial", 30)
    assert "from the file" not in repr(oidc)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"GLASSHOUSE_OIDC__ISSUER": "http://govsso.example/"}, "oidc.issuer: must start with https://"),
        ({"GLASSHOUSE_OIDC__ISSUER": "govsso.example"}, "oidc.issuer"),
        ({"GLASSHOUSE_OIDC__ISSUER": "https://govsso.example/?x=1"}, "oidc.issuer"),
        ({"GLASSHOUSE_OIDC__CLIENT_SECRET": None}, "oidc.client_secret: needed"),
        ({"GLASSHOUSE_OIDC__CLIENT_ID": None}, "oidc.client_id"),
        ({"GLASSHOUSE_OIDC__SCOPES": "profile"}, "oidc.scopes: must hold openid"),
        ({"GLASSHOUSE_OIDC__ACR_VALUES": "gold"}, "oidc.acr_values"),
        ({"GLASSHOUSE_OIDC__MINIMUM_ACR": "none"}, "oidc.minimum_acr"),
        ({"GLASSHOUSE_OIDC__CLOCK_SKEW_SECONDS": "3600"}, "oidc.clock_skew_seconds"),
        ({"GLASSHOUSE_OIDC__CA_FILE": "/not/there.pem"}, "oidc.ca_file: /not/there.pem is not there"),
        ({"GLASSHOUSE_OIDC__COLOUR": "teal"}, "oidc.colour"),
    ],
)
def test_each_mistake_is_named_by_its_key(tmp_path: Path, change: dict[str, str | None], says: str) -> None:
    given = {**OIDC, "GLASSHOUSE_DATA_DIR": str(tmp_path), **change}
    assert says in _mistakes({name: value for name, value in given.items() if value is not None})


def test_production_speaks_to_no_provider_in_the_clear_not_even_on_this_machine() -> None:
    local = {"GLASSHOUSE_OIDC__ISSUER": "http://127.0.0.1:8080"}
    assert "oidc.issuer: must start with https://" in _mistakes(PRODUCTION | OIDC | local)


def test_people_are_sent_back_to_the_address_of_the_settings_whatever_a_request_says(tmp_path: Path) -> None:
    assert Settings.load({"GLASSHOUSE_DATA_DIR": str(tmp_path)}).base_url == "http://127.0.0.1:5000"
    assert Settings.load(PRODUCTION | OIDC).base_url == "https://data.example"
