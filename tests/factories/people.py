"""People who act and people whose data are looked at."""

from __future__ import annotations

from portal.domain.actors import Actor, Role
from portal.domain.identifiers import PersonalCode

#: Valid codes of nobody: the example person of the Estonian authentication service TARA, and neighbours of hers.
MARY = PersonalCode.parse("38001085718")
JUHAN = PersonalCode.parse("37605030299")
KADRI = PersonalCode.parse("49403136515")


def a_citizen(code: PersonalCode = MARY, account_id: str = "account-citizen") -> Actor:
    return Actor(account_id, Role.CITIZEN, "Mari Maasikas", None, code)


def a_caseworker(
    organisation: str = "social-insurance-board",
    account_id: str = "account-caseworker",
    code: PersonalCode | None = KADRI,
) -> Actor:
    return Actor(account_id, Role.CASEWORKER, "Kadri Kask", organisation, code)


def an_auditor(account_id: str = "account-auditor") -> Actor:
    return Actor(account_id, Role.AUDITOR, "Aita Audiitor", "data-protection-inspectorate", None)
