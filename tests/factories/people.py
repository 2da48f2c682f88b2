"""People who act and people whose data are looked at."""

from __future__ import annotations

from datetime import date

from portal.demo.codes import personal_code
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


def some_people(number: int) -> list[PersonalCode]:
    """Valid codes of as many different people, none of them named above."""
    return [PersonalCode.parse(personal_code("F", date(1970, 1, 1), place)) for place in range(1, number + 1)]
