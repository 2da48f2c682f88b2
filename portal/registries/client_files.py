"""Reading the client systems that registries registered, from clients.toml beside the catalogue."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from portal.domain.machines import BY_CONSENT, ClientSystem, Operation
from portal.registries.catalogue import Catalogue, CatalogueError
from portal.registries.toml_reading import Mistakes, TomlTable, frozen, read_toml

FILE = "clients.toml"
#: SHA-256, base64url without padding.
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
#: Sources of entries that no client may take the name of.
_TAKEN = frozenset({"portal", "log"})
#: What a public JWK must not hold (RFC 7518, sections 6.2.2, 6.3.2 and 6.4).
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def load_clients(directory: Path, catalogue: Catalogue) -> Mapping[str, ClientSystem]:
    """Read ``clients.toml`` under `directory`; without that file there are no client systems.

    Raises:
        CatalogueError: there are mistakes; each is named as "file:line: key: what is wrong".
    """
    path = directory / FILE
    if not path.exists():
        return frozen({})
    mistakes = Mistakes()
    file = read_toml(path, mistakes)
    clients: dict[str, ClientSystem] = {}
    if file is not None:
        for table in file.tables("client", is_optional=True):
            client = _client(table, directory, catalogue)
            if client.code in clients:
                table.mistake("code", "two client systems have this code")
            clients[client.code] = client
            table.finish()
        file.finish()
    if mistakes:
        raise CatalogueError(mistakes.lines)
    return frozen(clients)


def _client(table: TomlTable, directory: Path, catalogue: Catalogue) -> ClientSystem:
    code = table.code("code")
    if code in _TAKEN or code in catalogue.registries:
        table.mistake("code", "is the name of a source already; entries of the two could not be told apart")
    organisation = table.code("organisation")
    if organisation and organisation not in catalogue.organisations:
        table.mistake("organisation", "there is no organisation with this code")
    return ClientSystem(
        code=code,
        name=table.localized("name"),
        organisation=organisation,
        scopes=_scopes(table, organisation, catalogue),
        certificates=_certificates(table),
        jwks_file=_jwks_file(table, directory),
        jwks_uri=_jwks_uri(table),
    )


def _scopes(table: TomlTable, organisation: str, catalogue: Catalogue) -> frozenset[str]:
    scopes = table.texts("scopes")
    known = {operation.value for operation in Operation}
    for position, scope in enumerate(scopes):
        operation, _, registry = scope.partition(":")
        if operation not in known:
            table.mistake("scopes", f"a scope is {' or '.join(sorted(known))}, a colon, and a registry", position)
        elif registry not in catalogue.registries:
            table.mistake("scopes", "there is no registry with this code", position)
        elif operation in BY_CONSENT:
            if not _may_receive(organisation, registry, catalogue):
                table.mistake("scopes", "no purpose with by_consent gives this organisation this registry", position)
        elif operation == Operation.TAKE_CORRECTIONS:
            if not (_works_for(organisation, registry, catalogue) or _may_hold(organisation, registry, catalogue)):
                table.mistake("scopes", "no purpose gives this organisation this registry", position)
        elif not _works_for(organisation, registry, catalogue):
            table.mistake("scopes", "this registry is neither the organisation's nor one that it works for", position)
    if not scopes and "scopes" in table:
        table.mistake("scopes", "is empty")
    return frozenset(scopes)


def _works_for(organisation: str, registry: str, catalogue: Catalogue) -> bool:
    found = catalogue.organisations.get(organisation)
    return catalogue.registries[registry].controller in {organisation, found.acts_for if found else None}


def _may_receive(organisation: str, registry: str, catalogue: Catalogue) -> bool:
    return any(
        purpose.by_consent and organisation in purpose.organisations and registry in purpose.permits
        for purpose in catalogue.purposes.values()
    )


def _may_hold(organisation: str, registry: str, catalogue: Catalogue) -> bool:
    return any(
        organisation in purpose.organisations and registry in purpose.permits for purpose in catalogue.purposes.values()
    )


def _certificates(table: TomlTable) -> frozenset[str]:
    thumbprints = table.texts("certificates")
    for position, thumbprint in enumerate(thumbprints):
        if _THUMBPRINT.fullmatch(thumbprint) is None:
            table.mistake("certificates", "a thumbprint is SHA-256 in base64url, 43 characters", position)
    if not thumbprints and "certificates" in table:
        table.mistake("certificates", "is empty")
    return frozenset(thumbprints)


def _jwks_file(table: TomlTable, directory: Path) -> Path | None:
    if "jwks_file" not in table:
        return None
    path = directory / table.text("jwks_file")
    try:
        keys = json.loads(path.read_text(encoding="utf-8"))["keys"]
        is_private = any(_PRIVATE & key.keys() for key in keys)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        table.mistake("jwks_file", "cannot be read as a JWK Set (RFC 7517)")
        return path
    if is_private:
        table.mistake("jwks_file", "holds a private or a shared key; only public keys belong here")
    return path


def _jwks_uri(table: TomlTable) -> str | None:
    if ("jwks_uri" in table) == ("jwks_file" in table):
        table.mistake("jwks_file", "give either jwks_file or jwks_uri")
    if "jwks_uri" not in table:
        return None
    uri = table.text("jwks_uri")
    parts = urlsplit(uri)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
        table.mistake("jwks_uri", "must be an https:// address")
    return uri
