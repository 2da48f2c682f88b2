"""Who made an export, as each of its rows says it: rows are copied out of files, and manifests stay behind."""

from __future__ import annotations

from typing import NamedTuple


class Maker(NamedTuple):
    """`exported_by` is the auditor's pseudonym, role and organisation; `export_id` the number of the export's entry."""

    exported_by: str
    export_id: str


#: The columns behind those of an entry.
MADE_BY = Maker._fields
