"""How sure the portal is of who somebody is: the levels of assurance of Regulation (EU) No 910/2014, Article 8."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: As TARA and GovSSO write them, and as the URIs of Commission Implementing Regulation (EU) 2015/1502 are written.
_URI = "http://eidas.europa.eu/LoA/"


class Assurance(StrEnum):
    """A level of assurance. Compare levels with `reaches`, never as texts."""

    LOW = "low"
    SUBSTANTIAL = "substantial"
    HIGH = "high"

    def reaches(self, needed: Assurance) -> bool:
        return _ORDER.index(self) >= _ORDER.index(needed)

    @classmethod
    def of_acr(cls, acr: object) -> Assurance | None:
        """The level that an `acr` claim states (OpenID Connect Core, section 2); None when it states none we know."""
        if not isinstance(acr, str):
            return None
        return _OF_ACR.get(acr.removeprefix(_URI))


@dataclass(frozen=True, slots=True)
class Demand:
    """What a route asks of the sign-in behind a request: a level, and where `fresh` is set a proof no older."""

    level: Assurance
    fresh: timedelta | None = None

    def is_met_by(self, level: Assurance, proved_at: datetime, now: datetime) -> bool:
        return level.reaches(self.level) and (self.fresh is None or now - proved_at <= self.fresh)


_ORDER = (Assurance.LOW, Assurance.SUBSTANTIAL, Assurance.HIGH)
_OF_ACR = {str(level): level for level in Assurance}
