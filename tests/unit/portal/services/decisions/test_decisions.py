"""A decision is announced in time, held back while it is contested, and never made final on what was found wrong."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest

from audit.entry import Access
from audit.errors import LogUnavailable
from audit.log import TrailQuery
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.disputes import DisputeKind, Ruling
from portal.domain.errors import DisclosureUnavailable, NothingHere
from portal.domain.intended_decisions import (
    DecisionKeyTaken,
    DecisionRefused,
    DecisionSettled,
    DecisionState,
    FoundWrong,
    Ground,
    HumanDecision,
    RestsOnContestedData,
)
from portal.domain.machines import ClientRefused
from portal.services.decisions.own import Objection
from portal.services.decisions.register import ShownDecision
from tests.factories.deciding import ADDRESS, HUMAN_REASON, PARTNER, WHY, DecisionDesk, a_deciding_system
from tests.factories.people import JUHAN, MARY, a_caseworker, a_citizen

MARI = a_citizen()
BOARD = a_deciding_system()
HUMAN = HumanDecision("official-7", HUMAN_REASON)


def _steps(desk: DecisionDesk) -> list[Access]:
    wanted = frozenset(action for action in Action if action.value.startswith("decision-"))
    return [item.access for item in desk.house.log.stream(TrailQuery(actions=wanted)) if item.access is not None]


def _contest(desk: DecisionDesk, decision: ShownDecision, ground: Ground | None = PARTNER) -> str:
    objection = Objection(None if ground is None else ground.name, WHY)
    return desk.decisions.own.contest(MARI, decision.decision_id, objection, request_id="contest")


def _make_final(desk: DecisionDesk, decision: ShownDecision, human: HumanDecision | None = None) -> ShownDecision:
    return desk.decisions.announcing.make_final(BOARD, decision.decision_id, human, request_id="final")


def test_the_person_reads_what_is_intended_on_which_data_from_where_and_how_sure_the_match_is(
    desk: DecisionDesk,
) -> None:
    decision = desk.decisions.own.one(MARI, desk.announce().decision_id)
    assert (decision.state, decision.organisation, decision.automated) == (DecisionState.INTENDED, "tax-board", True)
    assert [shown.ground for shown in decision.grounds] == [PARTNER, ADDRESS]
    assert decision.effect_on == desk.today + timedelta(days=20)
    assert decision.contested_since is None
    assert not decision.is_found_wrong


def test_every_step_is_an_entry_about_the_person_with_a_receipt(desk: DecisionDesk) -> None:
    decision = desk.announce()
    desk.decisions.announcing.change(
        BOARD, decision.decision_id, desk.today + timedelta(days=30), (PARTNER,), request_id="change"
    )
    desk.decisions.announcing.withdraw(BOARD, decision.decision_id, request_id="withdraw")
    steps = _steps(desk)
    assert [step.action for step in steps] == [
        Action.DECISION_ANNOUNCEMENT,
        Action.DECISION_CHANGE,
        Action.DECISION_WITHDRAWAL,
    ]
    assert {(step.subject, step.organisation, step.automatic) for step in steps} == {(MARY.subject, "tax-board", True)}
    assert {step.details["decision"] for step in steps} == {decision.decision_id}
    assert desk.decisions.own.receipt(MARI, decision.decision_id).text


@pytest.mark.parametrize("days", [0, 13])
def test_no_decision_is_announced_for_a_day_before_its_notice_is_over(quick_desk: DecisionDesk, days: int) -> None:
    with pytest.raises(DecisionRefused) as refused:
        quick_desk.announce(effect_on=quick_desk.today + timedelta(days=days))
    assert "14 days to answer" in refused.value.mistakes["effect_on"]
    assert quick_desk.decisions.own.all(MARI) == []


def test_no_decision_is_made_final_before_its_day_and_the_attempt_is_in_the_history(quick_desk: DecisionDesk) -> None:
    decision = quick_desk.announce()
    quick_desk.wait(days=19)
    with pytest.raises(DecisionRefused):
        _make_final(quick_desk, decision, HUMAN)
    denied = _steps(quick_desk)[-1]
    assert (denied.outcome, denied.reason) == (Outcome.DENIED, Reason.NOTICE_NOT_OVER)
    quick_desk.wait(days=1)
    assert _make_final(quick_desk, decision).state is DecisionState.FINAL


def test_a_change_lets_the_notice_run_anew(quick_desk: DecisionDesk) -> None:
    decision = quick_desk.announce()
    quick_desk.wait(days=19)
    change = quick_desk.decisions.announcing.change
    with pytest.raises(DecisionRefused):
        change(BOARD, decision.decision_id, decision.effect_on, (PARTNER,), request_id="change")
    changed = change(
        BOARD, decision.decision_id, quick_desk.today + timedelta(days=14), (ADDRESS,), request_id="change"
    )
    assert [shown.ground for shown in changed.grounds] == [ADDRESS]
    quick_desk.wait(days=2)
    with pytest.raises(DecisionRefused):
        _make_final(quick_desk, decision)


def test_what_is_contested_from_the_decision_carries_that_mark_to_the_organisations_system(desk: DecisionDesk) -> None:
    decision = desk.announce()
    dispute = _contest(desk, decision)
    standing = desk.standing(decision)
    assert standing.contested_since is not None
    assert [shown.contested_since is not None for shown in standing.grounds] == [True, False]
    [contest] = desk.decisions.own.one(MARI, decision.decision_id).contests
    assert (contest.dispute_id, contest.is_open, contest.names_it) == (dispute, True, True)
    assert desk.disputes.own.one(MARI, dispute).decision == decision.decision_id


def test_a_dispute_opened_from_the_data_holds_the_decision_back_as_well(desk: DecisionDesk) -> None:
    decision = desk.announce()
    desk.contest_in_the_record("population", "address")
    desk.wait(days=20)
    with pytest.raises(RestsOnContestedData):
        _make_final(desk, decision)


def test_a_dispute_about_other_data_or_of_somebody_else_does_not(quick_desk: DecisionDesk) -> None:
    decision, other = quick_desk.announce(), quick_desk.announce("decision-0002", subject=JUHAN)
    quick_desk.contest_in_the_record("tax-benefits", "declared-income")
    quick_desk.decisions.own.contest(
        a_citizen(JUHAN, "account-juhan"), other.decision_id, Objection(PARTNER.name, WHY), request_id="contest"
    )
    assert quick_desk.standing(decision).contested_since is None
    quick_desk.wait(days=20)
    assert _make_final(quick_desk, decision).state is DecisionState.FINAL


@pytest.mark.parametrize("ground", [PARTNER, None])
def test_a_contested_decision_is_made_final_only_by_a_human_who_gives_the_person_a_reason(
    quick_desk: DecisionDesk, ground: Ground | None
) -> None:
    decision = quick_desk.announce()
    _contest(quick_desk, decision, ground)
    quick_desk.wait(days=20)
    with pytest.raises(RestsOnContestedData):
        _make_final(quick_desk, decision)
    assert _steps(quick_desk)[-1].reason == Reason.CONTESTED_DATA
    with pytest.raises(DecisionRefused):
        _make_final(quick_desk, decision, HumanDecision("official-7", "because"))
    final = _make_final(quick_desk, decision, HUMAN)
    assert final.state is DecisionState.FINAL
    assert quick_desk.decisions.own.one(MARI, decision.decision_id).human_reason == HUMAN_REASON
    entry = _steps(quick_desk)[-1]
    assert (entry.official, entry.justification, entry.automatic) == ("official-7", HUMAN_REASON, False)


@pytest.mark.parametrize("human", [None, HUMAN])
def test_what_was_found_wrong_is_never_made_final_not_even_by_a_human(
    quick_desk: DecisionDesk, human: HumanDecision | None
) -> None:
    decision = quick_desk.announce()
    quick_desk.rule_on(_contest(quick_desk, decision), Ruling.UPHELD)
    standing = quick_desk.standing(decision)
    assert (standing.contested_since, standing.is_found_wrong) == (None, True)
    assert standing.grounds[0].wrong_since == quick_desk.today
    quick_desk.wait(days=20)
    with pytest.raises(FoundWrong):
        _make_final(quick_desk, decision, human)
    assert _steps(quick_desk)[-1].reason == Reason.FOUND_WRONG


def test_a_decision_that_was_itself_found_wrong_is_announced_anew_or_not_at_all(quick_desk: DecisionDesk) -> None:
    decision = quick_desk.announce()
    quick_desk.rule_on(_contest(quick_desk, decision, None), Ruling.UPHELD)
    quick_desk.wait(days=20)
    with pytest.raises(FoundWrong):
        _make_final(quick_desk, decision, HUMAN)
    changed = quick_desk.decisions.announcing.change(
        BOARD, decision.decision_id, quick_desk.today + timedelta(days=14), (ADDRESS,), request_id="change"
    )
    assert not changed.is_found_wrong


def test_a_dispute_that_was_refused_holds_nothing_back_any_more(quick_desk: DecisionDesk) -> None:
    decision = quick_desk.announce()
    quick_desk.rule_on(_contest(quick_desk, decision), Ruling.REFUSED)
    quick_desk.wait(days=20)
    assert _make_final(quick_desk, decision).state is DecisionState.FINAL


def test_a_value_that_was_found_wrong_is_not_used_again_in_any_decision_but_as_of_a_later_day(
    quick_desk: DecisionDesk,
) -> None:
    decision = quick_desk.announce()
    quick_desk.rule_on(_contest(quick_desk, decision), Ruling.UPHELD)
    with pytest.raises(DecisionRefused) as refused:
        quick_desk.announce("decision-0002")
    assert f"as_of is to be {quick_desk.today} or later" in refused.value.mistakes["data"]
    unknown = replace(PARTNER, as_of=None)
    with pytest.raises(DecisionRefused):
        quick_desk.decisions.announcing.change(
            BOARD, decision.decision_id, quick_desk.today + timedelta(days=20), (unknown,), request_id="change"
        )
    corrected = replace(PARTNER, as_of=quick_desk.today)
    changed = quick_desk.decisions.announcing.change(
        BOARD, decision.decision_id, quick_desk.today + timedelta(days=20), (corrected,), request_id="change"
    )
    assert not changed.is_found_wrong
    assert quick_desk.announce("decision-0003", subject=JUHAN).state is DecisionState.INTENDED


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"rule": "no-such-rule"}, "rule"),
        ({"grounds": ()}, "data"),
        ({"grounds": (PARTNER, PARTNER)}, "data"),
        ({"grounds": (Ground("health-insurance", "insurance-basis", "own"),)}, "data"),
        ({"grounds": (replace(PARTNER, as_of=date(2099, 1, 1)),)}, "data"),
    ],
)  # fmt: skip
def test_what_contradicts_the_rule_is_told_and_not_kept(
    quick_desk: DecisionDesk, changes: dict[str, object], part: str
) -> None:
    with pytest.raises(DecisionRefused) as refused:
        quick_desk.announce(**changes)
    assert part in refused.value.mistakes
    assert quick_desk.decisions.own.all(MARI) == []
    assert _steps(quick_desk) == []


def test_another_organisation_neither_announces_by_this_rule_nor_touches_the_decision(quick_desk: DecisionDesk) -> None:
    decision = quick_desk.announce()
    other = a_deciding_system("social-insurance-board")
    with pytest.raises(DecisionRefused):
        quick_desk.announce("decision-0002", other)
    with pytest.raises(NothingHere):
        quick_desk.decisions.announcing.withdraw(other, decision.decision_id, request_id="withdraw")
    with pytest.raises(ClientRefused):
        quick_desk.announce("decision-0003", a_deciding_system("tax-board", "population"))


def test_another_persons_decision_is_as_if_it_were_not_there(quick_desk: DecisionDesk) -> None:
    decision = quick_desk.announce()
    juhan = a_citizen(JUHAN, "account-juhan")
    assert quick_desk.decisions.own.all(juhan) == []
    with pytest.raises(NothingHere):
        quick_desk.decisions.own.receipt(juhan, decision.decision_id)
    with pytest.raises(NothingHere):
        quick_desk.decisions.own.contest(juhan, decision.decision_id, Objection(None, WHY), request_id="contest")


def test_only_a_value_that_the_decision_rests_on_is_contested_from_it(quick_desk: DecisionDesk) -> None:
    decision = quick_desk.announce()
    with pytest.raises(NothingHere):
        _contest(quick_desk, decision, Ground("tax-benefits", "declared-income", "own"))
    assert quick_desk.disputes.own.mine(MARI) == []


def test_a_settled_decision_takes_no_step_any_more(desk: DecisionDesk) -> None:
    decision = desk.announce()
    desk.decisions.announcing.withdraw(BOARD, decision.decision_id, request_id="withdraw")
    for again in (
        lambda: desk.decisions.announcing.withdraw(BOARD, decision.decision_id, request_id="withdraw"),
        lambda: _make_final(desk, decision, HUMAN),
        lambda: _contest(desk, decision),
    ):
        with pytest.raises(DecisionSettled):
            again()
    assert [step.action for step in _steps(desk)] == [Action.DECISION_ANNOUNCEMENT, Action.DECISION_WITHDRAWAL]


def test_the_same_key_gives_the_first_answer_again_and_no_second_decision(desk: DecisionDesk) -> None:
    told = desk.an_announcement()
    announce = desk.decisions.announcing.announce
    first = announce(BOARD, told, "decision-0001", request_id="announce")
    desk.wait(days=10)
    assert announce(BOARD, told, "decision-0001", request_id="announce").decision_id == first.decision_id
    assert len(_steps(desk)) == 1
    with pytest.raises(DecisionKeyTaken):
        announce(BOARD, replace(told, automated=False), "decision-0001", request_id="announce")


def test_the_same_key_at_once_makes_one_decision(desk: DecisionDesk) -> None:
    told = desk.an_announcement()
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(
                lambda _: desk.decisions.announcing.announce(BOARD, told, "decision-0001", request_id="x"), range(4)
            )
        )
    assert len({one.decision_id for one in made}) == 1
    assert len(desk.decisions.own.all(MARI)) == 1


def test_of_two_steps_at_once_one_is_taken(desk: DecisionDesk) -> None:
    decision = desk.announce()

    def _withdraw(_: int) -> bool:
        try:
            desk.decisions.announcing.withdraw(BOARD, decision.decision_id, request_id="withdraw")
        except DecisionSettled:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(_withdraw, range(4))) == [False, False, False, True]
    assert len(_steps(desk)) == 2


def test_a_step_that_cannot_be_logged_does_not_happen(desk: DecisionDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    decision = desk.announce()

    def _down(_accesses: object) -> None:
        raise LogUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(desk.house.log, "append_all", _down)
        with pytest.raises(DisclosureUnavailable):
            desk.decisions.announcing.withdraw(BOARD, decision.decision_id, request_id="withdraw")
        with pytest.raises(DisclosureUnavailable):
            desk.announce("decision-0002")
    assert [one.state for one in desk.decisions.own.all(MARI)] == [DecisionState.INTENDED]


def test_officials_see_their_own_organisations_decisions_by_reference(quick_desk: DecisionDesk) -> None:
    decision = quick_desk.announce()
    own, other = a_caseworker("tax-board"), a_caseworker("social-insurance-board")
    assert [one.reference for one in quick_desk.decisions.office.of_actor(own)] == ["TX-2026-117"]
    assert quick_desk.decisions.office.one(own, decision.decision_id).decision_id == decision.decision_id
    assert quick_desk.decisions.office.of_actor(other) == []
    with pytest.raises(NothingHere):
        quick_desk.decisions.office.one(other, decision.decision_id)


def test_the_figures_tell_what_was_announced_contested_and_withdrawn_and_hide_small_numbers(
    desk: DecisionDesk,
) -> None:
    for number in range(6):
        decision = desk.announce(f"decision-000{number}", reference=f"TX-{number}", grounds=(ADDRESS,))
        if number < 5:
            _contest(desk, decision, None)
            desk.decisions.announcing.withdraw(BOARD, decision.decision_id, request_id="withdraw")
        [figures] = desk.decisions.figures()
        if number == 3:
            assert (figures.announced, figures.contested, figures.withdrawn) == (None, None, None)
    assert (figures.announced, figures.contested, figures.withdrawn) == (6, 5, 5)
    assert (figures.upheld, figures.final) == (None, None)


def test_nothing_at_rest_names_the_person_or_what_was_written(quick_desk: DecisionDesk) -> None:
    decision = quick_desk.announce()
    _contest(quick_desk, decision)
    quick_desk.wait(days=20)
    _make_final(quick_desk, decision, HUMAN)
    with quick_desk.house.engine.connect() as connection:
        rows = repr(connection.exec_driver_sql("select * from announced_decisions").fetchall())
    assert MARY.subject not in rows
    assert HUMAN_REASON not in rows
    assert "partner-name" not in rows


def test_a_contested_decision_is_of_a_kind_of_its_own_in_the_log(quick_desk: DecisionDesk) -> None:
    decision = quick_desk.announce()
    _contest(quick_desk, decision, None)
    opened = quick_desk.house.log.read(TrailQuery(actions=frozenset({Action.DISPUTE_OPENING}))).items[0].access
    assert opened is not None
    assert (opened.organisation, opened.registry, opened.lawful_basis) == ("tax-board", None, "GDPR Article 22(3)")
    assert (opened.details["kind"], opened.details["decision"]) == (DisputeKind.DECISION, decision.decision_id)
