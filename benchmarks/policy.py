"""What a decision of the policy costs: remembered, asked as one batch, and asked field by field.

Run with ``python -m benchmarks.policy``. The ratios are what counts; the times are this machine's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from portal.domain.actors import Actor, Role
from portal.domain.decisions import Facts
from portal.registries.catalogue import load_catalogue
from portal.services.policy import Policy
from portal.services.policy_engine import PolicyEngine

ROUNDS = 50


def _mean(what: Callable[[], object]) -> float:
    """Microseconds a round."""
    started = time.perf_counter()
    for _ in range(ROUNDS):
        what()
    return (time.perf_counter() - started) / ROUNDS * 1e6


def main() -> None:
    catalogue = load_catalogue(Path(__file__).parents[1] / "config")
    policy = Policy(catalogue)
    actor = Actor("official", Role.CASEWORKER, "Somebody", "social-insurance-board")
    purpose = catalogue.purposes["benefit-claim"]
    engine = PolicyEngine(catalogue)
    fields = [f"{registry.code}/{code}" for registry in catalogue.registries.values() for code in registry.fields]

    def batch() -> None:
        engine.answers("caseworker", "social-insurance-board", purpose, Facts(), fields)

    def one_by_one() -> None:
        for field in fields:
            engine.answers("caseworker", "social-insurance-board", purpose, Facts(), [field])

    policy.decide(actor, purpose, "population", Facts())
    remembered = _mean(lambda: policy.decide(actor, purpose, "population", Facts()))
    figures = {"remembered": remembered, "one batch": _mean(batch), "field by field": _mean(one_by_one)}
    for name, micros in figures.items():
        print(f"{name:15} {micros:10.1f} µs   {micros / remembered:8.1f} x remembered   ({len(fields)} fields)")


if __name__ == "__main__":
    main()
