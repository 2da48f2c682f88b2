"""What is in a bundle, made file by file while it is read, under one checkpoint of the log.

The trail is read once for each file that tells it: that costs time, and no memory and no copy on the disk in the clear.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import typst
from zipstream import ZIP_DEFLATED, ZipStream

from audit.log import AuditLog, TrailQuery
from portal.domain.actors import Actor
from portal.services.bundle import plain
from portal.services.bundle.telling import History, Speaker, Told
from portal.services.consents.own import OwnConsents
from portal.services.consents.record import consent_record
from portal.services.consents.register import ShownConsent
from portal.services.disputes.attachments import DisputeAttachments
from portal.services.disputes.citizens import Disputes
from portal.services.disputes.plain import plain_dispute
from portal.services.entries import Once
from portal.services.records import Records, subject_of
from portal.services.safeguards import Foundations
from portal.services.trail import Trail, TrailLine

#: The trail is read for the JSON, for the CSV and for the receipts.
READINGS = 3
#: Is told how many entries are done, of all readings together.
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where what a bundle tells comes from: the services by which the person sees it on pages."""

    records: Records
    trail: Trail
    consents: OwnConsents
    disputes: Disputes
    attachments: DisputeAttachments


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """For whom a bundle is made, in which language, and under which request the registries are asked.

    `once` keeps the looks of a bundle that has to be made again one look each.
    """

    actor: Actor
    language: str
    request_id: str
    once: Once


class Contents:
    """Makes the archive of one person. Nothing is in it that the person may not see on a page."""

    def __init__(self, on: Foundations, sources: Sources, base_url: str, witnesses: tuple[str, ...]) -> None:
        self._log: AuditLog = on.log
        self._lifting = on.lifting()
        self._clock = on.clock
        self._from = sources
        self._base_url = base_url
        self._witnesses = witnesses

    def to_read(self, actor: Actor) -> int:
        """How many entries are to be gone through, of all readings together."""
        return READINGS * self._log.count(TrailQuery(subject=subject_of(actor).subject))

    def archive(self, order: Order, speaker: Speaker, progress: Progress) -> Iterator[bytes]:
        """The bytes of a ZIP. The registries are asked first, so that these looks are among the entries that it proves.

        May end in DisclosureUnavailable or in an error of the log.
        """
        told = self._told(order)
        history, counted = History(), _Counted(progress)
        packed = ZipStream(compress_type=ZIP_DEFLATED)
        for name, content in self._files(order, speaker, told, history, counted):
            packed.add(content, name)
            yield from packed.file()
        yield from packed.finalize()

    def _told(self, order: Order) -> Told:
        opened = list(self._from.records.everything(order.actor, request_id=order.request_id, once=order.once))
        self._lifting.lift_due()
        self._log.ask_witnesses(patient=False)  # what they sign now proves more than what they signed earlier
        return Told(
            person=order.actor.name,
            made_at=self._clock(),
            checkpoint=self._log.witnessed(self._log.checkpoint()),
            records=opened,
            consents=self._from.consents.all(order.actor, limit=None),
            disputes=self._from.disputes.everything(order.actor),
            witnesses=self._witnesses,
        )

    def _files(
        self, order: Order, speaker: Speaker, told: Told, history: History, counted: _Counted
    ) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Each file's name and content; a content is read to its end before the next file is asked for."""
        head, language = _head(told), order.language

        def rows(lines: Iterable[TrailLine]) -> Iterator[dict[str, Any]]:
            return (plain.access_row(line, speaker.sentence, language) for line in lines)

        def reading() -> Iterator[TrailLine]:
            return counted.each(self._from.trail.everything(order.actor, size=told.checkpoint.checkpoint.size))

        yield "records.json", [plain.records_json(told.records, head, language)]
        yield "records.csv", plain.records_csv(told.records, language)
        yield "accesses.json", plain.accesses_json(rows(_noted(reading(), history)), head)
        yield "accesses.csv", plain.accesses_csv(rows(reading()))
        yield "consents.json", [self._consents(told.consents, language)]
        yield "disputes.json", [_json([plain_dispute(dispute) for dispute in told.disputes])]
        for dispute in told.disputes:
            for number, attached in enumerate(self._from.attachments.contents_for_person(dispute), start=1):
                yield f"disputes/{dispute.number}/{number:02d} {attached.name}", attached.content
        yield "report.pdf", [_pdf(speaker.report(told, history), told)]
        yield "checkpoint", [told.checkpoint.text.encode()]
        yield "log-keys.txt", [self._log.published_keys().encode()]
        if told.witnesses:
            yield "witness-keys.txt", ["".join(f"{key}\n" for key in told.witnesses).encode()]
        yield "verify.html", [speaker.checking_page().encode()]
        yield "README.txt", [speaker.read_me(told).encode()]
        for line in reading():
            yield from self._proofs(line, told)

    def _proofs(self, line: TrailLine, told: Told) -> Iterator[tuple[str, list[bytes]]]:
        """The receipt of an entry; of one that reveals what a seal withheld also that of the withheld entry."""
        entries = [line.seq] if line.sealing is None else [line.seq, line.sealing.sealed_entry]
        for entry in entries:
            receipt = self._log.receipt(entry, for_subject=True, under=told.checkpoint)
            yield plain.receipt_name(entry), [receipt.text.encode()]

    def _consents(self, consents: Sequence[ShownConsent], language: str) -> bytes:
        """The records of ISO/IEC TS 27560. Their receipts lie beside them, with all others."""
        pages = ((consent, f"{self._base_url}/me/consents/{consent.consent_id}") for consent in consents)
        return _json([consent_record(consent, language, page, None) for consent, page in pages])


class _Counted:
    """Counts the entries of all readings and tells how many are done."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._done = 0

    def each(self, lines: Iterable[TrailLine]) -> Iterator[TrailLine]:
        for line in lines:
            yield line
            self._done += 1
            self._progress(self._done)


def _noted(lines: Iterable[TrailLine], history: History) -> Iterator[TrailLine]:
    for line in lines:
        history.note(line)
        yield line


def _head(told: Told) -> dict[str, Any]:
    checkpoint = told.checkpoint.checkpoint
    return {
        "person": told.person,
        "made_at": told.made_at.isoformat(timespec="seconds"),
        "log": checkpoint.origin,
        "tree_size": checkpoint.size,
        "root": checkpoint.root.hex(),
    }


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def _pdf(content: Any, told: Told) -> bytes:
    """A tagged PDF (PDF/UA-1)."""
    made: bytes = typst.compile(
        _template(),
        format="pdf",
        sys_inputs={"data": json.dumps(content)},
        pdf_standards=["ua-1"],
        ignore_system_fonts=True,
        timestamp=int(told.made_at.timestamp()),
    )
    return made


@cache
def _template() -> bytes:
    return (files(__package__) / "report.typ").read_bytes()
