"""Whether leaves follow on from those before them, decided for many at once by comparing each with what it must be."""

from __future__ import annotations

import hashlib
import re
from binascii import hexlify
from collections.abc import Sequence
from itertools import groupby

from audit.entry import MAX_INTEGER

_SOURCE = re.compile(rb"[a-z][a-z0-9-]{0,63}")
_HEX = b"0123456789abcdef"
#: What a leaf is split into at its last eight quotes: all before the source, the source, `source_seq`, and so on.
_PARTS = 9

Followed = tuple[list[bytes], int, dict[str, int], dict[str, tuple[int, int]] | None]


def follow(
    leaves: list[bytes],
    origin: str,
    seq: int,
    prev: bytes,
    time_ms: int,
    sources: dict[str, int],
    first_of: dict[str, tuple[int, int]] | None,
) -> Followed | None:
    """The hashes of leaves that follow on from entry `seq`-1, and the state behind them; None where one does not.

    Each leaf is written anew from the few parts that may differ, and compared as a whole: whatever was taken for a
    part, no byte of a leaf goes unseen. Column by column, since a loop over the leaves takes twice as long.
    """
    if not leaves:
        return [], time_ms, sources, first_of
    columns = list(zip(*(leaf.rsplit(b'"', _PARTS - 1) for leaf in leaves), strict=False))
    if len(columns) < _PARTS or seq + len(leaves) > MAX_INTEGER:
        return None
    named, reports, times = columns[1], columns[4], columns[6]
    newest = _newest(times, time_ms)
    counted = _counted(named, reports, seq, sources, first_of)
    if newest is None or counted is None:
        return None
    numbers, sources, first_of = counted
    sha256 = hashlib.sha256
    hashes = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    commitments, labels = [leaf[15:79] for leaf in leaves], [leaf[90:154] for leaf in leaves]
    must_be = (
        b'{"commitment":"%%b","label":"%%b","log":"%b","prev":"%%b","seq":%%d,"source":"%%b","source_seq":%%d,'
        b'"time_ms"%%b"version":1}' % origin.replace("%", "%%").encode()
    )
    seqs, prevs = range(seq, seq + len(leaves)), map(hexlify, [prev, *hashes[:-1]])
    parts = zip(commitments, labels, prevs, seqs, named, numbers, times, strict=True)
    if list(map(must_be.__mod__, parts)) != leaves or b"".join(commitments + labels).translate(None, _HEX):
        return None
    return hashes, newest, sources, first_of


def _newest(times: Sequence[bytes], time_ms: int) -> int | None:
    """The last of these times; None where one is no time, or earlier than the one before it."""
    for text, _ in groupby(times):
        given = _integer(text)
        if given is None or given < time_ms:
            return None
        time_ms = given
    return time_ms


def _counted(
    named: Sequence[bytes],
    reports: Sequence[bytes],
    seq: int,
    sources: dict[str, int],
    first_of: dict[str, tuple[int, int]] | None,
) -> tuple[Sequence[int], dict[str, int], dict[str, tuple[int, int]] | None] | None:
    """The number that each report must have in its source, and the state behind them."""
    following: dict[bytes, int] = {}
    first_of = None if first_of is None else dict(first_of)
    for source in set(named):
        if _SOURCE.fullmatch(source) is None:
            return None
        name = source.decode("ascii")
        number = sources.get(name)
        if number is None and first_of is not None:
            at = named.index(source)
            number = _integer(reports[at])  # what it says itself: the reports before are not known here
            if number is None:
                return None
            first_of[name] = (seq + at, number)
        following[source] = number or 0
    if max(following.values()) + len(named) > MAX_INTEGER:
        return None
    numbers: Sequence[int]
    if len(following) == 1:
        start = following[named[0]]
        numbers = range(start, start + len(named))
        following[named[0]] = start + len(named)
    else:
        numbers = many = []
        for source in named:
            many.append(following[source])
            following[source] += 1
    return numbers, sources | {source.decode("ascii"): number for source, number in following.items()}, first_of


def _integer(text: bytes) -> int | None:
    """A member's number with its colon and comma, as canonical JSON writes it; None for anything else."""
    digits = text[1:-1]
    if not digits.isdigit() or len(digits) > 16 or (number := int(digits)) > MAX_INTEGER or text != b":%d," % number:
        return None
    return number
