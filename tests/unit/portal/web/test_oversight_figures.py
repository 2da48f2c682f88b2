"""The overview in figures: for auditors, and each figure leads to the entries behind it."""

from __future__ import annotations

import re

from tests.factories.apps import FakePortal
from tests.factories.logs import an_access


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
