"""Who stands behind an entry, as the person it is about reads it."""

from __future__ import annotations

from enum import StrEnum

from portal.domain.actions import (
    MANDATE_LOOKS,
    MANDATE_STEPS,
    OWN_DEEDS,
    OWN_LOOKS,
    OWN_STEPS,
    PORTAL_CHECKS,
    SESSION_EVENTS,
)


class Kind(StrEnum):
    """Who stands behind a line: the person themselves, a human official, or a system."""

    OWN = "own"
    HUMAN = "human"
    AUTOMATIC = "automatic"
    #: The portal's own comparison before somebody looked.
    CHECK = "check"
    #: Somebody who acts for the person, or for whom the person acts.
    MANDATE = "mandate"


def kind_of(action: str, *, automatic: bool, by_official: bool) -> Kind:
    """`by_official`: the entry names one, so that what a session did was not the person's own doing."""
    if action in OWN_LOOKS | OWN_STEPS | OWN_DEEDS or (action in SESSION_EVENTS and not by_official):
        return Kind.OWN
    if action in MANDATE_LOOKS | MANDATE_STEPS:
        return Kind.MANDATE
    if action in PORTAL_CHECKS:
        return Kind.CHECK
    return Kind.AUTOMATIC if automatic else Kind.HUMAN
