"""The measures: each a statement over the columns of the trail, the same for every engine."""

from __future__ import annotations

from typing import Any

from sqlalchemy import FromClause, Select, and_, case, func, select

from audit.figures import Measure
from portal.domain.actions import Action, Outcome

#: Looks at a person's data by somebody else: what statistics speak of.
LOOKS = (Action.READ, Action.AUTOMATED_READ)


def looks_by_day(since: int, until: int) -> Measure:
    """(day, organisation, automatic, outcome, looks, with a case) for the days since <= day < until."""

    def measure(accesses: FromClause) -> Select[Any]:
        columns = accesses.c
        with_case = func.sum(case((columns.case.is_not(None), 1), else_=0))
        keys = (columns.day, columns.organisation, columns.automatic, columns.outcome)
        return (
            select(*keys, func.count().label("looks"), with_case.label("with_case"))
            .where(_looks_between(accesses, since, until))
            .group_by(*keys)
            .order_by(*keys)
        )

    return measure


def looks_by_purpose(since: int, until: int) -> Measure:
    """(purpose, looks, denied) for these days, the most frequent purpose first."""

    def measure(accesses: FromClause) -> Select[Any]:
        columns = accesses.c
        denied = func.sum(case((columns.outcome == Outcome.DENIED.value, 1), else_=0))
        looks = func.count().label("looks")
        return (
            select(columns.purpose, looks, denied.label("denied"))
            .where(_looks_between(accesses, since, until))
            .group_by(columns.purpose)
            .order_by(looks.desc(), columns.purpose)
        )

    return measure


def people_looked_at(since: int, until: int) -> Measure:
    """(people, officials): how many different people were looked at, by how many different officials."""

    def measure(accesses: FromClause) -> Select[Any]:
        columns = accesses.c
        people: list[Any] = [func.count(columns.subject.distinct()), func.count(columns.official.distinct())]
        return select(*people).where(_looks_between(accesses, since, until))

    return measure


def days_of_registries(since: int, until: int) -> Measure:
    """(registry, day, entries) for these days: on which of them a registry was heard of at all."""

    def measure(accesses: FromClause) -> Select[Any]:
        columns = accesses.c
        keys = (columns.registry, columns.day)
        return (
            select(*keys, func.count().label("entries"))
            .where(columns.registry.is_not(None), columns.day >= since, columns.day < until)
            .group_by(*keys)
            .order_by(*keys)
        )

    return measure


def _looks_between(accesses: FromClause, since: int, until: int) -> Any:
    columns = accesses.c
    return and_(
        columns.action.in_([action.value for action in LOOKS]),
        # A failed fetch is a second entry beside the look that it belongs to, and is not counted twice.
        columns.outcome != Outcome.FAILED.value,
        columns.day >= since,
        columns.day < until,
    )
