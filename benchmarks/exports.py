"""How fast the trail is exported beside a plain cursor over the same columns: `python -m benchmarks.exports`.

A plain cursor reads rows that lie there in clear; an export opens each sealed body, reads it strictly, renders it,
digests and packs it. So the entries read out of the log and dropped are a second peer: what lies between is the format.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter
from zoneinfo import ZoneInfo

from audit.entry import Access
from audit.keys import MasterKey, generate_signing_key, load_signer
from audit.log import AuditLog, LogSettings, TrailQuery, create_log, open_log
from audit.portable import COLUMNS, row_of
from benchmarks.disk import working_folder
from benchmarks.figures import Ratio, Report, interleaved
from portal.domain.actors import Actor, Role
from portal.registries.catalogue import load_catalogue
from portal.services.exporting.formats import FILES, ExportFormat
from portal.services.exports import Exports
from portal.services.officials import OfficialNames
from portal.services.oversight import Oversight, TrailSearch
from portal.services.pseudonyms import Pseudonyms
from portal.services.sealing import References

#: What the issue asks of the two plain formats.
_TARGETS = {ExportFormat.CSV: 0.5, ExportFormat.JSONL: 0.5}
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_AUDITOR = Actor("auditor-1", Role.AUDITOR, "An Auditor", "inspectorate")


def _looks(number: int) -> Iterable[Access]:
    for each in range(number):
        yield Access(
            action="read",
            outcome="released",
            source="portal",
            occurred_at=_FIRST + timedelta(seconds=each),
            subject=f"EE{38001010000 + each % 5000}",
            organisation="social-insurance-board",
            role="caseworker",
            official=f"official-{each % 200}",
            official_name="Mari Maasikas",
            registry="population",
            fields=("name", "address", "household"),
            purpose="benefit-claim",
            lawful_basis="GDPR Article 6(1)(e)",
            case=f"SKA-{each % 9000}",
            justification="Deciding the claim for a housing benefit of this household",
            request_id=f"{each:016x}",
        )


def _settings(folder: Path) -> LogSettings:
    return LogSettings(
        database_url=f"sqlite:///{folder / 'log.db'}",
        origin="bench.example/log",
        signing_key=folder / "log.key",
        master_key=MasterKey.from_text((folder / "master.txt").read_text()),
        checkpoint_file=folder / "log.checkpoint",
    )


def _make(folder: Path, entries: int) -> None:
    """A log, and beside it one bare table of the same columns for the cursor."""
    generate_signing_key(folder / "log.key", "bench.example/log")
    generate_signing_key(folder / "export.key", "bench.example/log/export")
    (folder / "master.txt").write_text(MasterKey.generate(is_demo=True).to_text())
    create_log(_settings(folder))
    log, batch = open_log(_settings(folder)), []
    plain = sqlite3.connect(folder / "plain.db")
    plain.execute(f"CREATE TABLE trail ({', '.join(f'[{name}]' for name in COLUMNS)})")
    slots = ", ".join("?" * len(COLUMNS))
    for seq, access in enumerate(_looks(entries)):
        batch.append(access)
        row = row_of(seq, access.occurred_at, access)
        cells = [json.dumps(value) if isinstance(value, list | dict) else value for value in row.values()]
        plain.execute(f"INSERT INTO trail VALUES ({slots})", cells)
        if len(batch) == 1000 or seq == entries - 1:
            log.append_all(batch)
            batch = []
    plain.commit()
    plain.close()
    log.close()


def _exports(folder: Path) -> tuple[AuditLog, Exports]:
    catalogue = load_catalogue(Path(__file__).parents[1] / "config")
    log = open_log(_settings(folder))
    oversight = Oversight(log, catalogue, References("s" * 32), lambda: datetime.now(UTC), ZoneInfo("Europe/Tallinn"))
    pseudonyms = Pseudonyms(OfficialNames("m" * 32), "m" * 32)
    return log, Exports(log, oversight, load_signer(folder / "export.key"), lambda: datetime.now(UTC), pseudonyms)


def _seconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _cursor(folder: Path) -> float:
    def read() -> None:
        connection = sqlite3.connect(folder / "plain.db")
        for _ in connection.execute(f"SELECT {', '.join(f'[{name}]' for name in COLUMNS)} FROM trail ORDER BY seq"):
            pass
        connection.close()

    return _seconds(read)


def _drained(chunks: Iterable[object]) -> None:
    for _ in chunks:
        pass


def _whole(exports: Exports, form: ExportFormat) -> float:
    return _seconds(lambda: _drained(exports.make(_AUDITOR, TrailSearch(action="read"), form).chunks))


def _peak(folder: str, form: str) -> float:
    """Megabytes that a new process has at most while it exports."""
    log, exports = _exports(Path(folder))
    _drained(exports.make(_AUDITOR, TrailSearch(action="read"), ExportFormat(form)).chunks)
    log.close()
    return getrusage(RUSAGE_SELF).ru_maxrss / 1024


def _peak_of(folder: Path, form: ExportFormat) -> float:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_peak, str(folder), form.value).result()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exports", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    report = Report("Exports of the trail beside a plain cursor")
    with working_folder() as folder:
        small, large = folder / "small", folder / "large"
        for place, entries in ((small, 10_000), (large, options.entries)):
            place.mkdir()
            _make(place, entries)
        log, exports = _exports(small)
        works = {"cursor": lambda: _cursor(small)}
        works["log"] = lambda: _seconds(lambda: _drained(log.stream(TrailQuery())))
        works |= {form.value: lambda form=form: _whole(exports, form) for form in FILES}  # type: ignore[misc]
        medians = interleaved(options.rounds, works)
        log.close()
        rates = {what: f"{10_000 / seconds:,.0f} rows a second" for what, seconds in medians.items()}
        ratios = [
            Ratio(
                f"{form} over the cursor", medians["cursor"] / medians[form], 0.5 if form in {"csv", "jsonl"} else None
            )
            for form in map(str, FILES)
        ]
        ratios += [Ratio(f"{form} over reading the log", medians["log"] / medians[form]) for form in FILES]
        report.add("Rate of a whole export, 10,000 entries", rates, ratios)
        peaks = {form: (_peak_of(small, form), _peak_of(large, form)) for form in FILES}
        report.add(
            f"Peak of memory, 10,000 and {options.entries:,} entries",
            {form: f"{few:.0f} MB and {many:.0f} MB" for form, (few, many) in peaks.items()},
            [Ratio(f"{form}: many over few", many / few, at_most=1.1) for form, (few, many) in peaks.items()],
        )
    report.write("exports")


if __name__ == "__main__":
    main()
