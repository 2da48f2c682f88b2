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
    #: A decision that rests on data, and not one of the values it rests on.
    DECISION = "decision"


#: The article of the GDPR under which each is asked for.
ARTICLES = {
    DisputeKind.ACCESS: "GDPR Article 5(1), 15(1)",
    DisputeKind.RECTIFICATION: "GDPR Article 16",
    DisputeKind.ERASURE: "GDPR Article 17",
    DisputeKind.RESTRICTION: "GDPR Article 18",
    DisputeKind.OBJECTION: "GDPR Article 21",
    DisputeKind.DECISION: "GDPR Article 22(3)",
}
#: What may be asked about a datum rather than about a look or a decision.
ABOUT_A_DATUM = tuple(kind for kind in DisputeKind if kind not in {DisputeKind.ACCESS, DisputeKind.DECISION})


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


class Ground(StrEnum):
    """The ground in law on which a request is refused, wholly or in part. Permanent: it stands in the log."""

    #: The look was in order: there was a task in law and a case (Articles 6(1), 5(1)(b)).
    LAWFUL_LOOK = "lawful-look"
    #: The value is right as it stands (Article 5(1)(d)).
    ACCURATE = "accurate"
    #: None of the cases in which data are erased, or their use is restricted, is there (Articles 17(1), 18(1)).
    NO_CASE = "no-case"
    EXPRESSION = "expression"
    LEGAL_OBLIGATION = "legal-obligation"
    PUBLIC_HEALTH = "public-health"
    ARCHIVES = "archives"
    LEGAL_CLAIMS = "legal-claims"
    COMPELLING = "compelling-grounds"
    #: A human looked at the decision and the law allows it (Article 22(2)).
    REVIEWED = "reviewed-by-a-human"
    UNFOUNDED = "manifestly-unfounded"
    EXCESSIVE = "excessive"
    NOT_IDENTIFIED = "not-identified"
    RESTRICTED = "restricted-by-law"


#: Where each stands in the GDPR.
GROUND_LAW = {
    Ground.LAWFUL_LOOK: "GDPR Article 6(1)",
    Ground.ACCURATE: "GDPR Article 5(1)(d), 16",
    Ground.NO_CASE: "GDPR Article 17(1), 18(1)",
    Ground.EXPRESSION: "GDPR Article 17(3)(a)",
    Ground.LEGAL_OBLIGATION: "GDPR Article 17(3)(b)",
    Ground.PUBLIC_HEALTH: "GDPR Article 17(3)(c)",
    Ground.ARCHIVES: "GDPR Article 17(3)(d), 89",
    Ground.LEGAL_CLAIMS: "GDPR Article 17(3)(e), 21(1)",
    Ground.COMPELLING: "GDPR Article 21(1)",
    Ground.REVIEWED: "GDPR Article 22(2)",
    Ground.UNFOUNDED: "GDPR Article 12(5)",
    Ground.EXCESSIVE: "GDPR Article 12(5)",
    Ground.NOT_IDENTIFIED: "GDPR Article 11(2), 12(2)",
    Ground.RESTRICTED: "GDPR Article 23",
}
_OF_ANY = (Ground.UNFOUNDED, Ground.EXCESSIVE, Ground.NOT_IDENTIFIED, Ground.RESTRICTED)
#: On what each request may be refused; another article's ground is none.
GROUNDS = {
    DisputeKind.ACCESS: (Ground.LAWFUL_LOOK, *_OF_ANY),
    DisputeKind.RECTIFICATION: (Ground.ACCURATE, *_OF_ANY),
    DisputeKind.ERASURE: (
        Ground.NO_CASE,
        Ground.EXPRESSION,
        Ground.LEGAL_OBLIGATION,
        Ground.PUBLIC_HEALTH,
        Ground.ARCHIVES,
        Ground.LEGAL_CLAIMS,
        *_OF_ANY,
    ),
    DisputeKind.RESTRICTION: (Ground.NO_CASE, *_OF_ANY),
    DisputeKind.OBJECTION: (Ground.COMPELLING, Ground.LEGAL_CLAIMS, *_OF_ANY),
    DisputeKind.DECISION: (Ground.REVIEWED, *_OF_ANY),
}


def needs_ground(ruling: Ruling) -> bool:
    """Whether something of what was asked for is refused, so that the person is owed the ground (Article 12(4))."""
    return ruling is not Ruling.UPHELD


class WithholdingReason(StrEnum):
    """Why a passage or a file is withheld from the person. Permanent: it stands in the log."""

    OTHER_PEOPLE = "other-people"
    SECRET = "trade-secret"  # noqa: S105 - a reason, not a secret
    INVESTIGATION = "investigation"
    SECURITY = "public-security"


WITHHOLDING_LAW = {
    WithholdingReason.OTHER_PEOPLE: "GDPR Article 15(4)",
    WithholdingReason.SECRET: "GDPR Article 15(4), recital 63",
    WithholdingReason.INVESTIGATION: "GDPR Article 23(1)(d)",
    WithholdingReason.SECURITY: "GDPR Article 23(1)(a)-(c)",
}
