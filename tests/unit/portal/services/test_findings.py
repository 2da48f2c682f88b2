"""A finding goes its steps in order, each an entry in the log, and nobody has a hand in one about themselves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from audit.errors import LogUnavailable
from audit.log import TrailQuery
from audit.verify import verify_receipt
from portal.domain.actions import Action
from portal.domain.actors import Actor, Role
from portal.domain.errors import DisclosureUnavailable, NothingHere
from portal.domain.findings import FindingRefused, FindingState, Sanction, StepKind, Verdict, Why
from portal.services.accounts import NewAccount
from portal.services.findings import Findings
from tests.factories.houses import FakeHouse
from tests.factories.logs import an_access
from tests.factories.people import JUHAN, MARY, a_citizen


class Scene:
    """An auditor, a second one, a caseworker with three looks, and what the first auditor was shown of them."""

    def __init__(self, house: FakeHouse) -> None:
        self.house = house
        self.findings: Findings = house.findings
        people = [
            NewAccount(Role.AUDITOR, "Aita Aruste", "data-protection-inspectorate"),
            NewAccount(Role.AUDITOR, "Bert Biene", "data-protection-inspectorate"),
            NewAccount(Role.CASEWORKER, "Kadri Kask", "social-insurance-board"),
        ]
        self.auditor, self.second, self.official = (house.accounts.actor(one) for one in house.accounts.open(people))
        looks = [(MARY, self.official), (JUHAN, self.official), (MARY, self.official), (MARY, self.second)]
        self.seqs = [
            house.log.append(an_access(subject=code.subject, official=who.account_id, official_name=who.name)).seq
            for code, who in looks
        ]

    def reference(self, look: int, actor: Actor | None = None) -> str:
        return self.house.oversight.reference(actor or self.auditor, self.seqs[look])

    def opened(self) -> str:
        return self.findings.open(self.auditor, self.reference(0), "No case, and she is his neighbour", request_id="r")

    def decided(self, verdict: Verdict = Verdict.CONFIRMED) -> str:
        finding_id = self.opened()
        sanction = Sanction.WARNING if verdict is Verdict.CONFIRMED else Sanction.NONE
        self.findings.decide(self.auditor, finding_id, verdict, sanction, "No reason was found", request_id="r")
        return finding_id

    def steps(self, finding_id: str) -> list[StepKind]:
        return [step.kind for step in self.findings.file(self.second, finding_id).steps]

    def logged(self, action: Action) -> int:
        return self.house.log.count(TrailQuery(actions=frozenset({action.value})))


@pytest.fixture
def scene(house: FakeHouse) -> Scene:
    return Scene(house)


@pytest.fixture
def scene_on_both(tmp_path: Path, database_url: str) -> Iterator[Scene]:
    house = FakeHouse.build(tmp_path, f"sqlite:///{tmp_path / 'log.db'}", database_url)
    with closing(house):
        yield Scene(house)


def test_a_finding_goes_from_the_first_doubt_to_its_end_and_each_step_is_logged(scene_on_both: Scene) -> None:
    scene = scene_on_both
    findings, auditor = scene.findings, scene.auditor
    finding_id = scene.opened()
    findings.attach(auditor, finding_id, scene.reference(1), request_id="r")
    findings.ask(auditor, finding_id, "Why did you look at them?", request_id="r")
    [question] = findings.questions(scene.official)
    assert (question.text, len(question.looks)) == ("Why did you look at them?", 2)
    findings.answer(scene.official, finding_id, "I was curious", request_id="r")
    assert findings.questions(scene.official) == []
    findings.take_over(scene.second, finding_id, request_id="r")
    findings.decide(
        scene.second, finding_id, Verdict.CONFIRMED, Sanction.RIGHTS_WITHDRAWN, "By his own word", request_id="r"
    )
    assert findings.tell(scene.second, finding_id, request_id="r") == 2
    findings.close(scene.second, finding_id, "The employer was told", request_id="r")
    found = findings.file(auditor, finding_id)
    assert found.row.state is FindingState.CLOSED
    assert [step.kind for step in found.steps] == [
        StepKind.OPENED, StepKind.EVIDENCE, StepKind.QUESTION, StepKind.STATEMENT, StepKind.ASSIGNED,
        StepKind.DECISION, StepKind.NOTICE, StepKind.CLOSED,
    ]  # fmt: skip
    for step in found.steps:
        access = scene.house.log.entry(step.entry).access
        assert access is not None
        assert access.details["finding"] == 1
    assert [(one.opened, one.confirmed, one.dismissed) for one in findings.tallies()] == [(1, 1, 0)]


def test_whoever_was_looked_at_reads_of_confirmed_misuse_in_their_own_history(scene: Scene) -> None:
    finding_id = scene.decided()
    assert scene.house.trail.notices(a_citizen(MARY)) == []
    scene.findings.tell(scene.auditor, finding_id, request_id="r")
    [notice] = scene.house.trail.notices(a_citizen(MARY))
    assert notice.action == Action.FINDING_NOTICE
    assert scene.house.trail.notices(a_citizen(JUHAN)) == []


def test_an_access_under_a_seal_is_not_given_away_by_a_notice(scene: Scene) -> None:
    sealed = scene.house.log.append(
        an_access(subject=JUHAN.subject, official=scene.official.account_id, seal="seal-1", justification="x")
    )
    finding_id = scene.opened()
    reference = scene.house.oversight.reference(scene.auditor, sealed.seq)
    scene.findings.attach(scene.auditor, finding_id, reference, request_id="r")
    scene.findings.decide(scene.auditor, finding_id, Verdict.CONFIRMED, Sanction.NONE, "No reason", request_id="r")
    assert scene.findings.tell(scene.auditor, finding_id, request_id="r") == 1
    assert scene.house.trail.notices(a_citizen(JUHAN)) == []


def test_confirmed_misuse_cannot_be_closed_before_the_people_were_told(scene: Scene) -> None:
    finding_id = scene.decided()
    with pytest.raises(FindingRefused) as refused:
        scene.findings.close(scene.auditor, finding_id, "over", request_id="r")
    assert refused.value.why is Why.PEOPLE_NOT_TOLD
    assert StepKind.CLOSED not in scene.steps(finding_id)
    assert scene.logged(Action.FINDING_CLOSING) == 0


def test_nobody_is_told_of_what_was_not_misuse(scene: Scene) -> None:
    finding_id = scene.decided(Verdict.DISMISSED)
    with pytest.raises(FindingRefused) as refused:
        scene.findings.tell(scene.auditor, finding_id, request_id="r")
    assert refused.value.why is Why.NOT_CONFIRMED
    scene.findings.close(scene.auditor, finding_id, "Nothing came of it", request_id="r")
    assert scene.house.trail.notices(a_citizen(MARY)) == []


def test_a_sanction_goes_with_confirmed_misuse_alone(scene: Scene) -> None:
    finding_id = scene.opened()
    with pytest.raises(FindingRefused) as refused:
        scene.findings.decide(
            scene.auditor, finding_id, Verdict.DISMISSED, Sanction.WARNING, "to be safe", request_id="r"
        )
    assert refused.value.why is Why.NOT_CONFIRMED


def test_nothing_is_decided_while_the_official_has_not_answered(scene: Scene) -> None:
    finding_id = scene.opened()
    scene.findings.ask(scene.auditor, finding_id, "Why?", request_id="r")
    for step in (
        lambda: scene.findings.decide(
            scene.auditor, finding_id, Verdict.CONFIRMED, Sanction.NONE, "no", request_id="r"
        ),
        lambda: scene.findings.ask(scene.auditor, finding_id, "Well?", request_id="r"),
    ):
        with pytest.raises(FindingRefused) as refused:
            step()
        assert refused.value.why is Why.QUESTION_OPEN


def test_a_decided_finding_takes_no_evidence_question_or_second_decision(scene: Scene) -> None:
    finding_id = scene.decided()
    before = scene.steps(finding_id)
    for step in (
        lambda: scene.findings.attach(scene.auditor, finding_id, scene.reference(1), request_id="r"),
        lambda: scene.findings.ask(scene.auditor, finding_id, "Why?", request_id="r"),
        lambda: scene.findings.decide(
            scene.auditor, finding_id, Verdict.DISMISSED, Sanction.NONE, "after all", request_id="r"
        ),
    ):
        with pytest.raises(FindingRefused) as refused:
            step()
        assert refused.value.why is Why.ALREADY_DECIDED
    assert scene.steps(finding_id) == before


def test_an_auditor_neither_opens_nor_sees_nor_changes_a_finding_about_themselves(scene: Scene) -> None:
    with pytest.raises(FindingRefused) as refused:
        scene.findings.open(scene.second, scene.reference(3, scene.second), "me", request_id="r")
    assert refused.value.why is Why.OWN_CASE
    finding_id = scene.findings.open(scene.auditor, scene.reference(3), "A colleague looked", request_id="r")
    assert scene.findings.newest(scene.second) == []
    for step in (
        lambda: scene.findings.file(scene.second, finding_id),
        lambda: scene.findings.take_over(scene.second, finding_id, request_id="r"),
        lambda: scene.findings.decide(
            scene.second, finding_id, Verdict.DISMISSED, Sanction.NONE, "fine", request_id="r"
        ),
    ):
        with pytest.raises(NothingHere):
            step()


def test_the_evidence_is_about_one_official_and_holds_an_entry_once(scene: Scene) -> None:
    finding_id = scene.opened()
    with pytest.raises(FindingRefused) as refused:
        scene.findings.attach(scene.auditor, finding_id, scene.reference(3), request_id="r")
    assert refused.value.why is Why.ANOTHER_OFFICIAL
    for _ in range(2):
        scene.findings.attach(scene.auditor, finding_id, scene.reference(1), request_id="r")
    assert len(scene.findings.file(scene.auditor, finding_id).evidence) == 2
    assert scene.logged(Action.FINDING_EVIDENCE) == 1


@pytest.mark.parametrize("reference", ["", "x", "AAAA", "../1"])
def test_a_forged_reference_opens_nothing(scene: Scene, reference: str) -> None:
    with pytest.raises(NothingHere):
        scene.findings.open(scene.auditor, reference, "x", request_id="r")
    with pytest.raises(NothingHere):
        scene.findings.open(scene.auditor, scene.reference(0, scene.second), "another's reference", request_id="r")


def test_only_the_official_who_was_asked_answers_and_only_once(scene: Scene) -> None:
    finding_id = scene.opened()
    with pytest.raises(NothingHere):
        scene.findings.answer(scene.official, finding_id, "unasked", request_id="r")
    scene.findings.ask(scene.auditor, finding_id, "Why?", request_id="r")
    with pytest.raises(NothingHere):
        scene.findings.answer(scene.second, finding_id, "for him", request_id="r")
    scene.findings.answer(scene.official, finding_id, "Curious", request_id="r")
    with pytest.raises(NothingHere):
        scene.findings.answer(scene.official, finding_id, "and again", request_id="r")


def test_a_step_that_cannot_be_logged_is_not_taken(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    finding_id = scene.opened()

    def unavailable(_accesses: object) -> None:
        raise LogUnavailable("the disk is full")

    monkeypatch.setattr(scene.house.log, "append_all", unavailable)
    with pytest.raises(DisclosureUnavailable):
        scene.findings.decide(scene.auditor, finding_id, Verdict.CONFIRMED, Sanction.NONE, "x", request_id="r")
    found = scene.findings.file(scene.auditor, finding_id)
    assert (found.row.state, [step.kind for step in found.steps]) == (FindingState.OPEN, [StepKind.OPENED])


def test_of_two_decisions_at_once_one_holds(scene_on_both: Scene) -> None:
    scene = scene_on_both
    finding_id = scene.opened()
    told: list[str] = []
    ready = threading.Barrier(2)

    def decide(actor: Actor, verdict: Verdict) -> None:
        ready.wait()
        try:
            scene.findings.decide(actor, finding_id, verdict, Sanction.NONE, "x", request_id="r")
            told.append(verdict.value)
        except FindingRefused as refused:
            told.append(refused.why.value)

    threads = [
        threading.Thread(target=decide, args=(scene.auditor, Verdict.CONFIRMED)),
        threading.Thread(target=decide, args=(scene.second, Verdict.DISMISSED)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told)[0] == Why.ALREADY_DECIDED.value
    assert scene.logged(Action.FINDING_DECISION) == 1


def test_what_people_wrote_and_whom_it_is_about_is_sealed_at_rest(scene: Scene) -> None:
    finding_id = scene.opened()
    with scene.house.engine.connect() as connection:
        rows = [
            str(tuple(row))
            for table in ("findings", "finding_steps", "finding_evidence")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert rows
    for said in ("neighbour", scene.official.name, MARY.subject):
        assert not any(said in row for row in rows)
    assert scene.findings.file(scene.auditor, finding_id).steps[0].text == "No case, and she is his neighbour"


def test_the_proofs_of_the_evidence_hold_without_the_portal(scene: Scene) -> None:
    finding_id = scene.opened()
    [(name, receipt)] = list(scene.findings.proofs(scene.auditor, finding_id, lambda _logged: False))
    assert name == f"entry-{scene.seqs[0]}.txt"
    assert verify_receipt(receipt.encode(), [scene.house.home.verifier]).index == scene.seqs[0]
    assert len(receipt) < len(next(scene.findings.proofs(scene.auditor, finding_id, lambda _logged: True))[1])
