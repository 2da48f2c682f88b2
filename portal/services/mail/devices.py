"""Telling a person that somebody signed in as them on a kind of device that they never used before."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from portal.domain.actors import Actor, Role
from portal.domain.devices import Device
from portal.models.mail import KnownDevice
from portal.services.alerts import AlertKind, Alerts
from portal.services.safeguards import Foundations


class NewDevices:
    """Remembers browsers and systems, for citizens. The first one of all is nobody's surprise."""

    def __init__(self, on: Foundations, alerts: Alerts) -> None:
        self._on = on
        self._alerts = alerts

    def came_in(self, actor: Actor, device: Device) -> None:
        """Raises DisclosureUnavailable when the person could not be told; they came in all the same."""
        if actor.role is not Role.CITIZEN or actor.personal_code is None:
            return
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
        if is_new and known:
            self._alerts.tell_person(actor.personal_code, AlertKind.NEW_DEVICE)
