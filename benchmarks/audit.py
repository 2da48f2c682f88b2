"""How fast the audit log is, beside its peers: `make bench`, or `python -m benchmarks.audit [section …]`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from benchmarks import appending, reading
from benchmarks.disk import delay_is_settable, run_under_shim, working_folder
from benchmarks.figures import Report

SECTIONS: dict[str, Callable[[Report, Path, argparse.Namespace], None]] = {
    "appends": appending.appends,
    "bulk": appending.bulk,
    "single": appending.single,
    "reading": reading.reading,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument(
        "sections", nargs="*", metavar="section", help=f"of {', '.join(SECTIONS)}; all of them by default"
    )
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds, of which the medians are taken")
    parser.add_argument("--entries", type=int, default=1_000_000, help="size of the large log")
    parser.add_argument("--name", default="audit", help="of the files in benchmarks/results")
    options = parser.parse_args()
    if unknown := set(options.sections) - SECTIONS.keys():
        parser.error(f"there is no section {', '.join(sorted(unknown))}")
    run_under_shim("benchmarks.audit")
    report = Report("The audit log beside its peers")
    started = perf_counter()
    if not delay_is_settable():
        print("No C compiler: an fsync takes what it takes on this disk, and the delays cannot be set.")
    with working_folder() as folder:
        for name in options.sections or SECTIONS:
            report.part = name
            SECTIONS[name](report, folder, options)
    report.write(options.name)
    print(f"{perf_counter() - started:.0f} seconds")


if __name__ == "__main__":
    main()
