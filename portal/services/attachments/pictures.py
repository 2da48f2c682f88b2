"""Pictures without what a camera writes beside them: where and when it was taken, with what, by whom.

A picture is read segment by segment and written anew with those alone that it needs to be seen, so nothing that hides
between or behind them goes on. Formats: PNG (ISO/IEC 15948), JPEG (ITU-T T.81), orientation (Exif 2.32, tag 0x0112).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from portal.domain.attachments import MOST_PIXELS, FileFault, FileRefused
from portal.services.attachments.judging import JPEG_SIGNATURE, PNG_SIGNATURE

#: What a PNG is seen by: its size, colours, transparency and pixels.
_PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs"}
)
_SOI, _EOI, _SOS, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: JFIF's density, and Adobe's way of storing colours.
_APPLICATIONS_KEPT = frozenset({0xE0, 0xEE})
_EXIF = b"Exif\0\0"
_ORIENTATION, _SHORT = 0x0112, 3


def png_without_metadata(stream: BinaryIO) -> Iterator[bytes]:
    """Raises FileRefused: damaged, too large to be opened, or something stands behind its end."""
    stream.seek(0)
    if stream.read(len(PNG_SIGNATURE)) != PNG_SIGNATURE:
        raise FileRefused(FileFault.DAMAGED)
    yield PNG_SIGNATURE
    name, is_first = b"", True
    while name != b"IEND":
        head = _exactly(stream, 8)
        length, name = struct.unpack(">I4s", head)
        content = _exactly(stream, length)
        check = _exactly(stream, 4)
        if zlib.crc32(content, zlib.crc32(name)) != struct.unpack(">I", check)[0] or is_first != (name == b"IHDR"):
            raise FileRefused(FileFault.DAMAGED)
        if is_first:
            if length != 13:
                raise FileRefused(FileFault.DAMAGED)
            _refuse_too_many_pixels(*struct.unpack(">II", content[:8]))
            is_first = False
        if name in _PNG_KEPT:
            yield head + content + check
        elif not name[0] & 0x20:  # a critical chunk that nobody knows (section 5.4)
            raise FileRefused(FileFault.DAMAGED)
    if stream.read(1):
        raise FileRefused(FileFault.MIXED)


def jpeg_without_metadata(stream: BinaryIO) -> Iterator[bytes]:
    """Which way up it is stays, since a letter that lies on its side is hard to read. Raises as for PNG.

    A smaller picture behind the first, as phones write it, is left out; anything else there is a reason to refuse.
    """
    stream.seek(0)
    data = stream.read()
    yield data[:2]
    position, has_frame, has_pixels = 2, False, False
    while True:
        marker, position = _marker(data, position)
        if marker == _EOI:
            break
        if marker in _ALONE:
            yield bytes((0xFF, marker))
            continue
        segment, position = _segment(data, position)
        if marker in _FRAMES:
            has_frame = True
            if len(segment) < 6:
                raise FileRefused(FileFault.DAMAGED)
            _refuse_too_many_pixels(*struct.unpack(">HH", segment[1:5]))
        yield from _kept(marker, segment)
        if marker == _SOS:
            has_pixels = True
            end = _end_of_pixels(data, position)
            yield data[position:end]
            position = end
    if not (has_frame and has_pixels):
        raise FileRefused(FileFault.DAMAGED)
    yield bytes((0xFF, _EOI))
    behind = data[position:].strip(b"\0")
    if behind and not behind.startswith(JPEG_SIGNATURE):
        raise FileRefused(FileFault.MIXED)


def _kept(marker: int, segment: bytes) -> Iterator[bytes]:
    """The segment as it goes on: whole, as its orientation alone, or not at all."""
    if 0xE0 <= marker <= 0xEF and marker not in _APPLICATIONS_KEPT:
        orientation = _orientation(segment) if segment.startswith(_EXIF) else 1
        if 2 <= orientation <= 8:
            entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, orientation, 0)
            content = _EXIF + b"MM\0*" + struct.pack(">IH", 8, 1) + entry + b"\0\0\0\0"
            yield b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    elif marker != _COMMENT:
        yield bytes((0xFF, marker)) + struct.pack(">H", len(segment) + 2) + segment


def _orientation(segment: bytes) -> int:
    """1, the usual one, where it is not said or cannot be read."""
    tiff = segment[len(_EXIF) :]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, start)
        for number in range(min(entries, 200)):
            tag, kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * number)
            if (tag, kind) == (_ORIENTATION, _SHORT):
                return int(value)
    except struct.error:
        return 1
    return 1


def _marker(data: bytes, position: int) -> tuple[int, int]:
    if data[position : position + 1] != b"\xff":
        raise FileRefused(FileFault.DAMAGED)
    while data[position : position + 1] == b"\xff":
        position += 1
    if position >= len(data) or data[position] in {0, _SOI}:
        raise FileRefused(FileFault.DAMAGED)
    return data[position], position + 1


def _segment(data: bytes, position: int) -> tuple[bytes, int]:
    length = int.from_bytes(data[position : position + 2], "big")
    segment = data[position + 2 : position + length]
    if length < 2 or len(segment) != length - 2:
        raise FileRefused(FileFault.DAMAGED)
    return segment, position + length


def _end_of_pixels(data: bytes, position: int) -> int:
    """Where the next marker stands: 0xFF followed by neither a stuffed zero nor a restart (section B.1.1)."""
    while True:
        position = data.find(b"\xff", position)
        if position < 0 or position + 1 >= len(data):
            raise FileRefused(FileFault.DAMAGED)
        after = data[position + 1]
        if after not in {0x00, 0xFF} and not 0xD0 <= after <= 0xD7:
            return position
        position += 1 if after == 0xFF else 2


def _refuse_too_many_pixels(one_side: int, other_side: int) -> None:
    if one_side * other_side > MOST_PIXELS:
        raise FileRefused(FileFault.TOO_MANY_PIXELS)


def _exactly(stream: BinaryIO, length: int) -> bytes:
    content = stream.read(length)
    if len(content) != length:
        raise FileRefused(FileFault.DAMAGED)
    return content
