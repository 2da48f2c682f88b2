"""`python -m benchmarks.trail`: what a citizen's pages cost at 500 and at 50,000 accesses, beside a bare indexed query.

The pages' services are called as the views call them, without the web. The bare query finds the person's
newest entry by the index and opens it. The first visit, at which a history is counted, stands apart.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

from audit.entry import Access
from audit.log import AuditLog, TrailQuery, open_log
from benchmarks.figures import RESULTS, interleaved
from benchmarks.logs import NOON, settings_at
from portal.domain.actors import Actor, Role
from portal.domain.identifiers import PersonalCode
from portal.registries.catalogue import load_catalogue
from portal.services.officials import OfficialNames
from portal.services.sealing import References
from portal.services.trail import Trail, TrailFilter
from portal.services.understanding.digest import Digests

ROOT = Path(__file__).parents[1]
SIZES = (500, 50_000)
ROUNDS = 15
ACTOR = Actor("bench", Role.CITIZEN, "Mari Maasikas", None, PersonalCode("38001085718"))


class NothingDue:
    """There are no seals to lift in this log."""

    def lift_due(self) -> int:
        return 0


def a_look(number: int) -> Access:
    code = ACTOR.personal_code
    assert code is not None
    return Access(
        action="read", outcome="released", source="portal", occurred_at=NOON, subject=code.subject, role="caseworker",
        organisation="social-insurance-board", official=f"official-{number % 50}", registry="population",
        fields=("address",), purpose="benefit-claim", case=f"C-{number // 4}", request_id=f"{number:032x}",
    )  # fmt: skip


def trail_of(log: AuditLog) -> Trail:
    catalogue = load_catalogue(ROOT / "config")
    zone = ZoneInfo("Europe/Tallinn")
    names, references = OfficialNames("m" * 64), References("s" * 64)
    return Trail(log, catalogue, names, references, lambda: datetime.now(UTC), zone, NothingDue())


def timed(work: Callable[[], object]) -> Callable[[], float]:
    def measure() -> float:
        began = perf_counter()
        work()
        return perf_counter() - began

    return measure


def works(log: AuditLog) -> dict[str, Callable[[], float]]:
    trail, catalogue = trail_of(log), load_catalogue(ROOT / "config")
    subject = a_look(0).subject or ""

    def overview() -> None:
        trail.judgement(ACTOR)
        trail.history(ACTOR, TrailFilter(), length=5)

    def history() -> None:
        trail.choices(ACTOR)
        trail.judgement(ACTOR)
        trail.by_month(ACTOR)
        _groups = trail.history(ACTOR, TrailFilter()).groups

    return {
        "overview": timed(overview),
        "history": timed(history),
        "filtered": timed(lambda: trail.history(ACTOR, TrailFilter(registry="population", field="address"))),
        "who knows what": timed(lambda: trail.knowledge(ACTOR)),
        "first visit": timed(lambda: Digests(log, catalogue, ZoneInfo("Europe/Tallinn")).of(subject)),
        "bare query": timed(lambda: log.read(TrailQuery(subject=subject), limit=1)),
    }


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        all_works: dict[str, Callable[[], float]] = {}
        for size in SIZES:
            settings = settings_at(f"sqlite:///{folder}/{size}.db", Path(folder, str(size)))
            log = open_log(settings)
            for start in range(0, size, 500):
                log.append_all([a_look(number) for number in range(start, min(start + 500, size))])
            all_works |= {f"{name} at {size}": work for name, work in works(log).items()}
        found = interleaved(ROUNDS, all_works)
    small, large = SIZES
    result = {
        name: {
            "ms_at_500": round(1000 * found[f"{name} at {small}"], 2),
            "ms_at_50000": round(1000 * found[f"{name} at {large}"], 2),
            "ratio": round(found[f"{name} at {large}"] / found[f"{name} at {small}"], 2),
            "of_bare_query": round(found[f"{name} at {large}"] / found[f"bare query at {large}"], 1),
        }
        for name in ("overview", "history", "filtered", "who knows what", "first visit", "bare query")
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "trail.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
