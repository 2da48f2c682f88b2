"""Whether leaves follow on from those before them, decided for many at once by comparing each with what it must be."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from audit.entry import MAX_INTEGER

_SOURCE = re.compile(rb"[a-z][a-z0-9-]{0,63}")
_HEX = b"0123456789abcdef"


def follow(
    leaves: Sequence[bytes],
    origin: str,
    seq: int,
    prev: bytes,
    time_ms: int,
    sources: dict[str, int],
    first_of: dict[str, tuple[int, int]] | None,
) -> tuple[list[bytes], int, dict[str, int], dict[str, tuple[int, int]] | None] | None:
    """The hashes of leaves that follow on from entry `seq`-1, and the state behind them; None where one does not.

    A leaf's first four members have a fixed length, so that only the source and the time have to be looked for.
    """
    sha256 = hashlib.sha256
    sources, first_of = dict(sources), None if first_of is None else dict(first_of)
    names: dict[bytes, str] = {source.encode(): source for source in sources}
    before_prev = f'","log":"{origin}","prev":"'.encode()
    hashes: list[bytes] = []
    digits: list[bytes] = []
    time_text: bytes | None = None
    for leaf in leaves:
        place = before_prev + prev.hex().encode() + b'","seq":%d,"source":"' % seq
        source, _, numbers = leaf[154 + len(place) :].partition(b'","source_seq":')
        number, _, rest = numbers.partition(b',"time_ms":')
        if (
            leaf[:15] != b'{"commitment":"'
            or leaf[79:90] != b'","label":"'
            or leaf[154 : 154 + len(place)] != place
            or rest[-13:] != b',"version":1}'
        ):
            return None
        name = names.get(source)
        if name is None:
            if _SOURCE.fullmatch(source) is None:
                return None
            name = names[source] = source.decode("ascii")
            if first_of is not None and (given := _integer(number)) is not None:
                first_of[name] = (seq, given)
                sources[name] = given
        expected = sources.get(name, 0)
        if number != b"%d" % expected:
            return None
        sources[name] = expected + 1
        if rest[:-13] != time_text:
            time_text = rest[:-13]
            given_time = _integer(time_text)
            if given_time is None or given_time < time_ms:
                return None
            time_ms = given_time
        digits += (leaf[15:79], leaf[90:154])
        prev = sha256(b"\x00" + leaf).digest()
        hashes.append(prev)
        seq += 1
    if seq > MAX_INTEGER or b"".join(digits).translate(None, _HEX):
        return None
    return hashes, time_ms, sources, first_of


def _integer(text: bytes) -> int | None:
    """A number as canonical JSON writes it, within what a leaf may hold; None for anything else."""
    if not text.isdigit() or len(text) > 16 or text != b"%d" % (number := int(text)) or number > MAX_INTEGER:
        return None
    return number
