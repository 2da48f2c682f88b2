"""Which files are taken: by name and content together, and none that is two things at once."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.attachments import (
    ENDINGS,
    LARGEST_FILE,
    LONGEST_NAME,
    AttachmentKind,
    FileFault,
    FileRefused,
    tidy_name,
    told_apart,
)
from portal.services.attachments.judging import judged
from portal.services.attachments.pictures import jpeg_without_metadata, png_without_metadata
from tests.factories.files import WHERE, archive, chunk, jpeg, pdf, png, segment

TEXT = "Tere! Õhtul käis naaber. Привет.\r\n\tTeine rida.".encode()


def fault_of(name: str, content: bytes) -> FileFault | None:
    try:
        stream = io.BytesIO(content)
        kind = judged(name, stream)
        cleaned = {AttachmentKind.PNG: png_without_metadata, AttachmentKind.JPEG: jpeg_without_metadata}.get(kind)
        if cleaned is not None:
            b"".join(cleaned(stream))
    except FileRefused as refused:
        return refused.fault
    return None


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("letter.pdf", pdf(), AttachmentKind.PDF),
        ("LETTER.PDF", pdf(), AttachmentKind.PDF),
        ("screen.png", png(), AttachmentKind.PNG),
        ("photo.jpg", jpeg(), AttachmentKind.JPEG),
        ("photo.JPEG", jpeg(), AttachmentKind.JPEG),
        ("notes.txt", TEXT, AttachmentKind.TEXT),
        ("notes.txt", b"\xef\xbb\xbf" + TEXT, AttachmentKind.TEXT),
    ],
)
def test_what_its_name_and_content_both_say_is_taken(name: str, content: bytes, kind: AttachmentKind) -> None:
    assert judged(name, io.BytesIO(content)) is kind
    assert fault_of(name, content) is None


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("letter.pdf", b"", FileFault.EMPTY),
        ("letter.pdf", pdf() + b"\n" * LARGEST_FILE, FileFault.TOO_LARGE),
        ("letter.docx", archive(), FileFault.KIND),
        ("letter.zip", archive(), FileFault.KIND),
        ("run.exe", b"MZ\x90\0\x03", FileFault.KIND),
        ("page.html", b"<html></html>", FileFault.KIND),
        ("picture.svg", b"<svg onload='alert(1)'/>", FileFault.KIND),
        ("letter.pdf.exe", pdf(), FileFault.KIND),
        ("letter", pdf(), FileFault.KIND),
        ("letter.pdf\0.exe", pdf(), FileFault.KIND),
        ("photo.png", jpeg(), FileFault.MISMATCH),
        ("letter.pdf", b"\x7fELF\x02\x01\x01", FileFault.MISMATCH),
        ("letter.pdf", b" " + pdf(), FileFault.MISMATCH),
        ("letter.txt", b"MZ\x90\0\x03\0\0\0", FileFault.MISMATCH),
        ("letter.txt", "Tere".encode("utf-16"), FileFault.MISMATCH),
        ("letter.txt", b"Tere \xf5htu", FileFault.MISMATCH),
        ("letter.txt", b"Tere\x1b[2J", FileFault.MISMATCH),
        ("letter.txt", b"<svg xmlns='http://www.w3.org/2000/svg'/>", FileFault.MIXED),
        ("letter.txt", b"\xef\xbb\xbf \n<?xml version='1.0'?>", FileFault.MIXED),
        ("letter.txt", b"#!/bin/sh\nrm -r /", FileFault.MIXED),
        ("letter.txt", b"Hello <SCRIPT>alert(1)</SCRIPT>", FileFault.MIXED),
        ("letter.pdf", pdf(behind=archive()), FileFault.MIXED),
        ("letter.pdf", pdf(inside=archive()), FileFault.MIXED),
        ("letter.pdf", pdf(behind=b"MZ\x90"), FileFault.MIXED),
        ("letter.pdf", b"%PDF-1.7\n<html><script>alert(1)</script>" + pdf()[9:], FileFault.MIXED),
        ("letter.pdf", pdf(inside=b"3 0 obj << /S /JavaScript /JS (app.alert) >> endobj\n"), FileFault.ACTIVE),
        ("letter.pdf", pdf(inside=b"\0" * 65530 + b"<< /Type /EmbeddedFile >>"), FileFault.ACTIVE),
        ("letter.pdf", pdf()[:60], FileFault.DAMAGED),
        ("photo.png", png(behind=archive()), FileFault.MIXED),
        ("photo.png", png(behind=b"<script>"), FileFault.MIXED),
        ("photo.png", png()[:-3], FileFault.DAMAGED),
        ("photo.png", png().replace(b"IDAT", b"IDAX"), FileFault.DAMAGED),
        ("photo.png", png(more=chunk(b"XXXX", b"?")), FileFault.DAMAGED),
        ("photo.png", png(width=100_000, height=100_000), FileFault.TOO_MANY_PIXELS),
        ("photo.jpg", jpeg(behind=archive()), FileFault.MIXED),
        ("photo.jpg", jpeg(behind=pdf()), FileFault.MIXED),
        ("photo.jpg", jpeg()[:-2], FileFault.DAMAGED),
        ("photo.jpg", jpeg()[:40], FileFault.DAMAGED),
        ("photo.jpg", b"\xff\xd8\xff\xd9", FileFault.DAMAGED),
        ("photo.jpg", jpeg(width=65_000, height=65_000), FileFault.TOO_MANY_PIXELS),
    ],
)
def test_what_is_not_taken_is_refused_for_its_reason(name: str, content: bytes, fault: FileFault) -> None:
    assert fault_of(name, content) is fault


def test_a_picture_goes_on_without_where_it_was_taken() -> None:
    for content, cleaned in ((png(), png_without_metadata), (jpeg(), jpeg_without_metadata)):
        assert WHERE in content
        clean = b"".join(cleaned(io.BytesIO(content)))
        assert WHERE not in clean
        assert b"".join(cleaned(io.BytesIO(clean))) == clean


@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
def test_which_way_up_a_photograph_is_stays(orientation: int) -> None:
    clean = b"".join(jpeg_without_metadata(io.BytesIO(jpeg(orientation))))
    assert b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) in clean


@pytest.mark.parametrize("orientation", [0, 1, 9, 65535])
def test_an_orientation_that_says_nothing_is_not_kept(orientation: int) -> None:
    assert b"Exif" not in b"".join(jpeg_without_metadata(io.BytesIO(jpeg(orientation))))


def test_a_program_in_a_pictures_own_segments_does_not_go_on() -> None:
    program = b"MZ-a-program"
    assert program not in b"".join(jpeg_without_metadata(io.BytesIO(jpeg(more=segment(0xED, program)))))
    assert program not in b"".join(png_without_metadata(io.BytesIO(png(more=chunk(b"prIv", program)))))


def test_the_smaller_picture_that_a_phone_puts_behind_is_left_out() -> None:
    assert b"".join(jpeg_without_metadata(io.BytesIO(jpeg(behind=jpeg())))) == b"".join(
        jpeg_without_metadata(io.BytesIO(jpeg()))
    )


@given(st.binary(max_size=400), st.sampled_from(["a.pdf", "a.png", "a.jpg", "a.txt"]), st.booleans())
def test_any_bytes_get_an_answer(content: bytes, name: str, begins_well: bool) -> None:
    heads = {"a.pdf": b"%PDF-1.7\n", "a.png": png()[:33], "a.jpg": jpeg()[:60], "a.txt": b""}
    fault_of(name, (heads[name] if begins_well else b"") + content)


@pytest.mark.parametrize(
    ("name", "tidy"),
    [
        ("kiri.pdf", "kiri.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\Mari\\kiri.pdf", "kiri.pdf"),
        ("arve.exe.pdf", "arve_exe.pdf"),
        ("\u202efdp.exe.pdf", "fdp_exe.pdf"),
        ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie_ x_1.pdf"),
        ('"quoted";.pdf', "quoted.pdf"),
        ("Õunad ja ёлка (2).PDF", "Õunad ja ёлка (2).pdf"),
        (".pdf", "file.pdf"),
        ("CON.pdf", "file CON.pdf"),
        ("=cmd|'/c calc'!A1.pdf", "c calc__A1.pdf"),
    ],
)
def test_names_are_neutral(name: str, tidy: str) -> None:
    assert tidy_name(name, AttachmentKind.PDF) == tidy


@given(st.text(max_size=300), st.sampled_from(AttachmentKind))
def test_any_name_becomes_a_short_plain_one(name: str, kind: AttachmentKind) -> None:
    tidy = tidy_name(name, kind)
    assert len(tidy) <= LONGEST_NAME
    assert tidy.endswith(ENDINGS[kind][0])
    assert tidy.count(".") == 1
    assert tidy.isprintable()
    assert not set(tidy) & set("/\\:;\"'<>|?*\r\n\0%")


def test_two_files_of_one_name_are_told_apart() -> None:
    assert told_apart(["a.pdf", "a.pdf", "b.pdf", "a.pdf"]) == ["a.pdf", "a (2).pdf", "b.pdf", "a (3).pdf"]
