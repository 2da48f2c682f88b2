"""What a file is, by its name and its content together; what the browser calls it counts for nothing (ASVS 5.2.2).

A file that could be read as two kinds is refused, since whoever opens it may take the other one. What a PDF hides in
compressed parts is the scanner's to find, and what is sent out again is for saving and never runs in the portal.
"""

from __future__ import annotations

import codecs
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from portal.domain.attachments import LARGEST_FILE, AttachmentKind, FileFault, FileRefused, kind_of_name

PIECE = 64 * 1024
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"
_PDF_SIGNATURES = (b"%PDF-1.", b"%PDF-2.")
#: A program that guesses reads so far for signs of another kind.
_GUESSED = 4096
_MARKUP = (b"<html", b"<script", b"<svg", b"<!doctype", b"<?xml", b"<?php", b"<iframe", b"<body", b"<%@")
_BYTE_ORDER_MARK = "\ufeff"
_END_OF_PDF = b"%%EOF"
#: Long enough that no compressed picture holds them by chance.
_ACTIVE_IN_PDF = (b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/RichMedia")
_PLAIN_CONTROLS = frozenset("\t\n\r\f")


def judged(name: str, stream: BinaryIO) -> AttachmentKind:
    """The kind of the file. Pictures are looked through whole only when they are cleaned. Raises FileRefused."""
    size = stream.seek(0, 2)
    if size == 0:
        raise FileRefused(FileFault.EMPTY)
    if size > LARGEST_FILE:
        raise FileRefused(FileFault.TOO_LARGE)
    head = _read(stream, 0, _GUESSED)
    found, said = _kind_of_content(head), kind_of_name(name)
    if said is None:
        raise FileRefused(FileFault.KIND)
    if found is not said:
        raise FileRefused(FileFault.MISMATCH)
    if zipfile.is_zipfile(stream):
        raise FileRefused(FileFault.MIXED)
    if found in {AttachmentKind.PDF, AttachmentKind.TEXT} and any(mark in head.lower() for mark in _MARKUP):
        raise FileRefused(FileFault.MIXED)
    if found is AttachmentKind.PDF:
        _refuse_a_bad_pdf(stream, size)
    elif found is AttachmentKind.TEXT:
        _refuse_what_is_no_text(stream)
    return found


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """The whole file from its beginning, piece by piece."""
    stream.seek(0)
    while piece := stream.read(PIECE):
        yield piece


def _kind_of_content(head: bytes) -> AttachmentKind:
    if head.startswith(_PDF_SIGNATURES):
        return AttachmentKind.PDF
    if head.startswith(PNG_SIGNATURE):
        return AttachmentKind.PNG
    return AttachmentKind.JPEG if head.startswith(JPEG_SIGNATURE) else AttachmentKind.TEXT


def _refuse_a_bad_pdf(stream: BinaryIO, size: int) -> None:
    """Nothing stands behind its end but white space, and nothing in it starts by itself."""
    tail = _read(stream, max(0, size - 1024), 1024)
    _before, found, after = tail.rpartition(_END_OF_PDF)
    if not found:
        raise FileRefused(FileFault.DAMAGED)
    if after.strip(b"\r\n \t\0"):
        raise FileRefused(FileFault.MIXED)
    longest = max(map(len, _ACTIVE_IN_PDF))
    carried = b""
    for piece in pieces(stream):
        window = carried + piece
        if any(name in window for name in _ACTIVE_IN_PDF):
            raise FileRefused(FileFault.ACTIVE)
        carried = window[-longest:]


def _refuse_what_is_no_text(stream: BinaryIO) -> None:
    """UTF-8 without control characters. A text that begins as a script or as markup does is not plain."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_first = True
    try:
        for piece in pieces(stream):
            text = decoder.decode(piece)
            if is_first and text.removeprefix(_BYTE_ORDER_MARK).lstrip().startswith(("<", "#!", "%PDF", "{\\rtf")):
                raise FileRefused(FileFault.MIXED)
            is_first = False
            if any(ord(character) < 32 and character not in _PLAIN_CONTROLS for character in set(text)):
                raise FileRefused(FileFault.MISMATCH)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise FileRefused(FileFault.MISMATCH) from None


def _read(stream: BinaryIO, start: int, length: int) -> bytes:
    stream.seek(start)
    return stream.read(length)
