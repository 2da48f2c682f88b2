"""Verifying a log from a trusted checkpoint on: what lies before it was verified once, and it vouches for that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from audit.checkpoint import Checkpoint
from audit.note import Verifier
from audit.replay import Replay
from audit.stored import Broken, LogSource, VerificationReport
from audit.tiles import TILE_WIDTH

#: Entries between two looks at the progress.
_STEP = TILE_WIDTH * 16


def verify_onward(
    source: LogSource,
    origin: str,
    verifiers: Sequence[Verifier],
    trusted: Checkpoint,
    *,
    earlier: Iterable[Checkpoint] = (),
    progress: Callable[[int, int], None] | None = None,
) -> VerificationReport:
    """Replay the entries from the tile on in which `trusted` ends; the tiles before must make its root.

    The entries and bodies before are not read: that they are what the tiles say was found when `trusted` was verified.
    The first broken entry is named where it lies in what was replayed; a change of the tiles before is found by the
    root, and named as lying before. For the rest as `verify_log`.
    """
    replay = Replay(source, origin, verifiers, [trusted, *(one for one in earlier if one.size >= trusted.size)])
    return replay.verdict(lambda: _replay_from(replay, source.head()[0], trusted, progress))


def _replay_from(
    replay: Replay, claimed: int, trusted: Checkpoint, progress: Callable[[int, int], None] | None
) -> None:
    if claimed < trusted.size:
        raise Broken(claimed, f"{trusted.size} entries were signed for; those from {claimed} on are missing")
    first = trusted.size - trusted.size % TILE_WIDTH
    replay.begin_at(first)
    if first == trusted.size and replay.root != trusted.root:
        raise Broken(0, f"the tiles over the first {first} entries do not make the tree of the trusted checkpoint")
    while replay.size < claimed:
        replay.run_stretch(min(claimed, replay.size + _STEP))
        if progress is not None:
            progress(replay.size - first, claimed - first)
    replay.trust_silent_sources()
    replay.finish()
