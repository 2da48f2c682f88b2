"""Passages that are withheld: never in what is shown, and a mark that is not understood is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.disputes import WITHHOLDING_LAW, WithholdingReason
from portal.domain.redaction import BAR, NUMBERED, MarkFaulty, Span, found, parts_of, read_marks

LETTERS = st.text("abc äõ\n", max_size=40)


def test_marks_are_taken_out_and_say_what_is_withheld_and_why() -> None:
    text, spans = read_marks("The owner, [[1: Juhan Mets]], asked; see [[ 3:  case 7 ]].")
    assert text == "The owner, Juhan Mets, asked; see case 7."
    assert [(text[span.start : span.end], span.reason) for span in spans] == [
        ("Juhan Mets", WithholdingReason.OTHER_PEOPLE),
        ("case 7", WithholdingReason.INVESTIGATION),
    ]


@pytest.mark.parametrize(
    "marked",
    ["[[Juhan Mets]]", "[[1: Juhan", "Juhan]]", "[[9: Juhan]]", "[[0: Juhan]]", "[[1:]]", "a [[1: [[2: b]] c]]"],
)
def test_a_mark_that_is_not_understood_is_refused(marked: str) -> None:
    with pytest.raises(MarkFaulty):
        read_marks(marked)


def test_of_a_withheld_passage_nothing_is_shown_not_even_its_length() -> None:
    shown = {
        "".join(part.text for part in parts_of(f"a {secret} b", [Span(2, 2 + len(secret), reason)], whole=False))
        for secret in ("Juhan", "a much longer name than that")
        for reason in [WithholdingReason.OTHER_PEOPLE]
    }
    assert shown == {f"a {BAR} (GDPR Article 15(4)) b"}


def test_each_reason_has_a_number_and_a_law() -> None:
    assert list(NUMBERED.values()) == list(WithholdingReason)
    assert set(WITHHOLDING_LAW) == set(WithholdingReason)


@given(LETTERS, LETTERS.filter(str.strip), LETTERS)
def test_what_is_marked_comes_back_whole_to_the_officer_and_not_at_all_to_the_person(
    before: str, secret: str, after: str
) -> None:
    text, spans = read_marks(f"{before}[[1: {secret}]]{after}")
    assert "".join(part.text for part in parts_of(text, spans, whole=True)) == text
    kept = [part.text for part in parts_of(text, spans, whole=False) if part.reason is None]
    assert "".join(kept) == before + after


@given(LETTERS, st.text("abc", min_size=1, max_size=3))
def test_a_passage_is_withheld_wherever_it_stands(text: str, passage: str) -> None:
    spans = found(text, passage, WithholdingReason.SECRET, [])
    shown = parts_of(text, spans, whole=False)
    assert all(passage not in part.text for part in shown if part.reason is None)
    assert found(text, passage, WithholdingReason.SECRET, spans) == []
    assert len(spans) == text.count(passage)


@given(st.lists(st.tuples(st.integers(0, 25), st.integers(1, 10)), max_size=5))
def test_spans_that_overlap_let_nothing_through_and_keep_the_text_whole(places: list[tuple[int, int]]) -> None:
    text = "abcdefghijklmnopqrstuvwxyzABCDEFGHI"
    spans = [Span(start, start + length, WithholdingReason.OTHER_PEOPLE) for start, length in places]
    hidden = {text[position] for span in spans for position in range(span.start, span.end)}
    shown = "".join(part.text for part in parts_of(text, spans, whole=False) if part.reason is None)
    assert shown == "".join(letter for letter in text if letter not in hidden)
    assert "".join(part.text for part in parts_of(text, spans, whole=True)) == text
