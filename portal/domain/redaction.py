"""Passages of a text that are withheld from whoever is shown the rest, and what stands there instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from portal.domain.disputes import WITHHOLDING_LAW, WithholdingReason
from portal.domain.errors import PortalError

#: Always as long, whatever was there.
BAR = "█████"
#: How an officer marks a passage while writing: the reason's number, a colon and the passage, as in [[1: Mari Mets]].
_MARK = re.compile(r"\[\[\s*(\d)\s*:\s*(.+?)\s*\]\]", re.DOTALL)
NUMBERED = dict(enumerate(WithholdingReason, start=1))


class MarkFaulty(PortalError):
    """A mark has no end, no number, or the number of no reason. Nothing is sent: more might be shown than was meant."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text, and why they are withheld."""

    start: int
    end: int
    reason: WithholdingReason


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text as it is shown. Where `reason` is set it is withheld: `text` is then what stands there instead,
    or, for the officer alone, what is withheld."""

    text: str = field(repr=False)
    reason: WithholdingReason | None = None


def read_marks(marked: str) -> tuple[str, list[Span]]:
    """The text without its marks, and what they withhold. Raises MarkFaulty."""
    text, spans, position = "", [], 0
    for mark in _MARK.finditer(marked):
        text += marked[position : mark.start()]
        reason = NUMBERED.get(int(mark[1]))
        if reason is None:
            raise MarkFaulty
        spans.append(Span(len(text), len(text) + len(mark[2]), reason))
        text, position = text + mark[2], mark.end()
    text += marked[position:]
    if "[[" in text or "]]" in text:
        raise MarkFaulty
    return text, spans


def found(text: str, passage: str, reason: WithholdingReason, withheld: Sequence[Span]) -> list[Span]:
    """Each place at which the passage stands and nothing is withheld yet."""
    places = []
    position = text.find(passage) if passage else -1
    while position >= 0:
        end = position + len(passage)
        if all(end <= span.start or span.end <= position for span in withheld):
            places.append(Span(position, end, reason))
        position = text.find(passage, end)
    return places


def parts_of(text: str, withheld: Sequence[Span], *, whole: bool) -> tuple[Part, ...]:
    """The text in pieces. Unless `whole`, nothing of what is withheld is in any of them, also where spans overlap."""
    parts, position = [], 0
    for span in sorted(withheld, key=lambda span: span.start):
        start = max(position, span.start)
        if position < start:
            parts.append(Part(text[position:start]))
        if start < span.end:
            shown = text[start : span.end] if whole else f"{BAR} ({WITHHOLDING_LAW[span.reason]})"
            parts.append(Part(shown, span.reason))
        position = max(position, span.end)
    if position < len(text):
        parts.append(Part(text[position:]))
    return tuple(parts)
