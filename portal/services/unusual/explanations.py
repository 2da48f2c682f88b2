"""What speaks for a look: a chain of relations from the official to the person (after Fabbri and LeFevre, "Explanation-
Based Auditing", VLDB 2011). A look that nothing explains comes first; one that something explains is not thereby right.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from portal.services.unusual.facts import Facts, KnownCase, Look, Trail
from portal.services.unusual.limits import Limits


class Explanation(StrEnum):
    """The chain that leads from the official to the person, the shortest first."""

    ASSIGNED_CASE = "assigned-case"
    TEAM_CASE = "team-case"
    HOUSEHOLD_OF_CASE = "household-of-case"
    EARLIER_CASE = "earlier-case"


EXPLANATIONS = frozenset(one.value for one in Explanation)


def explanation_of(look: Look, trail: Trail, facts: Facts, limits: Limits) -> Explanation | None:
    """The shortest chain that explains a look, or None."""
    case = facts.case_of(look)
    if case is not None and case.was_open(look.at, timedelta(days=limits.case_grace_days)):
        found = _by_case(look, case, facts)
        if found is not None:
            return found
    since = look.at - timedelta(days=limits.earlier_case_days)
    for earlier in trail.by_pair.get((look.official, look.subject), ()):
        if since <= earlier.at < look.at and (of_then := facts.case_of(earlier)) is not None:
            is_theirs = look.official in of_then.officials and look.subject in of_then.subjects
            if is_theirs and of_then.was_open(earlier.at, timedelta(days=limits.case_grace_days)):
                return Explanation.EARLIER_CASE
    return None


def _by_case(look: Look, case: KnownCase, facts: Facts) -> Explanation | None:
    if look.subject in case.subjects:
        if look.official in case.officials:
            return Explanation.ASSIGNED_CASE
        if case.team is not None and case.team == facts.teams.get(look.official):
            return Explanation.TEAM_CASE
        return None
    if look.official in case.officials and (person := facts.people.get(look.subject)) is not None and person.household:
        households = {facts.people[one].household for one in case.subjects if one in facts.people}
        return Explanation.HOUSEHOLD_OF_CASE if person.household in households else None
    return None
