"""Whether time tells who is there: pairs of requests that must look alike, measured side by side.

Run with ``python -m benchmarks.timing``. For each pair: the ratio of the medians, and beside it how far the medians of
two halves of one and the same request lie apart, which is what the machine alone does. Nothing is asserted; what a
request does is counted by ``tests/unit/portal/web/test_uniform_work.py``.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from benchmarks.figures import Ratio, Report
from tests.factories.apps import FakePortal
from tests.factories.people import JUHAN, KADRI, MARY
from tests.unit.portal.web.test_hostile_requests import LOOK, a_form
from tests.unit.portal.web.test_uniform_work import STRANGER


def _seconds(ask: Callable[[], Any]) -> float:
    started = perf_counter()
    ask()
    return perf_counter() - started


def _compared(rounds: int, known: Callable[[], Any], unknown: Callable[[], Any]) -> tuple[list[float], list[float]]:
    for ask in (known, unknown) * 3:
        ask()
    seen: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        order = (known, unknown) if number % 2 else (unknown, known)
        for ask in order:
            seen[ask is unknown].append(_seconds(ask))
    return seen


def _pairs(portal: FakePortal) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    portal.registries["population"].holds(KADRI, **{"given-names": "Kadri"})
    caseworker, auditor, neighbour = (portal.client(name) for name in ("caseworker", "auditor", "neighbour"))
    portal.post(caseworker, LOOK, **a_form(personal_code=MARY.reveal()))
    history = portal.client("citizen").get("/me/accesses").get_data(as_text=True)
    hers = history.partition('href="/me/accesses/')[2].partition('"')[0]
    none = ("B" if hers[0] == "A" else "A") + hers[1:]
    return {
        "a look at somebody of whom nothing is held, at somebody unknown": (
            lambda: portal.post(caseworker, LOOK, **a_form(personal_code=JUHAN.reveal())),
            lambda: portal.post(caseworker, LOOK, **a_form(personal_code=STRANGER)),
        ),
        "a refused look at somebody known, at somebody unknown": (
            lambda: portal.post(caseworker, LOOK, **a_form(personal_code=MARY.reveal(), justification="x")),
            lambda: portal.post(caseworker, LOOK, **a_form(personal_code=STRANGER, justification="x")),
        ),
        "a search for somebody without entries, for somebody unknown": (
            lambda: portal.post(auditor, "/oversight", subject=JUHAN.reveal()),
            lambda: portal.post(auditor, "/oversight", subject=STRANGER),
        ),
        "an entry of somebody else, an entry that is none": (
            lambda: neighbour.get(f"/me/accesses/{hers}"),
            lambda: neighbour.get(f"/me/accesses/{none}"),
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.timing", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    report = Report("Whether time tells who is there")
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        portal = FakePortal.build(Path(name), patch)
        for what, (known, unknown) in _pairs(portal).items():
            of_known, of_unknown = _compared(rounds, known, unknown)
            one, other = (statistics.median(of_known[half::2]) for half in (0, 1))
            median = statistics.median(of_unknown)
            report.add(
                what,
                {"medians": f"{statistics.median(of_known) * 1e3:.2f} ms and {median * 1e3:.2f} ms"},
                [
                    Ratio("the unknown over the known", median / statistics.median(of_known)),
                    Ratio("one half of the known over the other", one / other),
                ],
            )
        portal.close()
    report.write("timing")


if __name__ == "__main__":
    main()
