"""The trail as a file: streamed in constant memory under one checkpoint, with a signed manifest at the end.

The archive holds `trail.csv` or `trail.jsonl`, the `checkpoint` under which it was read, and `manifest.txt`: a signed
note (C2SP signed-note) that names the file's SHA-256, its number of entries and the checkpoint. Whoever gets the
archive can tell that nothing was left out or changed since the portal wrote it: `python -m audit check-export FILE`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from zipstream import ZIP_DEFLATED, ZipStream

from audit.checkpoint import SignedCheckpoint
from audit.log import AuditLog, LoggedAccess
from audit.note import Signer, sign_note
from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.services.clock import Clock
from portal.services.oversight import Oversight, TrailSearch

#: A cell that begins so is a formula to a spreadsheet (OWASP, CSV injection).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0")
_BLOCK = 64 * 1024
MANIFEST_HEADER = "glasshouse trail export v1"


class ExportFormat(StrEnum):
    """CSV is for reading in a spreadsheet (formulas neutralised); JSON Lines is exact."""

    CSV = "csv"
    JSONL = "jsonl"


COLUMNS = tuple(
    """
    seq logged_at occurred_at action outcome reason source subject organisation role official official_name on_behalf_of
    registry fields purpose lawful_basis case justification automatic request_id details seal
    """.split()  # noqa: SIM905 - the order of a file's columns reads best as one text
)


@dataclass(frozen=True)
class Export:
    """An archive to send: its name and its bytes, made while they are read."""

    filename: str
    chunks: Iterable[bytes]


class Exports:
    """Exports of the trail. The export is an entry before the first byte leaves."""

    def __init__(self, log: AuditLog, oversight: Oversight, signer: Signer, clock: Clock) -> None:
        self._log = log
        self._oversight = oversight
        self._signer = signer
        self._clock = clock

    def export(self, actor: Actor, wanted: TrailSearch, form: ExportFormat, *, request_id: str) -> Export:
        """Everything that `wanted` finds, up to and including this export's own entry.

        Raises:
            DisclosureUnavailable: the export could not be recorded, so it is not made.
        """
        self._oversight.record(actor, Action.TRAIL_EXPORT, wanted, request_id=request_id, format=form.value)
        checkpoint = self._log.checkpoint()
        made_at = self._clock()
        query = self._oversight.query(wanted)
        tally = _Tally(self._log.stream(query, size=checkpoint.checkpoint.size), form)
        archive = ZipStream(compress_type=ZIP_DEFLATED)
        archive.add(iter(tally), f"trail.{form}")
        archive.add(checkpoint.text, "checkpoint")
        archive.add(self._manifest(tally, checkpoint, wanted, made_at), "manifest.txt")
        return Export(f"trail-{made_at:%Y%m%dT%H%M%SZ}-{form}.zip", archive)

    def _manifest(
        self, tally: _Tally, checkpoint: SignedCheckpoint, wanted: TrailSearch, made_at: datetime
    ) -> Iterator[bytes]:
        """Written last: the archive reads this generator only after it has read the data to their end."""
        text = "\n".join(
            (
                MANIFEST_HEADER,
                f"file trail.{tally.form}",
                f"sha256 {tally.digest.hexdigest()}",
                f"entries {tally.entries}",
                f"query-sha256 {wanted.digest()}",
                f"made-at {made_at:%Y-%m-%dT%H:%M:%SZ}",
                f"log {checkpoint.checkpoint.origin}",
                f"size {checkpoint.checkpoint.size}",
                f"root {checkpoint.checkpoint.root.hex()}",
                "",
            )
        )
        yield sign_note(text, [self._signer]).encode()


class _Tally:
    """Renders entries to blocks of bytes and keeps count and digest of what went by."""

    def __init__(self, entries: Iterable[LoggedAccess], form: ExportFormat) -> None:
        self._entries = entries
        self.form = form
        self.digest = hashlib.sha256()
        self.entries = 0

    def __iter__(self) -> Iterator[bytes]:
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\r\n")
        if self.form is ExportFormat.CSV:
            writer.writerow(COLUMNS)
        for logged in self._entries:
            row = row_of(logged)
            self.entries += 1
            if self.form is ExportFormat.CSV:
                writer.writerow(neutralised(_cell(row[column])) for column in COLUMNS)
            else:
                buffer.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
            if buffer.tell() >= _BLOCK:
                yield self._taken(buffer)
        yield self._taken(buffer)

    def _taken(self, buffer: io.StringIO) -> bytes:
        block = buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
        self.digest.update(block)
        return block


def row_of(logged: LoggedAccess) -> dict[str, object]:
    """One entry with the columns of `COLUMNS`; an erased one has its number and time only."""
    row: dict[str, object] = dict.fromkeys(COLUMNS)
    row["seq"] = logged.seq
    row["logged_at"] = _instant(logged.logged_at)
    access = logged.access
    if access is None:
        return row | {"outcome": "erased"}
    for column in COLUMNS[3:]:
        row[column] = getattr(access, column)
    return row | {
        "occurred_at": _instant(access.occurred_at),
        "fields": list(access.fields),
        "details": dict(access.details),
    }


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else str(value)


def neutralised(cell: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
