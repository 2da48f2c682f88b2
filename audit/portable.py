"""An entry as one row of an export: what `portal` writes and what a verifier holds a receipt against."""

from __future__ import annotations

from datetime import datetime

from audit.entry import Access

COLUMNS = tuple(
    """
    seq logged_at occurred_at action outcome reason source subject organisation role official official_name on_behalf_of
    registry fields purpose lawful_basis case justification automatic request_id details seal
    """.split()  # noqa: SIM905 - the order of a file's columns reads best as one text
)
#: What stands for the outcome of an entry whose body was erased.
ERASED = "erased"


def row_of(seq: int, logged_at: datetime, access: Access | None) -> dict[str, object]:
    """One entry with the columns of `COLUMNS`, as JSON has them; an erased one has its number and time only."""
    row: dict[str, object] = dict.fromkeys(COLUMNS)
    row["seq"] = seq
    row["logged_at"] = _instant(logged_at)
    if access is None:
        return row | {"outcome": ERASED}
    for column in COLUMNS[3:]:
        row[column] = getattr(access, column)
    return row | {
        "occurred_at": _instant(access.occurred_at),
        "fields": list(access.fields),
        "details": dict(access.details),
    }


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
