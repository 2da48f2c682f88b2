"""Reading: proofs, verification, and what it all takes up."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pymerkle

from audit.keys import load_signer
from audit.log import open_log, verify_store
from audit.merkle import inclusion_proof
from audit.store import Store, TileNodes
from benchmarks.figures import Ratio, Report, interleaved, micro, per_second
from benchmarks.logs import accesses, settings_at
from benchmarks.peers import digest_of_leaves

SMALL, PEERS = 10_000, 100_000
BATCH = 1_000


def reading(report: Report, folder: Path, options: argparse.Namespace) -> None:
    """All that is read of a small log and of a large one, which takes longest to make."""
    small, large = _grown(folder / "small", SMALL), _grown(folder / "large", options.entries)
    _proofs(report, folder, small, large, options)
    _verification(report, small, large, options)
    _storage(report, large, options.entries)


def _grown(folder: Path, size: int) -> str:
    """The URL of a log of so many entries, appended in batches of 1,000."""
    url = f"sqlite:///{folder.parent / folder.name}.db"
    log = open_log(settings_at(url, folder))
    for start in range(0, size, BATCH):
        log.append_all(accesses(start, BATCH))
    log.close()
    return url


def _proofs(report: Report, folder: Path, small: str, large: str, options: argparse.Namespace) -> None:
    chance = random.Random(4711)
    tree = pymerkle.SqliteTree(str(folder / "pymerkle.db"), algorithm="sha256")
    tree.append_entries([number.to_bytes(8, "big") for number in range(PEERS)])

    def ours(url: str, size: int, count: int = 200) -> float:
        store = Store(url)
        with store.reading() as connection:
            started = perf_counter()
            for _ in range(count):
                inclusion_proof(chance.randrange(size), size, TileNodes(connection).node)
            spent = (perf_counter() - started) / count
        store.close()
        return spent

    def theirs(count: int = 5) -> float:
        started = perf_counter()
        for _ in range(count):
            tree.prove_inclusion(chance.randrange(PEERS) + 1, PEERS)
        return (perf_counter() - started) / count

    found = interleaved(
        options.rounds,
        {
            f"log of {SMALL:,}": lambda: ours(small, SMALL),
            f"log of {options.entries:,}": lambda: ours(large, options.entries),
            f"pymerkle's SQLite tree of {PEERS:,}": theirs,
        },
    )
    of_small, of_large, of_peer = found.values()
    report.add(
        "Inclusion proofs, each read from the database",
        {name: micro(value) for name, value in found.items()},
        [
            Ratio(f"a proof at {options.entries:,} over one at {SMALL:,}", of_large / of_small, at_most=1.2),
            Ratio(f"pymerkle at {PEERS:,} over the log at {options.entries:,}", of_peer / of_large, at_least=20.0),
        ],
    )


def _verification(report: Report, small: str, large: str, options: argparse.Namespace) -> None:
    def bare() -> float:
        started = perf_counter()
        count, _ = digest_of_leaves(large)
        return count / (perf_counter() - started)

    memory: dict[str, int] = {}

    def verified(url: str, size: int, jobs: int) -> float:
        said = subprocess.run(
            [
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "benchmarks.reading",
                url,
                url.removeprefix("sqlite:///")[:-3],
                str(jobs),
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        memory[f"{size:,} entries, {jobs} processes"] = int(said[1])
        return size / float(said[0])

    found = interleaved(
        max(1, options.rounds // 2),
        {
            "SHA-256 over the same leaves, and reading them": bare,
            "verify --jobs 1": lambda: verified(large, options.entries, 1),
            "verify --jobs 2": lambda: verified(large, options.entries, 2),
            f"verify --jobs 1, of {SMALL:,}": lambda: verified(small, SMALL, 1),
        },
    )
    floor, alone, both, _ = found.values()
    figures = {name: per_second(value) for name, value in found.items()}
    figures |= {f"memory at its highest, {name}": f"{size / 1024:,.0f} MB" for name, size in memory.items()}
    report.add(
        f"Verification of {options.entries:,} entries without the master key",
        figures,
        [
            Ratio("verification on two cores over bare SHA-256 and reading", both / floor, at_least=0.4),
            Ratio("verification on one core over bare SHA-256 and reading", alone / floor),
            Ratio("two processes over one", both / alone),
        ],
    )


def _storage(report: Report, large: str, entries: int) -> None:
    size = Path(large.removeprefix("sqlite:///")).stat().st_size
    store = Store(large)
    with store.reading() as connection:
        sums = connection.exec_driver_sql(
            "SELECT (SELECT avg(length(leaf)) FROM entries WHERE seq < 1000),"
            " (SELECT avg(length(sealed)) FROM bodies WHERE seq < 1000)"
        ).one()
    store.close()
    leaf, sealed = float(sums[0]), float(sums[1])
    body = sealed - 12 - 16 - 32 - 8  # nonce, tag, secret and count
    report.add(
        "Storage on SQLite",
        {
            "the body of an entry": f"{body:,.0f} bytes",
            "sealed": f"{sealed:,.0f} bytes",
            "its leaf": f"{leaf:,.0f} bytes",
            "all in all, with tiles, indexes and free space": f"{size / entries:,.0f} bytes for each entry",
        },
        [Ratio("all in all over the body", size / entries / body)],
    )


def _verify_alone(url: str, keys: str, jobs: int) -> None:
    """Seconds, and the highest memory of this process and of each that it started, in kilobytes."""
    import resource

    verifier = load_signer(Path(keys) / "log.key").verifier()
    started = perf_counter()
    report = verify_store(url, [verifier], None, jobs=jobs)
    spent = perf_counter() - started
    if not report.ok:
        raise RuntimeError(report.problem)
    highest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(spent, highest)


if __name__ == "__main__":
    _verify_alone(sys.argv[1], sys.argv[2], int(sys.argv[3]))
