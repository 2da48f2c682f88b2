"""A list of people is read strictly; each mistake is named by its row and never repeats what stood there."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.services.bulk_lists import MAXIMUM_BYTES, MAXIMUM_ROWS, ListFault, ListRefused, RowFault, read_list
from tests.factories.people import JUHAN, MARY, some_people

CODES = (MARY.reveal(), JUHAN.reveal())


def _refusal(content: bytes) -> ListRefused:
    with pytest.raises(ListRefused) as caught:
        read_list(content)
    return caught.value


@pytest.mark.parametrize(
    "content",
    [
        "{0}\n{1}\n",
        "{0}\r\n{1}",
        "\ufeffisikukood\n{0}\n\n{1}\n\n",
        "code;name\n{0};Mari\n{1};Juhan\n",
        'code,name\n"{0}","Maasikas, Mari"\n EE{1} ,Juhan\n',
        "{0}\tMari\n{1}\tJuhan\n",
    ],
)
def test_the_first_column_is_read_whatever_stands_beside_it(content: str) -> None:
    assert read_list(content.format(*CODES).encode()) == [MARY, JUHAN]


def test_each_faulty_row_is_named_by_its_number_in_the_file() -> None:
    refusal = _refusal(f"code\n{CODES[0]}\n38001085719\n\n{CODES[0]}\nx\n".encode())
    assert [(row.row, row.fault, row.first) for row in refusal.rows] == [
        (3, RowFault.NO_CODE, None),
        (5, RowFault.REPEATED, 2),
        (6, RowFault.NO_CODE, None),
    ]
    assert "38001085719" not in repr((refusal, refusal.rows))


@pytest.mark.parametrize(
    "typed",
    [
        "".join(chr(ord(digit) + 0xFEE0) for digit in CODES[0]),
        "".join(chr(ord(digit) - 0x30 + 0x0660) for digit in CODES[0]),
        CODES[0][:5] + "\u200b" + CODES[0][5:],
        "\u202e" + CODES[0],
        "\u0415\u0415" + CODES[0],
    ],
    ids=["full-width", "Arabic-Indic", "zero-width space", "bidirectional mark", "Cyrillic prefix"],
)
def test_a_code_that_only_looks_like_one_is_a_faulty_row_and_nobody(typed: str) -> None:
    refusal = _refusal(f"code\n{CODES[1]}\n{typed}\n".encode())
    assert [(row.row, row.fault) for row in refusal.rows] == [(3, RowFault.NO_CODE)]


def test_of_many_faulty_rows_the_first_are_named_and_all_are_counted() -> None:
    refusal = _refusal(b"1\n" * 500)
    assert (len(refusal.rows), refusal.faulty) == (20, 500)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", ListFault.EMPTY),
        (b"code\n\n", ListFault.EMPTY),
        (b"\xff\xfe3\x008\x00", ListFault.NOT_TEXT),
        (b"PK\x03\x04 a spreadsheet", ListFault.NOT_TEXT),
        (gzip.compress(b"38001085718\n", mtime=0), ListFault.NOT_TEXT),
        (b"38001085718\n%PDF-1.7\nPK\x03\x04", ListFault.NOT_TEXT),
        ("38001085718\n".encode("utf-16"), ListFault.NOT_TEXT),
        ("38001085718\n".encode("utf-16-le"), ListFault.NOT_TEXT),
        ("38001085718\n".encode("utf-16-be"), ListFault.NOT_TEXT),
        (b"38001085718\x00\n", ListFault.NOT_TEXT),
        (b'"38001085718\n', ListFault.NOT_TEXT),
        (b"1" * (MAXIMUM_BYTES + 1), ListFault.TOO_LARGE),
        (b"38001085718\n" * (MAXIMUM_ROWS + 1), ListFault.TOO_MANY),
    ],
)
def test_a_file_that_is_no_list_is_refused_whole(content: bytes, fault: ListFault) -> None:
    assert _refusal(content).fault is fault


def test_the_longest_list_is_taken() -> None:
    people = some_people(900)
    assert read_list("\n".join(code.reveal() for code in people).encode()) == people


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_whatever_the_file_holds_it_is_a_list_of_different_people_or_refused(content: bytes) -> None:
    try:
        people = read_list(content)
    except ListRefused:
        return
    assert len(set(people)) == len(people) > 0
