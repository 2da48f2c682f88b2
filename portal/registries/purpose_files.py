"""Reading the organisations, and the purposes for which they may use what the registries hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from portal.domain.actors import Role
from portal.domain.purposes import (
    CONFLICT_CHECK,
    EMERGENCY,
    OVERSIGHT,
    OWN_LOOK,
    REPRESENTATION,
    SUPERVISION,
    OfficialShown,
    Organisation,
    Purpose,
    Sealing,
)
from portal.domain.text import LocalizedText
from portal.registries.description import Registry
from portal.registries.toml_reading import TomlTable, frozen

#: Purposes that open no registry by a permit: a person sees all of their own, auditors and supervisors only the trail.
WITHOUT_PERMITS = frozenset({OWN_LOOK, OVERSIGHT, SUPERVISION})
#: Purposes that a person states as themselves, and no organisation.
PERSONAL = frozenset({OWN_LOOK, REPRESENTATION})
#: Purposes that the portal itself states.
NEEDED = WITHOUT_PERMITS | {CONFLICT_CHECK}
_ARTICLE = re.compile(r"\bArticles? \d")


class Party(StrEnum):
    """Who may state a purpose: an account's role, or `SYSTEM` for a registry's own system with no human looking."""

    CITIZEN = Role.CITIZEN.value
    CASEWORKER = Role.CASEWORKER.value
    AUDITOR = Role.AUDITOR.value
    SUPERVISOR = Role.SUPERVISOR.value
    SYSTEM = "system"


def read_organisations(file: TomlTable | None) -> dict[str, Organisation]:
    organisations: dict[str, Organisation] = {}
    if file is None:
        return organisations
    tables = file.tables("organisation")
    for table in tables:
        acts_for = table.code("acts_for") if "acts_for" in table else None
        organisation = Organisation(
            table.code("code"),
            table.localized("name"),
            table.text("contact"),
            acts_for,
            table.whole_number("daily_accesses", least=1, most=1_000_000) if "daily_accesses" in table else None,
            table.localized("description") if "description" in table else None,
        )
        if organisation.code in organisations:
            table.mistake("code", "two organisations have this code")
        organisations[organisation.code] = organisation
        table.finish()
    for table, organisation in zip(tables, list(organisations.values()), strict=False):
        principal = organisation.acts_for
        if principal is not None and (principal == organisation.code or principal not in organisations):
            table.mistake("acts_for", "there is no other organisation with this code")
    file.finish()
    return organisations


def read_purposes(
    file: TomlTable | None, organisations: Mapping[str, Organisation], registries: Mapping[str, Registry]
) -> dict[str, Purpose]:
    purposes: dict[str, Purpose] = {}
    if file is None:
        return purposes
    for table in file.tables("purpose"):
        purpose = _purpose(table, organisations, registries)
        if purpose.code in purposes:
            table.mistake("code", "two purposes have this code")
        purposes[purpose.code] = purpose
    for code in sorted(NEEDED - purposes.keys()):
        file.mistake("purpose", f"the purpose {code} is missing")
    if CONFLICT_CHECK in purposes:
        for name in _marks_that_are_not_read(purposes[CONFLICT_CHECK], registries):
            file.mistake(
                "purpose", f"{CONFLICT_CHECK} does not permit {name}, so what it guards would never open alone"
            )
    file.finish()
    return purposes


def _marks_that_are_not_read(check: Purpose, registries: Mapping[str, Registry]) -> list[str]:
    return [
        f"{registry.code}/{field.code}"
        for registry in registries.values()
        for field in registry.fields.values()
        if field.guards and field.code not in check.permits.get(registry.code, ())
    ]


def _purpose(
    table: TomlTable, organisations: Mapping[str, Organisation], registries: Mapping[str, Registry]
) -> Purpose:
    code = table.code("code")
    is_automatic = table.boolean("is_automatic", default=False)
    purpose = Purpose(
        code=code,
        name=table.localized("name"),
        explanation=table.localized("explanation"),
        lawful_basis=_lawful_basis(table),
        retention=table.localized("retention"),
        organisations=frozenset(_organisations(table, organisations, is_needed=code not in PERSONAL)),
        roles=frozenset(_roles(table, is_automatic=is_automatic)),
        permits=frozen(_permits(table, registries, is_needed=code not in WITHOUT_PERMITS | {EMERGENCY})),
        case_required=table.boolean("case_required", default=False),
        official_shown=table.choice("official_shown", OfficialShown, default=OfficialShown.ESCROW),
        is_automatic=is_automatic,
        may_use_restricted=table.boolean("may_use_restricted", default=False),
        sealing=_sealing(table, organisations),
        by_consent=table.boolean("by_consent", default=False),
    )
    if purpose.by_consent:
        _note_what_no_consent_covers(table, purpose, registries)
    table.finish()
    return purpose


def _note_what_no_consent_covers(table: TomlTable, purpose: Purpose, registries: Mapping[str, Registry]) -> None:
    if not purpose.is_automatic:
        table.mistake("by_consent", "only systems receive data by consent: is_automatic = true is missing")
    for registry, fields in purpose.permits.items():
        known = registries[registry].fields if registry in registries else {}
        for field in fields:
            if field in known and not known[field].consentable:
                table.mistake("permits", f"{registry}/{field} is not consentable")


def _lawful_basis(table: TomlTable) -> LocalizedText:
    """Names the article: "because the law says so" is no basis that anybody could check."""
    basis = table.localized("lawful_basis")
    if basis.en and _ARTICLE.search(basis.en) is None:
        table.mistake("lawful_basis", "names no article of the law")
    return basis


def _organisations(table: TomlTable, known: Mapping[str, Organisation], *, is_needed: bool) -> tuple[str, ...]:
    codes = table.texts("organisations", is_optional=not is_needed)
    if is_needed and "organisations" in table and not codes:
        table.mistake("organisations", "is empty: nobody could state this purpose")
    for position, code in enumerate(codes):
        if code not in known:
            table.mistake("organisations", "there is no organisation of this code", position)
    return codes


def _roles(table: TomlTable, *, is_automatic: bool) -> tuple[str, ...]:
    roles = table.texts("roles")
    if "roles" in table and not roles:
        table.mistake("roles", "is empty: nobody could state this purpose")
    for position, role in enumerate(roles):
        if role not in set(Party):
            table.mistake("roles", f"is none of {', '.join(Party)}", position)
        elif (role == Party.SYSTEM) != is_automatic:
            table.mistake("roles", "system, and no other, states a purpose with is_automatic = true", position)
    return roles


def _sealing(table: TomlTable, known: Mapping[str, Organisation]) -> Sealing | None:
    inner = table.table("sealing", is_optional=True)
    if inner is None:
        return None
    authorities = inner.texts("authorities")
    if "authorities" in inner and not authorities:
        inner.mistake("authorities", "is empty: nobody could order a seal")
    for position, code in enumerate(authorities):
        if code not in known:
            inner.mistake("authorities", "there is no organisation of this code", position)
    sealing = Sealing(inner.localized("lawful_basis"), authorities)
    inner.finish()
    return sealing


def _permits(table: TomlTable, registries: Mapping[str, Registry], *, is_needed: bool) -> dict[str, tuple[str, ...]]:
    inner = table.table("permits", is_optional=not is_needed)
    if inner is None:
        return {}
    permits = {}
    for code in inner:
        fields = inner.texts(code)
        permits[code] = fields
        if code not in registries:
            inner.mistake(code, "there is no registry of this code")
            continue
        if not fields:
            inner.mistake(code, "is empty: a registry of which nothing is permitted is left out")
        for position, field in enumerate(fields):
            if field not in registries[code].fields:
                inner.mistake(code, "the registry has no field of this code", position)
    if is_needed and not permits:
        table.mistake("permits", "is empty: this purpose would permit nothing")
    inner.finish()
    return permits
