"""What a citizen's pages say a look means, how they judge a month, and how they group, filter and draw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from audit.entry import Access
from audit.log import open_log
from audit.vault import Vault
from portal.domain.actions import Action
from tests.factories.apps import FakePortal
from tests.factories.logs import an_access
from tests.factories.people import JUHAN, MARY

#: A Tuesday, two in the afternoon where the reader lives, later than any log that a test makes.
NOW = datetime(2060, 3, 2, 12, tzinfo=UTC)


class StandingClock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: StandingClock) -> Iterator[FakePortal]:
    monkeypatch.setattr("portal.furnishing.open_log", lambda settings: open_log(settings, clock=clock))
    portal = FakePortal.build(tmp_path, monkeypatch, clock=clock)
    yield portal
    portal.close()


def a_look(**changes: object) -> Access:
    values: dict[str, object] = {
        "subject": MARY.subject,
        "organisation": "social-insurance-board",
        "purpose": "benefit-claim",
        "fields": ("address",),
    }
    return an_access(**values | changes)


def _read(portal: FakePortal, path: str = "/me") -> str:
    page = portal.client("citizen").get(path).get_data(as_text=True)
    return re.sub(r"\s+", " ", page)


def test_the_first_sentence_says_how_often_who_looked_and_that_nothing_is_unusual(portal: FakePortal) -> None:
    portal.house.log.append_all(
        [a_look(), a_look(), a_look(organisation="police", purpose="roadside-check", case=None)]
    )
    said = "In the last 30 days 2 organisations looked at your data 3 times; nothing unusual."
    for path in ("/me", "/me/accesses"):
        assert said in _read(portal, path)
    assert "does not mean that every look was right" in _read(portal)


def test_nobody_looked_is_said_as_plainly(portal: FakePortal) -> None:
    assert "nobody else looked at your data; nothing unusual." in _read(portal)
    assert "Nobody else has received anything about you" in _read(portal, "/me/knowledge")


UNUSUAL = (
    ({"purpose": "emergency", "case": None}, "1 emergency access."),
    ({"outcome": "denied", "reason": "case-missing", "fields": ()}, "1 attempt that was refused."),
    ({"case": None}, "1 look by an official without a case"),
    ({"action": Action.FINDING_NOTICE, "outcome": "done", "fields": ()}, "1 notice that somebody looked"),
)


@pytest.mark.parametrize(("changes", "said"), UNUSUAL)
def test_what_is_unusual_is_named_with_what_to_do_next(
    portal: FakePortal, changes: dict[str, object], said: str
) -> None:
    portal.house.log.append(a_look(**changes))
    page = _read(portal)
    assert "; 1 thing is unusual." in page
    assert said in page


@pytest.mark.parametrize(
    ("hour", "purpose", "unusual"),
    [(23, "benefit-claim", True), (23, "roadside-check", False), (8, "tax-audit", False)],
)
def test_a_look_at_night_is_unusual_unless_the_purpose_is_served_by_night(
    portal: FakePortal, clock: StandingClock, hour: int, purpose: str, *, unusual: bool
) -> None:
    clock.now = NOW.replace(hour=hour)
    portal.house.log.append(a_look(purpose=purpose))
    assert ("at night or at a weekend, where the purpose has office hours.</strong>" in _read(portal)) is unusual


def test_more_looks_than_in_any_earlier_span_are_unusual_once_there_is_something_to_compare(
    portal: FakePortal, clock: StandingClock
) -> None:
    for back in (3, 2, 1):
        clock.now = NOW - timedelta(days=30 * back + 5)
        portal.house.log.append_all([a_look()] * 2)
    clock.now = NOW
    portal.house.log.append_all([a_look()] * 5)
    assert "nothing unusual" in _read(portal)
    portal.house.log.append(a_look())
    assert "6 looks in all; the most in 30 days of the year before was 2.</strong>" in _read(portal)


def test_each_line_says_what_it_means_who_that_is_under_which_law_how_long_and_what_to_do(portal: FakePortal) -> None:
    portal.house.log.append(a_look())
    page = _read(portal, "/me/accesses")
    line = _read(portal, re.findall(r"/me/accesses/[\w=-]{8,}", page)[0])
    for shown in (page, line):
        for said in (
            "What does this mean?",
            "You asked for a benefit",
            "Decides on pensions",
            "ten years after the last payment",
            "A law gives the organisation this task.",
            "GDPR Article 6(1)(e)",
            "Only what this purpose needs",
            "GDPR Article 21",
            "GDPR Article 77",
        ):
            assert said in shown


def test_repeats_of_one_case_are_one_item_that_opens_to_every_line_with_its_receipt(portal: FakePortal) -> None:
    portal.house.log.append_all([a_look(case="A-1")] * 4 + [a_look(case="B-2"), a_look(case="A-1")])
    page = _read(portal, "/me/accesses")
    assert "5 entries in one case" in page
    assert len(set(re.findall(r'/me/accesses/([\w=-]{8,})"', page))) == 6
    assert page.index("5 entries in one case") < page.index("Case B-2")
    assert "entries in one case" not in _read(portal, "/me/accesses?case=A-1")


def test_every_criterion_narrows_the_list(portal: FakePortal) -> None:
    portal.house.log.append_all(
        [
            a_look(case="A-1"),
            a_look(case="B-2", registry="tax-benefits", fields=("declared-income",)),
            a_look(case="C-3", outcome="denied", reason="case-closed", fields=()),
        ]
    )
    for asked, case in (
        ("registry=tax-benefits", "B-2"),
        ("field=population/address", "A-1"),
        ("outcome=denied", "C-3"),
        ("case=B-2", "B-2"),
    ):
        page = _read(portal, f"/me/accesses?{asked}")
        assert set(re.findall(r"Case ([ABC]-\d)", page)) == {case}, asked
    assert "another registry than the one you chose" in _read(
        portal, "/me/accesses?registry=tax-benefits&field=population/address"
    )
    assert "No look matches this filter." in _read(portal, "/me/accesses?case=Z-9")


def test_who_knows_what_names_each_field_given_and_never_one_that_was_refused(portal: FakePortal) -> None:
    portal.house.log.append_all(
        [
            a_look(),
            a_look(organisation="police", purpose="roadside-check", outcome="denied", reason="field-not-permitted"),
            a_look(subject=JUHAN.subject, organisation="tax-board"),
        ]
    )
    page = _read(portal, "/me/knowledge")
    main = page[page.index("<main") :]
    assert "field=population/address" in main
    assert "Social Insurance Board</a>, 2 March 2060" in main
    assert "Police" not in main
    assert "Tax and Customs Board" not in main
    assert main.count('class="gh-chart__bar" x="') >= 1
    assert "style=" not in main


def test_erasing_an_entry_takes_it_out_of_the_counts_at_once(portal: FakePortal) -> None:
    kept, erased = portal.house.log.append_all([a_look(), a_look()])
    assert "2 times" in _read(portal)
    portal.house.log.erase_entries([erased.seq], basis="GDPR Article 17(1)(d)")
    assert "1 time;" in _read(portal)
    assert kept.seq != erased.seq


def test_all_bodies_and_bases_of_the_shipped_catalogue_are_explained(portal: FakePortal) -> None:
    from portal.web.meaning import BASES

    catalogue = portal.house.catalogue
    for organisation in catalogue.organisations.values():
        assert organisation.description is not None, organisation.code
    bases = [one.lawful_basis for one in (*catalogue.purposes.values(), *catalogue.registries.values())]
    for basis in bases:
        assert any(re.search(pattern, basis.en) for pattern, _words in BASES), basis.en


@contextmanager
def _work(portal: FakePortal) -> Iterator[dict[str, int]]:
    """How many statements both databases were sent, and how many bodies were opened, meanwhile."""
    done = {"statements": 0, "opened": 0}
    opened = Vault.open

    def note(*_: object) -> None:
        done["statements"] += 1

    def counted(*arguments: Any) -> Any:
        done["opened"] += 1
        return opened(*arguments)

    event.listen(Engine, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Vault, "open", staticmethod(counted))
        yield done
    event.remove(Engine, "before_cursor_execute", note)


def test_a_page_costs_the_same_work_however_long_the_history_is(portal: FakePortal) -> None:
    client = portal.client("citizen")
    paths = ("/me", "/me/accesses", "/me/accesses?field=population/address", "/me/knowledge")
    portal.house.log.append_all([a_look(case=f"C-{number}") for number in range(40)])
    work: list[dict[str, dict[str, int]]] = []
    for more in (0, 600):
        portal.house.log.append_all([a_look(case=f"D-{number}") for number in range(more)])
        for path in paths:
            client.get(path)
        work.append({})
        for path in paths:
            with _work(portal) as done:
                assert client.get(path).status_code == 200
            work[-1][path] = done
    assert work[0] == work[1]
    assert work[0]["/me/knowledge"]["opened"] == 0
    assert 0 < work[0]["/me/accesses"]["opened"] <= 25
