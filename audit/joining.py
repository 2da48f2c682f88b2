"""Checking a log by stretches, each by itself, and joining what was found of them into one verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from audit.checkpoint import Checkpoint
from audit.note import Verifier
from audit.replay import Replay
from audit.stored import Broken, LogSource, Stretch, VerificationReport
from audit.tiles import TILE_WIDTH

#: Entries that one process checks at a stretch where several share a log: whole tiles.
RANGE = TILE_WIDTH * 64


def check_stretch(
    source: LogSource, origin: str, verifiers: Sequence[Verifier], earlier: Sequence[Checkpoint], first: int, end: int
) -> Stretch:
    """Check entries `first` (a multiple of 256) to `end`, as one of several processes that share a log.

    Its finding counts if all the stretches before it are sound: they vouch for the tiles from which it began.
    """
    replay = Replay(source, origin, verifiers, [one for one in earlier if first <= one.size <= end])
    broken = None
    try:
        replay.begin_at(first)
        replay.run_stretch(end)
    except Broken as found:
        broken = (found.first, found.problem)
    return replay.stretch(first, end, broken)


def join_stretches(
    source: LogSource,
    origin: str,
    verifiers: Sequence[Verifier],
    earlier: Iterable[Checkpoint],
    stretches: Sequence[Stretch],
) -> VerificationReport:
    """The verdict on a log whose stretches were checked one by one, in order and without a gap, up to its size."""
    replay = Replay(source, origin, verifiers, list(earlier))

    def joined() -> None:
        for stretch in stretches:
            replay.join(stretch)
        replay.finish()
        replay.check_beside()

    return replay.verdict(joined)
