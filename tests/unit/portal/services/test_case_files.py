"""A file of cases is read whole or refused whole, whatever lies in it, and no refusal repeats what stood there."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.services.case_files import COLUMNS, MOST_ROWS, CaseFileRefused, FileProblem, read_cases

HEADER = ",".join(COLUMNS) + "\n"
ROW = "SKA-1,Benefit,benefit-claim,social-insurance-board,,2026-03-02,,38001085718,37605030299\n"
GOOD = (HEADER + ROW).encode()


def _refusal(content: bytes) -> CaseFileRefused:
    with pytest.raises(CaseFileRefused) as caught:
        read_cases(content)
    return caught.value


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", FileProblem.EMPTY),
        (b"\xef\xbb\xbf", FileProblem.EMPTY),
        (b"\r\n\r\n", FileProblem.EMPTY),
        (HEADER.encode(), FileProblem.EMPTY),
        (GOOD.decode().encode("utf-16"), FileProblem.NOT_UTF8),
        (GOOD.decode().encode("utf-16-le"), FileProblem.NOT_CSV),
        (GOOD.replace(b"Benefit", "Hüvitis".encode("latin-1")), FileProblem.NOT_UTF8),
        (gzip.compress(GOOD, mtime=0), FileProblem.NOT_UTF8),
        (b"PK\x03\x04" + GOOD, FileProblem.COLUMN_MISSING),
        (GOOD + b"PK\x03\x04\x00\x00", FileProblem.NOT_CSV),
        (GOOD.replace(b"SKA-1", b"SKA\x00-1"), FileProblem.NOT_CSV),
        (b"<html><script>alert(1)</script></html>\n" + GOOD, FileProblem.COLUMN_MISSING),
        (GOOD.replace(b"Benefit", b'"Benefit'), FileProblem.NOT_CSV),
        (GOOD.replace(b"Benefit", b"x" * 1_000_000), FileProblem.NOT_CSV),
        (GOOD.replace(b"reference", b"reference,reference", 1), FileProblem.COLUMN_TWICE),
        (GOOD.replace(b"reference", b"Reference,REFERENCE", 1), FileProblem.COLUMN_TWICE),
        (GOOD.replace(b"subjects", b"people", 1), FileProblem.COLUMN_MISSING),
        ((HEADER + ROW * (MOST_ROWS + 1)).encode(), FileProblem.TOO_MANY_ROWS),
    ],
)
def test_what_is_no_file_of_cases_is_refused_whole(content: bytes, problem: FileProblem) -> None:
    refusal = _refusal(content)
    assert refusal.problem is problem
    assert "38001085718" not in repr((refusal, refusal.args, refusal.detail))


def test_the_longest_file_is_taken() -> None:
    assert len(read_cases((HEADER + ROW * MOST_ROWS).encode())) == MOST_ROWS


def test_a_cell_may_hold_lines_quotes_and_formulas_and_stays_text() -> None:
    cell = '"=HYPERLINK(""http://evil.example"")\r\n,""x"""'
    [row] = read_cases((HEADER + ROW.replace("Benefit", cell)).encode())
    assert row.kind == '=HYPERLINK("http://evil.example")\r\n,"x"'
    assert row.line == 2


@pytest.mark.parametrize("columns", [1, 8, 10, 3000])
def test_a_row_of_more_or_fewer_cells_is_marked_and_shifts_no_other(columns: int) -> None:
    ragged, good = read_cases((HEADER + ",".join(["x"] * columns) + "\n" + ROW).encode())
    assert ragged.is_ragged
    assert not good.is_ragged
    assert good.reference == "SKA-1"


def test_extra_columns_are_left_alone() -> None:
    many = "".join(f",extra-{number}" for number in range(3000))
    [row] = read_cases((HEADER.rstrip() + many + "\n" + ROW.rstrip() + "," * 3000 + "\n").encode())
    assert (row.reference, row.is_ragged) == ("SKA-1", False)


@given(st.binary(max_size=400) | st.text(max_size=300).map(lambda text: (HEADER + text).encode("utf-8", "replace")))
def test_whatever_the_file_holds_it_is_rows_or_a_refusal(content: bytes) -> None:
    try:
        rows = read_cases(content)
    except CaseFileRefused:
        return
    assert rows
    assert all(row.line > 1 for row in rows)
