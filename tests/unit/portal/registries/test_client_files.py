"""clients.toml is read strictly: every mistake is named with file, line and key, and none lets anybody in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portal.registries.catalogue import CatalogueError, load_catalogue
from portal.registries.client_files import load_clients
from tests.factories.client_systems import CODE, a_certificate, a_client, write_catalogue
from tests.factories.houses import shipped_catalogue
from tests.fakes.hostile_provider import rsa_key


def _mistakes(folder: Path, *clients: str) -> list[str]:
    catalogue = write_catalogue(folder, *clients)
    with pytest.raises(CatalogueError) as refused:
        load_clients(catalogue, shipped_catalogue())
    return [line.removeprefix(f"{catalogue}/") for line in refused.value.mistakes]


def test_a_registered_system_is_what_the_file_says(tmp_path: Path) -> None:
    client = load_clients(write_catalogue(tmp_path, a_client()), shipped_catalogue())[CODE]
    assert client.organisation == "population-authority"
    assert client.scopes == {"accesses.report:population", "accesses.read:population"}
    assert client.certificates == {a_certificate().thumbprint}


def test_the_shipped_country_registers_none_and_neither_does_a_folder_without_the_file(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[4] / "config"
    assert load_clients(shipped, load_catalogue(shipped)) == {}
    assert load_clients(tmp_path, shipped_catalogue()) == {}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"code": '"Population System"'}, "clients.toml:2: client[1].code: a code is"),
        ({"code": '"portal"'}, "clients.toml:2: client[1].code: is the name of a source already"),
        ({"code": '"land"'}, "clients.toml:2: client[1].code: is the name of a source already"),
        ({"organisation": '"nobody"'}, "clients.toml:4: client[1].organisation: there is no organisation"),
        ({"scopes": '["admin"]'}, "clients.toml:5: client[1].scopes[1]: a scope is"),
        ({"scopes": '["accesses.report:nowhere"]'}, "clients.toml:5: client[1].scopes[1]: there is no registry"),
        ({"scopes": '["accesses.report:land"]'}, "clients.toml:5: client[1].scopes[1]: this registry is neither"),
        ({"scopes": "[]"}, "clients.toml:5: client[1].scopes: is empty"),
        ({"certificates": '["AA:BB"]'}, "clients.toml:6: client[1].certificates[1]: a thumbprint is"),
        ({"certificates": "[]"}, "clients.toml:6: client[1].certificates: is empty"),
        ({"certificates": ""}, "client[1].certificates: is missing"),
        ({"jwks_file": '"nowhere.json"'}, "clients.toml:7: client[1].jwks_file: cannot be read"),
        ({"jwks_file": ""}, "client[1].jwks_file: give either"),
        ({"jwks_uri": '"https://x.example/keys"'}, "client[1].jwks_file: give either"),
        ({"jwks_file": "", "jwks_uri": '"http://x.example/keys"'}, "client[1].jwks_uri: must be an https:// address"),
        ({"secret": '"x"'}, "clients.toml:8: client[1].secret: there is no such key here"),
    ],
)
def test_each_mistake_is_named_by_file_line_and_key(tmp_path: Path, changes: dict[str, str], says: str) -> None:
    mistakes = _mistakes(tmp_path, a_client(**changes))
    assert any(says in line for line in mistakes), mistakes


def test_two_systems_of_one_code_are_a_mistake(tmp_path: Path) -> None:
    [mistake] = _mistakes(tmp_path, a_client(), a_client())
    assert "two client systems have this code" in mistake


def test_a_private_key_has_no_place_in_the_configuration(tmp_path: Path) -> None:
    catalogue = write_catalogue(tmp_path, a_client())
    document = {"keys": [rsa_key("first").as_dict(private=True)]}
    (catalogue / "keys.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(CatalogueError, match="holds a private or a shared key"):
        load_clients(catalogue, shipped_catalogue())
