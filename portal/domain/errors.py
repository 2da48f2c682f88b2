"""Outcomes that a service cannot give a result for. Each says what the caller does."""

from __future__ import annotations

from portal.domain.actions import Reason
from portal.domain.assurance import Demand


class PortalError(Exception):
    """Base of the portal's own outcomes."""


class NothingHere(PortalError):
    """There is no such thing, or it is not the actor's to see. The caller answers 404 in both cases, with one body."""


class AccessDenied(PortalError):
    """The policy refused, and the refusal is in the log. The caller shows `reason` in words and no data."""

    def __init__(self, reason: Reason, entry: int) -> None:
        super().__init__(f"denied: {reason}")
        self.reason = reason
        self.entry = entry


class AccountClosed(PortalError):
    """The person's account was closed. The caller lets nobody in and says so to the person who proved to be them."""


class StrongerSignInNeeded(PortalError):
    """The person signed in less surely, or longer ago, than this needs. The caller asks for a new proof."""

    def __init__(self, demand: Demand) -> None:
        super().__init__(f"needs assurance {demand.level}, no older than {demand.fresh}")
        self.demand = demand


class DisclosureUnavailable(PortalError):
    """The log could not make the entry durable, so nothing was released. The caller answers 503 and says so."""
