"""Cedar, asked: which rules hold for a field. What it cannot answer is a no."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cedarpy import AuthzResult, Entities, PolicySet, Schema, is_authorized_batch

from portal.domain.decisions import Facts
from portal.domain.purposes import Purpose
from portal.registries.catalogue import Catalogue, Rule

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine said of one field. `rules` decided it; none: no rule permits. `failed`: it gave no answer."""

    allowed: bool
    rules: tuple[Rule, ...] = ()
    failed: bool = False


class PolicyEngine:
    """The catalogue's rules over the catalogue's purposes and fields, parsed once.

    Every question is asked of all fields at once: Cedar's cost lies in the call, not in the number of fields.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        rules = catalogue.rules
        self._rules = rules.by_code
        self._schema = Schema.from_str(rules.schema)
        self._policies = PolicySet.from_str(rules.text)
        entities = [_field(field) for field in _all_fields(catalogue)]
        entities += [_purpose(purpose) for purpose in catalogue.purposes.values()]
        self._entities = Entities.from_json_str(json.dumps(entities), self._schema)

    def answers(
        self, role: str, organisation: str, purpose: Purpose, facts: Facts, fields: Sequence[str]
    ) -> dict[str, Answer]:
        """One answer for each of `fields` ("registry/field"). A failure of the engine is logged, and denies."""
        try:
            # The party is of this question alone. It is put beside the others, which are parsed already.
            party = {
                "uid": _uid("Party", "asker"),
                "attrs": {"role": role, "organisation": organisation},
                "parents": [],
            }
            entities = self._entities.with_added_json_str(json.dumps([party]), self._schema)
            asked = [_request(purpose, facts, name) for name in fields]
            results = is_authorized_batch(asked, self._policies, entities, self._schema)
        except (ValueError, RuntimeError):
            logger.exception("policy engine failed purpose=%s", purpose.code)
            return {name: Answer(False, failed=True) for name in fields}
        return {name: self._answer(result, purpose) for name, result in zip(fields, results, strict=True)}

    def _answer(self, result: AuthzResult, purpose: Purpose) -> Answer:
        if result.diagnostics.errors:
            logger.error("policy engine could not evaluate a rule purpose=%s", purpose.code)
            return Answer(False, failed=True)
        codes = result.diagnostics.id_annotations_by_reason.values()
        return Answer(result.allowed, tuple(self._rules[code] for code in sorted(codes)))


def _all_fields(catalogue: Catalogue) -> list[tuple[str, str, bool, bool]]:
    return [
        (registry.code, field.code, field.sensitive, field.second_person)
        for registry in catalogue.registries.values()
        for field in registry.fields.values()
    ]


def _field(described: tuple[str, str, bool, bool]) -> dict[str, Any]:
    registry, code, sensitive, second_person = described
    attributes = {"registry": registry, "sensitive": sensitive, "second_person": second_person}
    return {"uid": _uid("Field", f"{registry}/{code}"), "attrs": attributes, "parents": []}


def _purpose(purpose: Purpose) -> dict[str, Any]:
    fields = [f"{registry}/{field}" for registry, codes in purpose.permits.items() for field in codes]
    attributes = {
        "roles": sorted(purpose.roles),
        "organisations": sorted(purpose.organisations),
        "fields": [{"__entity": _uid("Field", name)} for name in fields],
        "case_required": purpose.case_required,
        "automatic": purpose.is_automatic,
        "may_use_restricted": purpose.may_use_restricted,
    }
    return {"uid": _uid("Purpose", purpose.code), "attrs": attributes, "parents": []}


def _request(purpose: Purpose, facts: Facts, name: str) -> dict[str, Any]:
    return {
        "principal": _uid("Party", "asker"),
        "action": _uid("Action", "open"),
        "resource": _uid("Field", name),
        "context": {
            "purpose": {"__entity": _uid("Purpose", purpose.code)},
            "case": facts.case.value,
            "relation": facts.relation.value,
            "restricted": name in facts.restricted,
            "guarded": facts.guarded,
            "marked": name in facts.marked,
            "approved": facts.approved,
            "emergency": facts.emergency,
        },
    }


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}
