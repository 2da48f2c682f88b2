"""Cases to work on, taken over as a case system would hand them over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.domain.identifiers import PersonalCode
from portal.services.case_files import CaseRow
from portal.services.case_import import RowOutcome
from portal.services.casework_room import CaseworkRoom
from tests.factories.people import MARY


def a_row(subjects: Sequence[PersonalCode] = (MARY,), officials: Sequence[str] = (), **changes: Any) -> CaseRow:
    """An open case of the social insurance board about Mary, with whatever the test wants otherwise."""
    values: dict[str, Any] = {
        "line": 2,
        "reference": "SKA-2026-00017",
        "kind": "Family benefit",
        "purpose": "benefit-claim",
        "organisation": "social-insurance-board",
        "team": "",
        "opened": "2026-02-20",
        "closed": "",
        "subjects": tuple(code.reveal() for code in subjects),
        "officials": tuple(officials),
    }
    return CaseRow(**values | changes)


def take_over(room: CaseworkRoom, *rows: CaseRow) -> list[RowOutcome]:
    return room.case_import.take_over(rows, request_id="import")
