"""A request that waits for a step-up is its own session's, is sealed, and does not wait for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import text
from sqlalchemy.orm import sessionmaker

from portal.domain.assurance import Assurance
from portal.domain.errors import NothingHere
from portal.services.errands import AT_MOST, LIFETIME, Errand, Errands
from portal.services.sealing import Sealer
from tests.factories.people import MARY
from tests.unit.portal.services.test_sessions import Hall, hall

__all__ = ["hall"]

FORM = Errand("/oversight/export", (("subject", MARY.reveal()), ("format", "csv"), ("format", "ä")), "high", 600)


@pytest.fixture
def errands(hall: Hall) -> Errands:
    hall.begin()
    hall.begin("session-2")
    return Errands(sessionmaker(hall.engine), Sealer("master"), lambda: hall.now)


def test_what_was_filled_in_comes_back_to_the_last_letter(errands: Errands) -> None:
    page = Errand("/x?y=1", None, "substantial", None, dropped_files=True)
    for errand in (FORM, page):
        assert errands.get("session-1", errands.keep("session-1", errand)) == errand
    assert FORM.demand.level is Assurance.HIGH
    assert FORM.demand.fresh == timedelta(minutes=10)


def test_it_opens_for_its_own_session_alone_and_only_for_a_while(errands: Errands, hall: Hall) -> None:
    kept = errands.keep("session-1", FORM)
    for session_id, errand_id in (("session-2", kept), ("session-1", "none"), ("session-1", "")):
        with pytest.raises(NothingHere):
            errands.get(session_id, errand_id)
    errands.forget("session-2", kept)
    hall.now += LIFETIME - timedelta(seconds=1)
    assert errands.get("session-1", kept) == FORM
    hall.now += timedelta(seconds=1)
    with pytest.raises(NothingHere):
        errands.get("session-1", kept)


def test_a_forgotten_one_is_gone(errands: Errands) -> None:
    kept = errands.keep("session-1", FORM)
    errands.forget("session-1", kept)
    with pytest.raises(NothingHere):
        errands.get("session-1", kept)


def test_a_session_keeps_a_few_and_the_oldest_gives_way(errands: Errands, hall: Hall) -> None:
    kept = []
    for _ in range(AT_MOST + 2):
        hall.now += timedelta(seconds=1)
        kept.append(errands.keep("session-1", FORM))
    others = errands.keep("session-2", FORM)
    for gone in kept[:2]:
        with pytest.raises(NothingHere):
            errands.get("session-1", gone)
    assert all(errands.get("session-1", one) == FORM for one in kept[2:])
    assert errands.get("session-2", others) == FORM


def test_the_database_holds_it_sealed_and_for_its_own_row_only(errands: Errands, hall: Hall) -> None:
    one, two = errands.keep("session-1", FORM), errands.keep("session-1", Errand("/a", None, "high", None))
    with hall.engine.begin() as connection:
        rows = connection.execute(text("SELECT * FROM errands")).all()
        assert MARY.reveal() not in repr(rows)
        swap = text("UPDATE errands SET sealed = (SELECT sealed FROM errands AS o WHERE o.id = :one) WHERE id = :two")
        connection.execute(swap, {"one": one, "two": two})
    with pytest.raises(InvalidTag):
        errands.get("session-1", two)
    assert MARY.reveal() not in repr(FORM)
