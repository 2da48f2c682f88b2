"""Small files of each kind that is taken, made byte by byte."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

WHERE = b"59.4370N 24.7536E"


def pdf(inside: bytes = b"", *, behind: bytes = b"") -> bytes:
    objects = (
        b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n"
    )
    start = len(b"%PDF-1.7\n" + objects + inside)
    trailer = b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 3 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start
    return b"%PDF-1.7\n" + objects + inside + trailer + behind


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(name)))


def png(width: int = 2, height: int = 2, *, more: bytes = b"", behind: bytes = b"") -> bytes:
    """With the place where it was taken, in a text chunk and as Exif."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\x20\x40\x80" * 2) * 2)
    notes = chunk(b"tEXt", b"Place\0" + WHERE) + chunk(b"eXIf", b"MM\0*" + WHERE)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + notes
        + more
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
        + behind
    )


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def exif(orientation: int) -> bytes:
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    place = struct.pack("<HHII", 0x9286, 2, len(WHERE), 38)
    return segment(0xE1, b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + entry + place + b"\0\0\0\0" + WHERE)


def jpeg(orientation: int = 6, *, width: int = 8, height: int = 8, more: bytes = b"", behind: bytes = b"") -> bytes:
    """With the place where it was taken; which way up it is stands beside that."""
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    return (
        b"\xff\xd8"
        + segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
        + exif(orientation)
        + segment(0xFE, WHERE)
        + more
        + segment(0xDB, b"\0" + b"\x10" * 64)
        + segment(0xC0, frame)
        + segment(0xC4, b"\0" + b"\x01" + b"\0" * 15 + b"\x05")
        + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00")
        + b"\x12\xff\x00\x34\xff\xd0\x56"
        + b"\xff\xd9"
        + behind
    )


def archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("run.js", "alert(1)")
    return made.getvalue()
