"""A search as text, so that it can be kept sealed until the export of it is made."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date

from portal.domain.identifiers import PersonalCode
from portal.services.oversight import TrailSearch


def criteria_text(wanted: TrailSearch) -> str:
    """JSON of what the search asks for. It may hold a personal code: never keep it unsealed."""
    said = {one.name: getattr(wanted, one.name) for one in fields(wanted)}
    return json.dumps({name: _plain(value) for name, value in said.items() if value is not None})


def criteria_of(text: str) -> TrailSearch:
    said = json.loads(text)
    for name in ("since", "until"):
        if name in said:
            said[name] = date.fromisoformat(said[name])
    if "subject" in said:
        said["subject"] = PersonalCode.parse(said["subject"])
    return TrailSearch(**said)


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return value.reveal() if isinstance(value, PersonalCode) else value
