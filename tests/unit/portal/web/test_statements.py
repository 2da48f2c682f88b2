"""The page of Article 15 leaves out no item, for no registry."""

from __future__ import annotations

import re
from html import unescape

import pytest

from portal.domain.text import LANGUAGES
from tests.factories.apps import FakePortal
from tests.factories.people import MARY

#: The items of GDPR Article 15(1) to (3); the first is the controller, whom the article is addressed to.
ITEMS = (
    "15(1)", "15(1)(a)", "15(1)(b)", "15(1)(c)", "15(1)(d)", "15(1)(e)", "15(1)(f)", "15(1)(g)", "15(1)(h)", "15(2)",
    "15(3)",
)  # fmt: skip
SECTION = re.compile(r'<section class="gh-registry" aria-labelledby="([\w-]+)">(.*?)</section>', re.DOTALL)
ROW = re.compile(r'<div class="govuk-summary-list__row">(.*?)</div>', re.DOTALL)


def _text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def _rows(section: str) -> dict[str, str]:
    """What is said for each item of the article in one registry's part of the page."""
    rows = {}
    for row in ROW.findall(section):
        key, _, value = row.partition("</dt>")
        item = re.search(r"15\(\d\)(\([a-h]\))?", _text(key))
        assert item, f"a row that belongs to no item: {_text(key)}"
        rows[item[0]] = _text(value)
    return rows


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_item_of_the_article_is_missing_for_any_registry(portal: FakePortal, language: str) -> None:
    client = portal.client("citizen")
    client.get(f"/language/{language}")
    page = client.get("/me/statement").get_data(as_text=True)
    sections = dict(
        re.findall(r'<section class="gh-registry" aria-labelledby="([\w-]+)">(.*?)</section>', page, re.DOTALL)
    )
    assert sections.keys() == portal.house.catalogue.registries.keys()
    for code, section in sections.items():
        registry = portal.house.catalogue.registries[code]
        rows = _rows(section)
        assert tuple(rows) == ITEMS, code
        assert all(rows.values()), code
        assert registry.retention.in_language(language) in rows["15(1)(d)"]
        assert registry.automated_decisions.in_language(language) in rows["15(1)(h)"]
        assert registry.transfers.in_language(language) in rows["15(2)"]
        for field in registry.fields.values():
            assert field.name.in_language(language) in rows["15(1)(b)"]


def test_the_actual_recipients_stand_beside_those_who_may_receive_the_data(portal: FakePortal) -> None:
    form = {
        "personal_code": MARY.reveal(),
        "case": "C-1",
        "justification": "Deciding the housing benefit claim received on 3 March",
        "registries": ["population"],
    }
    assert portal.post(portal.client("caseworker"), "/casework/benefit-claim", **form).status_code == 200
    page = _text(portal.client("citizen").get("/me/statement").get_data(as_text=True))
    assert "Social Insurance Board: 1 time" in page
    assert "Nobody has been shown these data since this log began." in page


def test_the_page_asks_no_registry(portal: FakePortal) -> None:
    assert portal.client("citizen").get("/me/statement").status_code == 200
    assert all(registry.asked == [] for registry in portal.registries.values())
