"""`python -m benchmarks.unusual`: what the rules and the ranking are worth on a synthetic trail with planted misuse.

The evaluation's seed is not the tests', and no threshold was chosen by looking at it. The trail is synthetic: figures
of this kind are known to flatter (reviews of CERT r4.2 say so), and stand here for comparison between versions.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.office_life import OfficeLife, live
from portal.services.unusual.explanations import EXPLANATIONS
from portal.services.unusual.facts import Trail
from portal.services.unusual.limits import read_limits
from portal.services.unusual.ranking import Suspicion, ranked
from portal.services.unusual.rules import CODES, RULES

EVALUATION_SEED = 20_261_125
ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def measure(life: OfficeLife, found: list[Suspicion]) -> dict[str, object]:
    """Precision and recall of each rule over looks, of the ranking at its head, and recall by kind of misuse."""
    planted = life.planted
    top = max(1, len(life.looks) // 100)
    head = found[:top]
    explained = sum(1 for one in found if one.explanation is not None)
    rules = {}
    for rule in RULES:
        flagged = {one.look.seq for one in found if any(flag.rule == rule.code for flag in one.flags)}
        hits = len(flagged & planted.keys())
        rules[rule.code] = {
            "flagged": len(flagged),
            "precision": round(hits / len(flagged), 3) if flagged else None,
            "per_1000_looks": round(1000 * len(flagged) / len(life.looks), 2),
        }
    in_head = Counter(planted[one.look.seq] for one in head if one.look.seq in planted)
    of_kind = Counter(planted.values())
    return {
        "looks": len(life.looks),
        "planted": len(planted),
        "precision_at_50": sum(one.look.seq in planted for one in found[:50]) / 50,
        "precision_at_100": sum(one.look.seq in planted for one in found[:100]) / 100,
        "recall_in_top_percent": round(sum(in_head.values()) / len(planted), 3),
        "recall_in_top_percent_by_kind": {kind: round(in_head[kind] / of_kind[kind], 2) for kind in of_kind},
        "flagged_looks": len(found),
        "flagged_and_explained": explained,
        "rules": rules,
    }


def main() -> int:
    limits = read_limits(ROOT / "config", CODES, EXPLANATIONS)
    life = live(EVALUATION_SEED)
    began = time.perf_counter()
    found = ranked(Trail(life.looks), life.facts, limits)
    took = time.perf_counter() - began
    result = {"seed": EVALUATION_SEED, "looks_per_second": round(len(life.looks) / took)} | measure(life, found)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "unusual.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
