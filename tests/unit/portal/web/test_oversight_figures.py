"""The overview in figures: for auditors, and each figure leads to the entries behind it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from portal.domain.actions import Action
from portal.domain.disputes import DisputeState, Ruling
from portal.services.oversight import TrailSearch
from tests.factories.apps import FakePortal
from tests.factories.logs import an_access
from tests.factories.proceedings import a_dispute, a_review, a_seal, an_emergency, keep


def test_a_figure_opens_the_search_that_lists_its_entries(portal: FakePortal) -> None:
    portal.house.log.append_all([an_access(organisation="tax-board", outcome="denied") for _ in range(3)])
    portal.house.log.append_all([an_access(organisation="tax-board") for _ in range(4)])
    client = portal.client("auditor")
    page = client.get("/oversight/figures").get_data(as_text=True)
    assert "4 looks at people’s data in 30 days" in page
    forms = re.findall(r'<form method="post" action="/oversight">(.*?)</form>', page, re.DOTALL)
    refused = next(form for form in forms if 'value="denied"' in form)
    fields = re.findall(r'name="([^"]+)" value="([^"]*)"', refused)
    data: dict[str, list[str]] = {}
    for name, value in fields:
        data.setdefault(name, []).append(value)
    found = client.post("/oversight", data=data, headers={"Referer": "http://localhost/"})
    assert found.status_code == 200
    assert "3 entries found." in found.get_data(as_text=True)


def test_an_unknown_span_is_not_there(portal: FakePortal) -> None:
    client = portal.client("auditor")
    for days in ("0", "31", "-7", "x", "30 ", ""):
        assert client.get("/oversight/figures", query_string={"days": days}).status_code == 404


def test_nobody_but_an_auditor_sees_the_figures(portal: FakePortal) -> None:
    for account in ("citizen", "caseworker"):
        assert portal.client(account).get("/oversight/figures").status_code == 404


@pytest.fixture
def followed(portal: FakePortal) -> FakePortal:
    """A portal with each kind of proceedings, all of the police but one overdue review."""
    by, now = portal.accounts["detective"], datetime.now(UTC)
    ago = [now - timedelta(days=days) for days in range(20)]
    decided = {"state": DisputeState.DECIDED, "closed_at": ago[2]}
    [entry] = [one.seq for one in portal.house.log.append_all([an_access(organisation="police")])]
    keep(
        portal.house.safeguards.seals._sessions,
        [
            an_emergency(by, ago[9], "police", reviewed_at=ago[8]),
            an_emergency(by, ago[9], "police"),
            a_review(by, ago[15], "police", first_entry=entry, last_entry=entry),
            a_review(by, ago[15], "tax-board"),
            a_dispute(ago[12], "police", ruling=Ruling.UPHELD, **decided),
            a_dispute(ago[6], "police", ruling=Ruling.REFUSED, **decided),
            a_seal(by, ago[5], "police"),
        ],
    )
    return portal


LINK = re.compile(r'href="(/oversight/figures/[^"]+)">(\d+)')


def test_each_figure_of_what_followed_opens_a_list_with_as_many_lines(followed: FakePortal) -> None:
    client = followed.client("auditor")
    page = client.get("/oversight/figures").get_data(as_text=True)
    links = [(path.replace("&amp;", "&"), int(count)) for path, count in LINK.findall(page)]
    assert {path.partition("?")[0].rpartition("/")[2] for path, _ in links} == {
        "emergency-reviewed-in-time",
        "emergency-overdue",
        "review-overdue",
        "dispute-upheld",
        "dispute-refused",
        "seal-in-force",
    }
    for path, count in links:
        listed = client.get(path).get_data(as_text=True)
        assert listed.count('<th scope="row"') == count, path


def test_a_list_names_no_official_and_leads_to_the_entries(followed: FakePortal) -> None:
    client = followed.client("auditor")
    listed = client.get("/oversight/figures/review-overdue?organisation=police").get_data(as_text=True)
    assert "Uku Uurija" not in listed
    [entry] = re.findall(r'href="(/oversight/entries/[^"]+)"', listed)
    assert client.get(entry).status_code == 200


def test_a_list_is_an_entry_and_the_figures_alone_are_none(followed: FakePortal) -> None:
    client = followed.client("auditor")
    oversight = followed.house.oversight

    def searches() -> list[object]:
        query = oversight.query(TrailSearch(action=Action.TRAIL_SEARCH))
        page, _ = followed.house.log.search(query, before=None, limit=9)
        return [logged.access.details for logged in page.items if logged.access]

    client.get("/oversight/figures")
    assert searches() == []
    client.get("/oversight/figures/dispute-upheld?days=90&organisation=police")
    assert searches() == [{"list": "dispute-upheld", "days": 90, "organisation": "police"}]


def test_the_answers_of_disputes_say_in_how_many_days_half_of_them_came(followed: FakePortal) -> None:
    page = followed.client("auditor").get("/oversight/figures").get_data(as_text=True)
    assert re.search(r'data-label="Half answered within">\s*4 days', page)


def test_an_unknown_list_is_not_there(followed: FakePortal) -> None:
    client = followed.client("auditor")
    for path in ("seal", "x", "seal-in-force?days=3"):
        assert client.get(f"/oversight/figures/{path}").status_code == 404
    assert followed.client("caseworker").get("/oversight/figures/seal-in-force").status_code == 404
