"""Organisations' systems announce decisions, change them, withdraw them, and make them final.

The person is told at each step. A decision that is contested becomes final only once the dispute is decided, or by a
human who gives a reason, which the log and the person get (GDPR Article 22(3)). One that was found wrong never does: it
is withdrawn, or changed to rest on what is right, and then the notice runs anew.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.domain.actions import Action, Reason
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.intended_decisions import (
    DecisionKeyTaken,
    DecisionRefused,
    DecisionRule,
    DecisionRules,
    DecisionSettled,
    DecisionState,
    FoundWrong,
    Ground,
    HumanDecision,
    RestsOnContestedData,
    grounds_to_json,
)
from portal.domain.machines import Operation
from portal.models.decisions import AnnouncedDecision
from portal.services.alerts import AlertKind
from portal.services.decisions.register import DecisionRegister, ShownDecision, event
from portal.services.decisions.standing import found_wrong
from portal.services.entries import record
from portal.services.machines import Admitted
from portal.services.reports import IDEMPOTENCY_KEY
from portal.services.safeguards import Foundations

_IDS = uuid.UUID("3a4e0a7f-53a5-5d0c-9a52-17d2c5f4b8e6")
#: A reason of fewer characters says nothing that the person could answer.
LEAST_REASON = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What a system tells of an intended decision. `reference` is the organisation's own, and the person sees it."""

    subject: PersonalCode = field(repr=False)
    rule: str
    reference: str
    automated: bool
    effect_on: date
    grounds: tuple[Ground, ...]


class Announcing:
    """The organisations' side."""

    def __init__(self, on: Foundations, register: DecisionRegister, rules: DecisionRules) -> None:
        self._on = on
        self._register = register
        self._rules = rules
        self._zone: ZoneInfo = on.zone

    def announce(self, admitted: Admitted, told: Announcement, key: str, *, request_id: str) -> ShownDecision:
        """Keep an intended decision and tell the person. The same `key` with the same content gives the same answer.

        Raises:
            ClientRefused: the system's token is not for this rule's registry.
            DecisionRefused: it contradicts the rules, takes effect too soon for the person to answer, or rests on a
                value that was found wrong.
            DecisionKeyTaken: the key stands for another decision.
            DisclosureUnavailable: the log could not record it; nothing was kept.
        """
        rule = self._admissible(admitted, told.rule, key)
        decision_id = str(uuid.uuid5(_IDS, f"{admitted.client.code}\n{key}"))
        digest = self._register.digest_of(_canonical(told))
        row = self._kept(rule.organisation, decision_id)
        if row is None:
            self._refuse(self._mistakes_of(rule, told.subject, told.effect_on, told.grounds))
            try:
                row = self._keep(rule.organisation, decision_id, told, digest, request_id)
            except IntegrityError:  # the same key came twice at once
                row = self._kept(rule.organisation, decision_id)
        if row is None or row.request_digest != digest:
            raise DecisionKeyTaken
        self._on.alerts().tell_person(told.subject, AlertKind.DECISION_INTENDED, f"{decision_id}/{row.first_entry}")
        return self._register.shown(row)

    def one(self, admitted: Admitted, decision_id: str) -> ShownDecision:
        """Raises NothingHere for what this organisation did not announce, ClientRefused beyond the token."""
        row = self._kept(admitted.client.organisation, decision_id)
        if row is None:
            raise NothingHere
        shown = self._register.shown(row)
        self._rule_of(admitted, shown)
        return shown

    def change(
        self, admitted: Admitted, decision_id: str, effect_on: date, grounds: tuple[Ground, ...], *, request_id: str
    ) -> ShownDecision:
        """Another day, other grounds: the notice runs anew. Raises as `announce`, NothingHere and DecisionSettled."""
        before = self.one(admitted, decision_id)
        self._refuse(self._mistakes_of(self._rule_of(admitted, before), before.subject, effect_on, grounds))
        sealed = self._register.seal_grounds(grounds, decision_id)
        return self._step(
            before,
            Action.DECISION_CHANGE,
            request_id,
            effect_on=effect_on,
            sealed_grounds=sealed,
            changed_at=self._on.clock(),
        )

    def withdraw(self, admitted: Admitted, decision_id: str, *, request_id: str) -> ShownDecision:
        """Raises NothingHere, ClientRefused, DecisionSettled, DisclosureUnavailable."""
        before = self.one(admitted, decision_id)
        return self._settle(before, Action.DECISION_WITHDRAWAL, DecisionState.WITHDRAWN, None, request_id)

    def make_final(
        self, admitted: Admitted, decision_id: str, human: HumanDecision | None, *, request_id: str
    ) -> ShownDecision:
        """From the announced day on. What is refused for the person's sake is an entry in their history too.

        Raises:
            NothingHere, ClientRefused, DecisionSettled, DisclosureUnavailable: as above.
            DecisionRefused: the day has not come, or the human's reason says too little.
            RestsOnContestedData: the person contests it or what it rests on, and no human decided.
            FoundWrong: the person was found right, about it or about what it rests on.
        """
        before = self.one(admitted, decision_id)
        if before.state is not DecisionState.INTENDED:
            raise DecisionSettled
        if human is not None and len(human.reason.strip()) < LEAST_REASON:
            raise DecisionRefused({"human.reason": f"at least {LEAST_REASON} characters"})
        if self._today() < before.effect_on:
            self._deny(before, Reason.NOTICE_NOT_OVER, human, request_id)
            raise DecisionRefused({"effect_on": "the announced day has not come"})
        if before.is_found_wrong:
            self._deny(before, Reason.FOUND_WRONG, human, request_id)
            raise FoundWrong
        if before.contested_since is not None and human is None:
            self._deny(before, Reason.CONTESTED_DATA, human, request_id)
            raise RestsOnContestedData
        return self._settle(before, Action.DECISION_FINAL, DecisionState.FINAL, human, request_id)

    def _settle(
        self,
        before: ShownDecision,
        action: Action,
        state: DecisionState,
        human: HumanDecision | None,
        request_id: str,
    ) -> ShownDecision:
        sealed = None if human is None else self._register.seal(human.reason, before.decision_id, "reason")
        return self._step(
            before,
            action,
            request_id,
            human,
            state=state,
            settled_at=self._on.clock(),
            was_contested=bool(before.contests) or before.contested_since is not None,
            was_upheld=any(one.person_was_right for one in before.contests),
            sealed_reason=sealed,
        )

    def _deny(self, before: ShownDecision, reason: Reason, human: HumanDecision | None, request_id: str) -> None:
        denied = event(Action.DECISION_FINAL, before, self._on.clock(), request_id, human=human, refused=reason)
        record(self._on.log, [denied])

    def _step(
        self,
        before: ShownDecision,
        action: Action,
        request_id: str,
        human: HumanDecision | None = None,
        **values: Any,
    ) -> ShownDecision:
        """Only if it stands as it was read; the row's lock keeps others out until the entry is durable."""
        with self._on.sessions.begin() as session:
            session.expire_on_commit = False
            self._lock(session, before, values)
            row = session.get_one(AnnouncedDecision, before.decision_id)
            # Whether it is contested is told as of this step: a settled row no longer asks for marks.
            entry = event(action, replace(before, effect_on=row.effect_on), self._on.clock(), request_id, human=human)
            row.last_entry = record(self._on.log, [entry])[0].seq
        place = f"{before.decision_id}/{row.last_entry}"
        self._on.alerts().tell_person(before.subject, AlertKind.DECISION_STEP, place)
        return self._register.shown(row)

    def _lock(self, session: Session, before: ShownDecision, values: dict[str, Any]) -> None:
        changed = session.execute(
            update(AnnouncedDecision)
            .where(
                AnnouncedDecision.id == before.decision_id,
                AnnouncedDecision.state == DecisionState.INTENDED,
                AnnouncedDecision.last_entry == before.last_entry,
            )
            .values(**values)
            .returning(AnnouncedDecision.id)
            .execution_options(synchronize_session=False)
        ).all()
        if not changed:
            raise DecisionSettled

    def _kept(self, organisation: str, decision_id: str) -> AnnouncedDecision | None:
        with self._on.sessions() as session:
            return self._register.of_organisation(session, organisation, decision_id)

    def _keep(
        self, organisation: str, decision_id: str, told: Announcement, digest: bytes, request_id: str
    ) -> AnnouncedDecision:
        row = AnnouncedDecision(
            id=decision_id,
            organisation=organisation,
            rule=told.rule,
            reference=told.reference,
            subject_index=self._register.index_of(told.subject),
            sealed_subject=self._register.seal(told.subject.reveal(), decision_id, "subject"),
            sealed_grounds=self._register.seal_grounds(told.grounds, decision_id),
            request_digest=digest,
            automated=told.automated,
            effect_on=told.effect_on,
            state=DecisionState.INTENDED,
            announced_at=self._on.clock(),
            was_contested=False,
            was_upheld=False,
            first_entry=0,
            last_entry=0,
        )
        entry = event(Action.DECISION_ANNOUNCEMENT, self._register.shown(row), row.announced_at, request_id)
        with self._on.sessions.begin() as session:
            session.expire_on_commit = False
            session.add(row)
            session.flush()
            row.first_entry = row.last_entry = record(self._on.log, [entry])[0].seq
        return row

    def _admissible(self, admitted: Admitted, code: str, key: str) -> DecisionRule:
        """The rule by which this system may announce. Raises DecisionRefused, ClientRefused."""
        rule = self._rules.rules.get(code)
        mistakes: dict[str, str] = {}
        if IDEMPOTENCY_KEY.fullmatch(key) is None:
            mistakes["Idempotency-Key"] = "8 to 128 letters, digits and . _ ~ -"
        if rule is None or rule.organisation != admitted.client.organisation:
            mistakes["rule"] = "is no rule of this organisation"
        if rule is None or mistakes:
            raise DecisionRefused(mistakes)
        admitted.require(Operation.ANNOUNCE_DECISION, rule.registry)
        return rule

    def _mistakes_of(
        self, rule: DecisionRule, subject: PersonalCode, effect_on: date, grounds: tuple[Ground, ...]
    ) -> dict[str, str]:
        today = self._today()
        earliest = today + timedelta(days=self._rules.notice_days)
        mistakes = {}
        if effect_on < earliest:
            days = self._rules.notice_days
            mistakes["effect_on"] = f"too soon: the person has {days} days to answer, so from {earliest}"
        if not grounds or len({ground.name for ground in grounds}) != len(grounds):
            mistakes["data"] = "names no field, or one twice"
        elif not all(ground.name in rule.data for ground in grounds):
            mistakes["data"] = "the rule rests on other fields than these"
        elif any(ground.as_of is not None and ground.as_of > today for ground in grounds):
            mistakes["data"] = "as of a day that has not come"
        else:
            mistakes |= self._found_wrong(subject, grounds)
        return mistakes

    def _found_wrong(self, subject: PersonalCode, grounds: tuple[Ground, ...]) -> dict[str, str]:
        """A value on which the person was found right is not used again: only one as of that day or later."""
        contests = self._register.standings.contests(subject, None, grounds)
        for ground in grounds:
            since = found_wrong(ground, contests)
            if since is not None:
                return {"data": f"{ground.name} was found wrong: as_of is to be {since} or later"}
        return {}

    @staticmethod
    def _refuse(mistakes: dict[str, str]) -> None:
        if mistakes:
            raise DecisionRefused(mistakes)

    def _rule_of(self, admitted: Admitted, decision: ShownDecision) -> DecisionRule:
        """The rule by which it was announced. Raises NothingHere where the catalogue has it no more, ClientRefused."""
        rule = self._rules.rules.get(decision.rule)
        if rule is None:
            raise NothingHere
        admitted.require(Operation.ANNOUNCE_DECISION, rule.registry)
        return rule

    def _today(self) -> date:
        return self._on.clock().astimezone(self._zone).date()


def _canonical(told: Announcement) -> str:
    parts = [told.subject.subject, told.rule, told.reference, told.automated, told.effect_on.isoformat()]
    return json.dumps([*parts, grounds_to_json(told.grounds)])
