"""Files that a person or an official puts beside what they write: which are taken, and what they are called."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

from portal.domain.errors import PortalError

#: With one step of a dispute, and of each side in one dispute altogether.
MOST_FILES = 5
MOST_IN_A_DISPUTE = 40
#: Bytes of one file.
LARGEST_FILE = 10 * 1024 * 1024
#: Pixels of one picture: whoever opens a larger one may run out of memory (ASVS 5.2.6).
MOST_PIXELS = 100_000_000
LONGEST_NAME = 80
_SIGNS = frozenset(" -_()")
#: Names that Windows gives to devices, whatever follows the dot.
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "clock"} | {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
)


class AttachmentKind(StrEnum):
    """What is taken. Permanent: it stands in the log."""

    PDF = "pdf"
    PNG = "png"
    JPEG = "jpeg"
    TEXT = "text"


#: How the name of each may end; the first is what it gets when it is sent out again.
ENDINGS = {
    AttachmentKind.PDF: (".pdf",),
    AttachmentKind.PNG: (".png",),
    AttachmentKind.JPEG: (".jpg", ".jpeg"),
    AttachmentKind.TEXT: (".txt",),
}
MEDIA_TYPES = {
    AttachmentKind.PDF: "application/pdf",
    AttachmentKind.PNG: "image/png",
    AttachmentKind.JPEG: "image/jpeg",
    AttachmentKind.TEXT: "text/plain; charset=utf-8",
}


class FileFault(StrEnum):
    """Why a file is not taken. Permanent: it stands in the log, without the file's name."""

    EMPTY = "empty"
    TOO_LARGE = "too-large"
    TOO_MANY = "too-many"
    #: Neither its name nor its content is of a kind that is taken.
    KIND = "kind-not-taken"
    #: The content is not what the name says.
    MISMATCH = "not-what-its-name-says"
    #: It is two things at once, one for the check and another one for whoever opens it.
    MIXED = "two-kinds-at-once"
    #: A document that starts a program or holds other files.
    ACTIVE = "holds-a-program"
    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too-many-pixels"
    MALWARE = "malware-found"


class FileRefused(PortalError):
    """One file is not taken."""

    def __init__(self, fault: FileFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class FilesRefused(PortalError):
    """Files of a step are not taken: nothing of the step happened. `faults` are those of the files, by position."""

    def __init__(self, faults: dict[int, FileFault]) -> None:
        super().__init__(f"{len(faults)} files refused")
        self.faults = faults


class FilesNotTakenNow(PortalError):
    """The scanner does not answer, or there is none: no file was kept and nothing of the step happened."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came. Its name is whatever the sender's program said, and is never a path."""

    name: str = field(repr=False)
    stream: BinaryIO = field(repr=False)


def kind_of_name(name: str) -> AttachmentKind | None:
    lowered = name.lower()
    return next((kind for kind, endings in ENDINGS.items() if lowered.endswith(endings)), None)


def tidy_name(name: str, kind: AttachmentKind) -> str:
    """The name under which the file goes out again: letters, digits, spaces and `-_()`, and the ending of its kind.

    No path, no second ending, no control or direction mark, no name of a device; at most LONGEST_NAME characters.
    """
    last = unicodedata.normalize("NFKC", name).replace("\\", "/").rpartition("/")[2]
    ending = next((one for one in ENDINGS[kind] if last.lower().endswith(one)), "")
    stem = last[: len(last) - len(ending)]
    kept = "".join(_fit(character) for character in stem)
    stem = " ".join(kept.split())[: LONGEST_NAME - len(ENDINGS[kind][0])].strip(" _-")
    if not stem or stem.lower() in _DEVICES:
        stem = f"file {stem}".strip()
    return stem + ENDINGS[kind][0]


def _fit(character: str) -> str:
    if character in _SIGNS or unicodedata.category(character)[0] in "LN" or unicodedata.category(character) == "Mn":
        return character
    return "" if unicodedata.category(character) in {"Cf", "Cc", "Cs", "Co", "Cn"} else "_"


def told_apart(names: Iterable[str]) -> list[str]:
    """The same names, a number behind each that stood before."""
    seen: dict[str, int] = {}
    apart = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        stem, dot, ending = name.rpartition(".")
        apart.append(name if seen[name] == 1 else f"{stem} ({seen[name]}){dot}{ending}")
    return apart
