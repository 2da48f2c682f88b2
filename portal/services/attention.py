"""Drawing the attention of those who answer for what officials do."""

from __future__ import annotations

from portal.domain.actors import Duty, Role
from portal.services.accounts import Accounts
from portal.services.alerts import AlertKind, Alerts


class Attention:
    """Finds the accounts that have to know, and tells them."""

    def __init__(self, alerts: Alerts, accounts: Accounts) -> None:
        self._alerts = alerts
        self._accounts = accounts

    def of_an_emergency(self, organisation: str | None, kind: AlertKind, place: str) -> None:
        """Tell each supervisor and the data protection officer, once each. Raises as `of_supervisors`."""
        accounts = self._accounts
        told = accounts.of_role(Role.SUPERVISOR, organisation) + accounts.of_duty(Duty.DATA_PROTECTION, organisation)
        self._alerts.tell_accounts(dict.fromkeys(told), kind, place)

    def of_account(self, account_id: str, kind: AlertKind, place: str) -> None:
        """Tell this one account. Raises as `of_supervisors`."""
        self._alerts.tell_accounts([account_id], kind, place)

    def of_supervisors(self, organisation: str | None, kind: AlertKind, place: str) -> None:
        """Tell each supervisor of this organisation. Raises DisclosureUnavailable when the log cannot record it."""
        self._alerts.tell_accounts(self._accounts.of_role(Role.SUPERVISOR, organisation), kind, place)

    def of_auditors(self, kind: AlertKind, place: str) -> None:
        """Tell each auditor, of whatever organisation. Raises as `of_supervisors`."""
        self._alerts.tell_accounts(self._accounts.everywhere(Role.AUDITOR), kind, place)
