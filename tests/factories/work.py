"""How much work a request makes: what somebody who measures time could tell apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event

from audit.log import AuditLog
from tests.factories.apps import FakePortal

#: When a session was last seen is noted now and then, whatever is asked.
_BY_THE_CLOCK = "UPDATE sessions"
#: How many of one's own looks there are to compare with grows with each look, whoever it is at.
_LISTED = re.compile(r"IN \([^()]*(?:\([^()]*\)[^()]*)*\)")


@dataclass
class Work:
    """SQL statements by their text, entries appended by action and outcome, and registries asked."""

    statements: Counter[str] = field(default_factory=Counter)
    entries: Counter[tuple[str, str]] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)


@contextmanager
def counted(portal: FakePortal) -> Iterator[Work]:
    """Counts what all engines, the log and the registries of this process do meanwhile."""
    work = Work()

    def statement(_: Any, __: Any, text: str, *___: Any) -> None:
        if not text.startswith(_BY_THE_CLOCK):
            work.statements[_LISTED.sub("IN (…)", text)] += 1

    log, append, append_all = portal.house.log, portal.house.log.append, portal.house.log.append_all

    def one(access: Any, **options: Any) -> Any:
        work.entries[access.action, access.outcome] += 1
        return append(access, **options)

    def all_of(accesses: Any) -> Any:
        work.entries.update((access.action, access.outcome) for access in accesses)
        return append_all(accesses)

    before = {code: len(registry.asked) for code, registry in portal.registries.items()}
    event.listen(Engine, "before_cursor_execute", statement)
    _put(log, one, all_of)
    try:
        yield work
    finally:
        _put(log, append, append_all)
        event.remove(Engine, "before_cursor_execute", statement)
        for code, registry in portal.registries.items():
            work.asked[code] = len(registry.asked) - before[code]


def _put(log: AuditLog, append: Any, append_all: Any) -> None:
    log.append = append  # type: ignore[method-assign]
    log.append_all = append_all  # type: ignore[method-assign]
