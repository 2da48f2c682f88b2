"""Telling people that somebody signed in as them on a kind of device that they never used before."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from portal.domain.actors import Actor, Role
from portal.domain.devices import Device
from portal.domain.staff import Notice
from portal.models.mail import KnownDevice
from portal.services.alerts import AlertKind, Alerts
from portal.services.notices import Notices
from portal.services.safeguards import Foundations


class NewDevices:
    """Remembers browsers and systems. The first one of all is nobody's surprise.

    Citizens are told as they chose (docs/alerts.md), staff on the page of their account.
    """

    def __init__(self, on: Foundations, alerts: Alerts, notices: Notices) -> None:
        self._on = on
        self._alerts = alerts
        self._notices = notices

    def came_in(self, actor: Actor, device: Device) -> None:
        """Raises DisclosureUnavailable when the person could not be told; they came in all the same."""
        with self._on.sessions.begin() as session:
            known = session.scalar(
                select(func.count()).select_from(KnownDevice).where(KnownDevice.account_id == actor.account_id)
            )
            is_postgres = session.get_bind().dialect.name == "postgresql"
            statement = (postgresql.insert if is_postgres else sqlite.insert)(KnownDevice).values(
                account_id=actor.account_id,
                browser=device.browser,
                system=device.system,
                first_seen_at=self._on.clock(),
            )
            is_new = (
                session.execute(statement.on_conflict_do_nothing().returning(KnownDevice.account_id)).first()
                is not None
            )
        if not is_new or not known:
            return
        if actor.role is not Role.CITIZEN:
            self._notices.tell_now(actor.account_id, Notice.NEW_DEVICE)
        elif actor.personal_code is not None:
            self._alerts.tell_person(actor.personal_code, AlertKind.NEW_DEVICE)
