"""The file of a dispute as an archive: a report in the reader's language, the same as JSON, and the receipts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import typst
from zipstream import ZIP_DEFLATED, ZipStream

from portal.domain.disputes import ARTICLES, GROUND_LAW
from portal.services.disputes.file import DisputeFile
from portal.services.disputes.ledger import Message
from portal.services.disputes.plain import plain_dispute
from portal.services.trail import TrailLine
from portal.web.dispute_wording import GROUNDS_IN_WORDS, SHORT_KINDS, STATES, STEPS, TOLD_RULINGS, withheld_in_words
from portal.web.formatting import day, grouped, moment
from portal.web.house import house
from portal.web.i18n import gettext as _
from portal.web.i18n import language, local
from portal.web.sentences import sentence

Fact = tuple[str, str]


def as_archive(file: DisputeFile, person: str) -> Iterable[bytes]:
    """The whole file. `person` is the name of whoever takes it."""
    archive = ZipStream(compress_type=ZIP_DEFLATED)
    for number, attachment in enumerate(file.attachments, start=1):
        archive.add(attachment.content, f"attachments/{number:02d} {attachment.name}")
    archive.add(_report(file, person), "dispute.pdf")
    archive.add(json.dumps(_plain(file, person), ensure_ascii=False, indent=2), "dispute.json")
    for receipt in file.receipts:
        archive.add(receipt.text, f"receipts/{receipt.proof.index}.txt")
    archive.add(file.keys, "keys.txt")
    chunks: Iterable[bytes] = archive
    return chunks


def _report(file: DisputeFile, person: str) -> bytes:
    """A tagged PDF (PDF/UA-1)."""
    data = {
        "language": language(),
        "title": _("Dispute %(number)s", number=file.dispute.number),
        "facts": _facts(file, person),
        "contested_heading": _("The contested look"),
        "contested": [] if file.contested is None else _contested(file.contested),
        "written_heading": _("What was written"),
        "steps": [
            {"head": _head(message), "paragraphs": [*message.text.splitlines(), *_beside(message)]}
            for message in file.dispute.messages
        ],
        "proof_heading": _("How to check it"),
        "proof": _(
            "Each step is an entry in the access log. The files in the folder receipts prove it, each under the number"
            " of its entry: the portal’s page “How to check a receipt” says how anybody finds out whether they are"
            " genuine, also without the portal. Compare keys.txt with the keys that the portal publishes."
        ),
    }
    made: bytes = typst.compile(
        _template(),
        format="pdf",
        sys_inputs={"data": json.dumps(data)},
        pdf_standards=["ua-1"],
        ignore_system_fonts=True,
        timestamp=int(file.made_at.timestamp()),
    )
    return made


def _facts(file: DisputeFile, person: str) -> list[Fact]:
    dispute = file.dispute
    organisation = house().catalogue.organisations.get(dispute.organisation)
    ruling = "" if dispute.ruling is None else str(TOLD_RULINGS[dispute.ruling])
    ground = "" if dispute.ground is None else f"{GROUNDS_IN_WORDS[dispute.ground]} ({GROUND_LAW[dispute.ground]})"
    facts = [
        (_("Person"), person),
        (_("With whom"), dispute.organisation if organisation is None else local(organisation.name)),
        (_("What about"), f"{SHORT_KINDS[dispute.kind]} ({ARTICLES[dispute.kind]})"),
        (_("Where"), _place(dispute.registry, dispute.field)),
        (_("Opened"), moment(dispute.opened_at)),
        (_("Answer due"), day(dispute.due_on)),
        (_("State"), str(STATES[dispute.state])),
        (_("Decision"), ruling),
        (_("Ground in law"), ground),
        (_("File made"), moment(file.made_at)),
    ]
    return [fact for fact in facts if fact[1]]


def _place(registry_code: str | None, field_code: str | None) -> str:
    registry = house().catalogue.registries.get(registry_code or "")
    field = None if registry is None else registry.fields.get(field_code or "")
    names = (None if registry is None else local(registry.name), None if field is None else local(field.name))
    return ": ".join(filter(None, names)) or registry_code or ""


def _contested(line: TrailLine) -> list[Fact]:
    purpose = line.purpose
    facts = [
        (_("Entry"), grouped(line.seq)),
        (_("When it happened"), moment(line.occurred_at)),
        (_("What"), sentence(line)),
        (_("Official"), line.official or ""),
        (_("Purpose"), "" if purpose is None else local(purpose.name)),
        (_("Fields"), ", ".join(local(field.name) for field in line.fields)),
        (_("Case"), line.case or ""),
        (_("Reason given"), line.justification or ""),
    ]
    return [fact for fact in facts if fact[1]]


def _head(message: Message) -> str:
    entry = _("Entry %(number)s", number=grouped(message.entry))
    return f"{STEPS[message.step]}, {moment(message.written_at)} ({entry})"


def _beside(message: Message) -> list[str]:
    """What is attached, and what of it and of the text is withheld and why."""
    told = [
        _("File: %(name)s", name=one.name)
        if one.withheld is None
        else _("A file is withheld: %(reason)s", reason=withheld_in_words(one.withheld))
        for one in message.attachments
    ]
    reasons = dict.fromkeys(part.reason for part in message.parts if part.reason is not None)
    return told + [_("Passages are withheld: %(reason)s", reason=withheld_in_words(reason)) for reason in reasons]


def _plain(file: DisputeFile, person: str) -> dict[str, object]:
    """The same for a machine."""
    return {
        **plain_dispute(file.dispute),
        "person": person,
        "receipts": [f"receipts/{receipt.proof.index}.txt" for receipt in file.receipts],
        "made_at": file.made_at.isoformat(),
    }


@cache
def _template() -> bytes:
    return (files("portal") / "templates" / "disputes" / "file.typ").read_bytes()
