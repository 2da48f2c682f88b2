"""The trail as a file, made in constant memory under one checkpoint, with a signed manifest at the end.

Whoever gets the archive can tell that nothing was left out or changed since the portal wrote it, and who had it made:
`python -m audit check-export FILE`, or the page /verify.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from audit.checkpoint import SignedCheckpoint
from audit.log import AuditLog, LoggedAccess
from audit.note import Signer
from audit.searching import Precision, Total
from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.errors import PortalError
from portal.services.clock import Clock
from portal.services.exporting.archive import Archive, Origin
from portal.services.exporting.court import MAXIMUM_ENTRIES, PublicKeys, add_court_files
from portal.services.exporting.formats import FILES, ExportFormat
from portal.services.exporting.maker import Maker
from portal.services.exporting.stamping import TimeStampAuthority
from portal.services.oversight import Oversight, TrailSearch
from portal.services.pseudonyms import Pseudonyms

#: A receipt proves an entry as it stands in the log, with the people in it.
ALWAYS_NAMED = frozenset({ExportFormat.COURT})
#: An export of more entries is made in the background.
AT_ONCE = 10_000


class TooManyForCourt(PortalError):
    """A court's bundle proves each entry by itself; of so many none is made. The page asks for a narrower search."""


class NamesNeedReason(PortalError):
    """This form names people, and no reason was given for that; nothing was exported. The page asks for one."""


@dataclass(frozen=True)
class Export:
    """An archive to send: its name and its bytes, made while they are read."""

    filename: str
    chunks: Iterable[bytes]


class Exports:
    """Makes exports of the trail. The export is an entry before the first byte is made."""

    def __init__(
        self,
        log: AuditLog,
        oversight: Oversight,
        signer: Signer,
        clock: Clock,
        pseudonyms: Pseudonyms,
        *,
        witnesses: tuple[str, ...] = (),
        authority: TimeStampAuthority | None = None,
    ) -> None:
        self._log = log
        self._oversight = oversight
        self._signer = signer
        self._clock = clock
        self._pseudonyms = pseudonyms
        self._witnesses = witnesses
        self._authority = authority

    def is_made_at_once(self, wanted: TrailSearch, form: ExportFormat) -> bool:
        """Whether this is little enough to be sent while the asker waits.

        Raises:
            TooManyForCourt: it is none that a court's bundle can be made of.
        """
        found = self.total(wanted)
        is_estimated = found.precision is Precision.ESTIMATED  # of more than are counted one by one
        if form is ExportFormat.COURT and (is_estimated or found.number > MAXIMUM_ENTRIES):
            raise TooManyForCourt
        return form is not ExportFormat.COURT and not is_estimated and found.number <= AT_ONCE

    def total(self, wanted: TrailSearch) -> Total:
        """How many entries an export of this would hold now, exactly or as an estimate."""
        return self._log.total(self._oversight.query(wanted))

    def export(
        self, actor: Actor, wanted: TrailSearch, form: ExportFormat, *, reason: str | None = None, request_id: str
    ) -> Export:
        """Everything that `wanted` finds, up to and including this export's own entry.

        Raises:
            DisclosureUnavailable: the export could not be recorded, so it is not made.
        """
        entry = self.record(actor, wanted, form, reason=reason, request_id=request_id)
        return self.make(actor, wanted, form, entry=entry, with_names=reason is not None)

    def record(
        self, actor: Actor, wanted: TrailSearch, form: ExportFormat, *, reason: str | None = None, request_id: str
    ) -> int:
        """Note the export in the log; gives the entry's number. With a `reason` it shows who people are.

        Raises:
            NamesNeedReason: this form cannot do without names.
            DisclosureUnavailable: the log cannot take it.
        """
        if form in ALWAYS_NAMED and reason is None:
            raise NamesNeedReason
        names = "hidden" if reason is None else "shown"
        return self._oversight.record(
            actor, Action.TRAIL_EXPORT, wanted, request_id=request_id, reason=reason, format=form.value, names=names
        )

    def record_download(self, actor: Actor, job_id: str, *, request_id: str) -> None:
        """Note that the file of an export was fetched. Raises DisclosureUnavailable."""
        event = self._oversight.event(actor, Action.EXPORT_DOWNLOAD, request_id, None, {"export": job_id})
        self._oversight.note([event])

    def make(
        self,
        actor: Actor,
        wanted: TrailSearch,
        form: ExportFormat,
        progress: Callable[[int], None] = lambda _done: None,
        *,
        entry: int | None = None,
        with_names: bool = True,
    ) -> Export:
        """The archive of an export that has been recorded; `progress` is told the number of entries done.

        `entry` is the number of the export's own entry. Without `with_names` rows show pseudonyms.
        Its bytes may end in TooManyForCourt, NoTimeStamp or an error of the log.
        """
        checkpoint = self._log.checkpoint()
        if form is ExportFormat.COURT:
            self._log.ask_witnesses(patient=False)  # what they sign now is worth more than what they signed earlier
        origin = Origin(form, wanted.digest(), self._clock(), actor, self._log.witnessed(checkpoint))
        stamping = self._authority.stamp if self._authority and form is ExportFormat.COURT else None
        archive = Archive(origin, self._signer, stamping)
        if form is ExportFormat.COURT:
            self._add_for_court(archive, origin, wanted, progress)
        else:
            name, rendering = FILES[form]
            found = self._found(wanted, checkpoint)
            if not with_names:
                found = map(self._hidden, found)
            maker = Maker(self._pseudonyms.maker(actor), "" if entry is None else str(entry))
            archive.add(name, rendering(archive.counted(_told(found, progress)), maker))
        return Export(f"trail-{origin.made_at:%Y%m%dT%H%M%SZ}-{form}.zip", archive.chunks())

    def _hidden(self, logged: LoggedAccess) -> LoggedAccess:
        return logged if logged.access is None else replace(logged, access=self._pseudonyms.hidden(logged.access))

    def _found(self, wanted: TrailSearch, checkpoint: SignedCheckpoint) -> Iterator[LoggedAccess]:
        return self._log.stream(self._oversight.query(wanted), size=checkpoint.checkpoint.size)

    def _add_for_court(
        self, archive: Archive, origin: Origin, wanted: TrailSearch, progress: Callable[[int], None]
    ) -> None:
        entries: list[LoggedAccess] = []
        for logged in self._found(wanted, origin.checkpoint):
            entries.append(logged)
            if len(entries) > MAXIMUM_ENTRIES:
                raise TooManyForCourt
        keys = PublicKeys(self._log.published_keys(), self._signer.vkey, self._witnesses)
        add_court_files(
            archive,
            entries,
            origin,
            keys,
            lambda seq: self._log.receipt(seq).text,
            self._oversight.catalogue,
            progress,
        )


def _told(entries: Iterable[LoggedAccess], progress: Callable[[int], None]) -> Iterator[LoggedAccess]:
    for done, logged in enumerate(entries, 1):
        yield logged
        progress(done)
