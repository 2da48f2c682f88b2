"""What a person may dispute, how a dispute stands, and how it may end."""

from __future__ import annotations

from enum import StrEnum


class DisputeKind(StrEnum):
    """What the person asks for. Permanent: it stands in the log."""

    #: Somebody looked without a good reason (Articles 5(1), 77).
    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"


#: The article of the GDPR under which each is asked for.
ARTICLES = {
    DisputeKind.ACCESS: "GDPR Article 5(1), 15(1)",
    DisputeKind.RECTIFICATION: "GDPR Article 16",
    DisputeKind.ERASURE: "GDPR Article 17",
    DisputeKind.RESTRICTION: "GDPR Article 18",
    DisputeKind.OBJECTION: "GDPR Article 21",
}
#: What may be asked about a datum rather than about a look.
ABOUT_A_DATUM = tuple(kind for kind in DisputeKind if kind is not DisputeKind.ACCESS)


class DisputeState(StrEnum):
    """Where a dispute stands. Permanent."""

    OPEN = "open"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"


class Ruling(StrEnum):
    """How the controller decided. Permanent: it stands in the log."""

    UPHELD = "upheld"
    PARTLY = "partly"
    REFUSED = "refused"
