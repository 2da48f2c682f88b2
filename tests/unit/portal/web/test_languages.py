"""The portal in Estonian and in Russian, page by page."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from portal.domain.text import LANGUAGES
from portal.web.i18n import ngettext
from tests.factories.apps import FakePortal
from tests.factories.people import MARY

#: A sentence of the page in each language, English first.
PAGES = {
    ("citizen", "/me"): (
        "Who looked at your data lately",
        "Kes vaatas viimati teie andmeid",
        "Кто недавно смотрел ваши данные",
    ),
    ("citizen", "/me/accesses"): ("Who looked at your data", "Kes vaatas teie andmeid", "Кто смотрел ваши данные"),
    ("caseworker", "/casework"): (
        "Why do you need a person’s data?",
        "Milleks teil isiku andmeid vaja on?",
        "Зачем вам нужны данные человека?",
    ),
    ("auditor", "/oversight"): ("Search the trail", "Otsi logist", "Поиск в журнале"),
    (None, "/sign-in"): ("Sign in", "Logi sisse", "Войти"),
    (None, "/accessibility"): ("Accessibility", "Ligipääsetavus", "Доступность"),
}


def _speaking(portal: FakePortal, account: str | None, language: str) -> FlaskClient:
    client = portal.client(account)
    assert client.get(f"/language/{language}").status_code == 302
    return client


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("account", "path"), PAGES, ids=lambda value: str(value))
def test_a_page_speaks_the_language_that_its_reader_chose(
    portal: FakePortal, account: str | None, path: str, language: str
) -> None:
    page = _speaking(portal, account, language).get(path).get_data(as_text=True)
    assert f'<html lang="{language}"' in page.replace("  ", " ")
    said = dict(zip(LANGUAGES, PAGES[account, path], strict=True))
    assert said.pop(language) in page
    others = [text for text in said.values() if f">{text}<" in page]
    assert not others, f"the page in {language} also says {others}"


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("et", "vaatas teie andmetest 8 välja"),
        ("ru", "просмотрено 8 полей ваших данных"),
    ],
)
def test_a_look_is_told_in_the_readers_language(portal: FakePortal, language: str, sentence: str) -> None:
    portal.registries["population"].holds(MARY, **{"given-names": "Mari"})
    form = {
        "personal_code": MARY.reveal(),
        "case": "C-1",
        "justification": "Deciding the housing benefit claim received on 3 March",
        "registries": ["population"],
    }
    assert portal.post(portal.client("caseworker"), "/casework/benefit-claim", **form).status_code == 200
    history = _speaking(portal, "citizen", language).get("/me/accesses").get_data(as_text=True)
    assert sentence in history.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("et", {1: "1 kirje", 2: "2 kirjet", 21: "21 kirjet"}),
        ("ru", {1: "1 запись", 3: "3 записи", 5: "5 записей", 11: "11 записей", 21: "21 запись", 104: "104 записи"}),
    ],
)
def test_a_number_takes_the_form_that_its_language_asks_for(
    portal: FakePortal, language: str, expected: dict[int, str]
) -> None:
    with portal.app.test_request_context(headers={"Accept-Language": language}):
        for number, words in expected.items():
            assert ngettext("%(records)s record", "%(records)s records", number, records=number) == words


def test_a_browser_that_asks_for_estonian_gets_it_without_choosing(portal: FakePortal) -> None:
    page = portal.client().get("/sign-in", headers={"Accept-Language": "et-EE,et;q=0.9,en;q=0.5"})
    assert "Logi sisse" in page.get_data(as_text=True)
