"""Statistics for everybody, as a page, as CSV and as JSON, under the log's newest checkpoint."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from flask import Blueprint, Response, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from portal.domain.errors import NothingHere
from portal.services.spreadsheets import neutralised
from portal.services.transparency import BREAK_GLASS, CONTESTED, LOOKS, SAFEGUARDS, SMALL, Figure, Month, Row
from portal.web.guard import public
from portal.web.house import house, jobs

blueprint = Blueprint("transparency", __name__)

WHY_PUBLIC = "counts of closed months, small ones left out: nothing about any person"
#: What follows from the published counts, for readers in a hurry.
_DERIVED = ("break-glass-at-least", "contested-at-least", "half-of-answers-within-days")


@blueprint.get("/transparency")
@public(WHY_PUBLIC)
def page() -> ResponseReturnValue:
    months = _months()
    shown = _chosen(months, request.args.get("month"))
    return render_template(
        "transparency/page.html",
        months=months,
        shown=shown,
        chart=[(month.first_day, month.totals[Figure.BY_PEOPLE]) for month in reversed(months)],
        figures=Figure,
        looks=LOOKS,
        safeguards=SAFEGUARDS,
        break_glass=BREAK_GLASS,
        contested=CONTESTED,
        watched=(*BREAK_GLASS, Figure.SEALS_ENDED),
        small=SMALL,
        checkpoint=house().log.checkpoint().text,
        vkey=current_app.config["LOG_VKEY"],
    )


@blueprint.get("/transparency.csv")
@public(WHY_PUBLIC)
def as_csv() -> ResponseReturnValue:
    """One line for each organisation and month (RFC 4180); an empty cell stands for fewer than `SMALL`."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(("month", "organisation", *(figure.value for figure in Figure), *_DERIVED))
    for month in _months():
        for row in month.rows:
            counts = ("" if count is None else str(count) for count in _of_row(row).values())
            writer.writerow((f"{month.first_day:%Y-%m}", neutralised(row.organisation), *counts))
    return Response(buffer.getvalue(), mimetype="text/csv")


@blueprint.get("/transparency.json")
@public(WHY_PUBLIC)
def as_json() -> ResponseReturnValue:
    return jsonify(
        fewer_than=SMALL,
        months=[_plain(month) for month in _months()],
        checkpoint=house().log.checkpoint().text,
        log_key=current_app.config["LOG_VKEY"],
    )


def _months() -> list[Month]:
    transparency = house().transparency
    if transparency.needs_refresh():
        jobs().start("analytics", transparency.refresh)
    return transparency.months()


def _chosen(months: list[Month], wanted: str | None) -> Month:
    if wanted is None:
        return months[0]
    for month in months:
        if f"{month.first_day:%Y-%m}" == wanted:
            return month
    raise NothingHere


def _plain(month: Month) -> dict[str, object]:
    return {
        "month": f"{month.first_day:%Y-%m}",
        "organisations": [{"code": row.organisation, **_of_row(row)} for row in month.rows],
        "totals": _by_name(month.totals)
        | dict(zip(_DERIVED, (month.together(BREAK_GLASS), month.together(CONTESTED), month.half_within), strict=True)),
    }


def _of_row(row: Row) -> dict[str, int | None]:
    derived = (row.at_least(BREAK_GLASS), row.at_least(CONTESTED), row.half_within)
    return _by_name(row.counts) | dict(zip(_DERIVED, derived, strict=True))


def _by_name(counts: Mapping[Figure, int | None] | Mapping[Figure, int]) -> dict[str, int | None]:
    return {figure.value: count for figure, count in counts.items()}
