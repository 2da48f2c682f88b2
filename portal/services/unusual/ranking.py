"""The looks that a person should read first: what speaks against each, what for it, and how much that comes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from portal.services.unusual.explanations import Explanation, explanation_of
from portal.services.unusual.facts import Facts, Look, Trail
from portal.services.unusual.flags import Family, Flag
from portal.services.unusual.limits import Limits
from portal.services.unusual.rules import RULES

_RULES = {rule.code: rule for rule in RULES}
#: What a second flag of one family adds, in percent: it mostly says the same again.
_AGAIN_PERCENT = 25


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One look with everything that the rules say of it. `score` orders the looks and means nothing by itself."""

    look: Look
    score: float
    flags: tuple[Flag, ...]
    explanation: Explanation | None


def ranked(trail: Trail, facts: Facts, limits: Limits) -> list[Suspicion]:
    """Every look of which a rule says something, the one to read first in front; equal ones in order of time."""
    flags: dict[int, list[Flag]] = defaultdict(list)
    for rule in RULES:
        for flag in rule.find(trail, facts, limits):
            flags[flag.seq].append(flag)
    suspicions = []
    for look in trail.looks:
        if look.seq in flags:
            explanation = explanation_of(look, trail, facts, limits)
            score = _score(flags[look.seq], explanation, limits)
            suspicions.append(Suspicion(look, score, tuple(flags[look.seq]), explanation))
    return sorted(suspicions, key=lambda one: -one.score)


def _score(flags: Sequence[Flag], explanation: Explanation | None, limits: Limits) -> float:
    families: dict[Family, list[int]] = defaultdict(list)
    for flag in flags:
        families[_RULES[flag.rule].family].append(limits.weights[flag.rule])
    score = 0.0
    for weights in families.values():
        most = max(weights)
        score += most + (sum(weights) - most) * _AGAIN_PERCENT / 100
    return score if explanation is None else score * limits.explained[explanation] / 100
