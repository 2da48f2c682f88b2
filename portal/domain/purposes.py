"""Purposes and organisations: what data may be used for, and by whom. The catalogue fills them from TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from portal.domain.text import LocalizedText

#: The purpose of a person's look at their own data (GDPR Article 15).
OWN_LOOK = "own-look"
#: The purpose of what is opened in an emergency beyond what the rules permit (GDPR Article 6(1)(d), 9(2)(c)).
EMERGENCY = "emergency"
#: The purpose of an auditor's work on the trail (GDPR Article 5(2), 32(1)(d)).
OVERSIGHT = "oversight"
#: The purpose of a supervisor's work with the accesses of their team (GDPR Articles 5(2), 24, 32(4)).
SUPERVISION = "supervision"
#: The purpose for which the portal finds out whether somebody is close to the official who asks.
CONFLICT_CHECK = "conflict-check"
#: The purpose for which an auditor's system finds out who an official and the person they looked at are to each other.
MISUSE_DETECTION = "misuse-detection"
#: The purpose of a look by somebody who acts for the person: by a mandate, or as the parent of a child.
REPRESENTATION = "representation"


class OfficialShown(StrEnum):
    """How an official is named to the person whose data they opened (CJEU C-579/21).

    `PSEUDONYM` stays the same within the organisation. `ESCROW` keeps the name sealed in the log: it is given only by a
    recorded decision that it is essential to the person's rights.
    """

    NAMED = "named"
    PSEUDONYM = "pseudonym"
    ESCROW = "escrow"


@dataclass(frozen=True, slots=True)
class Organisation:
    """A body that controls, processes or receives data. `contact` is where a person writes to.

    A processor `acts_for` the organisation whose code stands there: that one really wants to know (GDPR Article 28).
    `daily_accesses` is how many entries a day one official may cause before the supervisor's attention is drawn to it.
    `description` says in a sentence what the body does, to somebody who has never heard of it.
    """

    code: str
    name: LocalizedText
    contact: str
    acts_for: str | None = None
    daily_accesses: int | None = None
    description: LocalizedText | None = None


@dataclass(frozen=True, slots=True)
class Sealing:
    """By which law looks for a purpose may be withheld from their subject for a time, and who may order it.

    GDPR Article 23 and Directive (EU) 2016/680 Article 13(3) allow it for as long as the investigation needs it.
    `authorities` are codes of organisations.
    """

    lawful_basis: LocalizedText
    authorities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Purpose:
    """One reason for which data may be used, and exactly what it permits.

    `explanation` is the sentence a citizen reads. `organisations` and `roles` say who may state it; `permits` maps a
    registry's code to the codes of the fields it opens. An empty table permits nothing. `is_automatic` marks a purpose
    that only systems state. `retention` says how long the organisation keeps what it saw. `may_use_restricted` marks a
    purpose for which the law excepts the use of restricted data (GDPR Article 18(2)). `sealing` is there where a look
    may be withheld from its subject for a time. `by_consent` marks a purpose for which a recipient gets what the person
    consented to, and at most what `permits` names (GDPR Article 6(1)(a)).
    """

    code: str
    name: LocalizedText
    explanation: LocalizedText
    lawful_basis: LocalizedText
    retention: LocalizedText
    organisations: frozenset[str]
    roles: frozenset[str]
    permits: Mapping[str, tuple[str, ...]]
    case_required: bool
    official_shown: OfficialShown
    is_automatic: bool = False
    may_use_restricted: bool = False
    sealing: Sealing | None = None
    by_consent: bool = False
