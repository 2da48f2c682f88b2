"""The bundle for a court: each entry with a receipt of its own, the keys, a readable report, and how to check it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import typst

from audit.log import LoggedAccess
from audit.manifest import COUNTED, COURT
from audit.portable import row_of
from portal.registries.catalogue import Catalogue
from portal.services.exporting.archive import Archive, Origin
from portal.services.exporting.formats import json_line

#: Every entry has a page's part and a receipt: more than a court would read belongs in a plain export.
MAXIMUM_ENTRIES = 2_000


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The public halves of all keys by which the bundle is checked, as `keys.txt` lists them."""

    log: str
    export: str
    witnesses: tuple[str, ...]

    @property
    def text(self) -> str:
        return (
            "\n".join(
                (
                    "# Compare these keys with those that the authority publishes: a forger would put in their own.",
                    "# The log's key (vkey of C2SP signed-note; a retired one with the size that it signed last):",
                    self.log.strip(),
                    "# The key of its exports:",
                    self.export,
                    *(("# Witnesses that cosigned the log's checkpoint:", *self.witnesses) if self.witnesses else ()),
                )
            )
            + "\n"
        )


def add_court_files(
    archive: Archive,
    entries: Sequence[LoggedAccess],
    origin: Origin,
    keys: PublicKeys,
    receipt_of: Callable[[int], str],
    catalogue: Catalogue,
    progress: Callable[[int], None],
) -> None:
    """Put everything of the bundle into the archive; `progress` is told how many receipts are made."""
    archive.add(COUNTED[COURT], (json_line(logged).encode() for logged in archive.counted(entries)))
    for done, logged in enumerate(entries, 1):
        archive.add(f"receipts/{logged.seq}.txt", _receipt(logged.seq, done, receipt_of, progress))
    archive.add("keys.txt", [keys.text.encode()])
    archive.add("report.pdf", [report(entries, origin, catalogue)])
    archive.add("read-me.txt", [_instructions().encode()])


def _receipt(seq: int, done: int, receipt_of: Callable[[int], str], progress: Callable[[int], None]) -> Iterator[bytes]:
    yield receipt_of(seq).encode()
    progress(done)


def report(entries: Sequence[LoggedAccess], origin: Origin, catalogue: Catalogue) -> bytes:
    """The entries as a tagged PDF (PDF/UA-1), in English, for people to read; what counts as proof are the receipts."""
    checkpoint = origin.checkpoint.checkpoint
    data = {
        "log": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "made_at": f"{origin.made_at:%Y-%m-%d %H:%M:%S} UTC",
        "made_by": origin.made_by.name,
        "organisation": _organisation(catalogue, origin.made_by.organisation),
        "entries": [_told(logged, catalogue) for logged in entries],
    }
    made: bytes = typst.compile(
        _template(),
        format="pdf",
        sys_inputs={"data": json.dumps(data)},
        pdf_standards=["ua-1"],
        ignore_system_fonts=True,
        timestamp=int(origin.made_at.timestamp()),
    )
    return made


def _told(logged: LoggedAccess, catalogue: Catalogue) -> dict[str, object]:
    """One entry in a reader's words: label and value, empty ones left out."""
    row = row_of(logged.seq, logged.logged_at, logged.access)
    access = logged.access
    facts: list[tuple[str, object]] = [("Logged at", f"{logged.logged_at:%Y-%m-%d %H:%M:%S} UTC")]
    if access is None:
        facts.append(("Content", "erased; the entry itself stands"))
        return {"seq": logged.seq, "facts": facts}
    purpose = catalogue.purposes.get(access.purpose or "")
    registry = catalogue.registries.get(access.registry or "")
    facts += [
        ("Happened at", f"{access.occurred_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("What", f"{access.action}, {access.outcome}" + (f" ({access.reason})" if access.reason else "")),
        ("Organisation", _organisation(catalogue, access.organisation)),
        ("On behalf of", access.on_behalf_of),
        ("Official", " ".join(filter(None, (access.official_name, access.official, access.role)))),
        ("By a system", "yes" if access.automatic else None),
        ("Person", access.subject),
        ("Registry", registry.name.en if registry else access.registry),
        ("Fields", ", ".join(access.fields)),
        ("Purpose", purpose.name.en if purpose else access.purpose),
        ("Lawful basis", access.lawful_basis),
        ("Case", access.case),
        ("Justification", access.justification),
        ("Withheld under the seal", access.seal),
        ("Details", ", ".join(f"{name}: {value}" for name, value in access.details.items())),
    ]
    return {"seq": row["seq"], "facts": [(label, str(value)) for label, value in facts if value]}


def _organisation(catalogue: Catalogue, code: str | None) -> str:
    known = catalogue.organisations.get(code or "")
    return known.name.en if known else code or ""


@cache
def _template() -> bytes:
    return (files(__package__) / "report.typ").read_bytes()


@cache
def _instructions() -> str:
    return (files(__package__) / "read-me.txt").read_text(encoding="utf-8")
