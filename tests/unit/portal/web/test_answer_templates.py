"""Templates for a data protection officer's answers."""

from __future__ import annotations

import pytest

from portal.domain.disputes import Ruling
from portal.domain.text import LANGUAGES
from portal.web.answer_templates import GAP, TEMPLATES
from tests.factories.apps import FakePortal
from tests.unit.portal.web.test_disputes import contested, steps


@pytest.mark.parametrize("code", TEMPLATES)
def test_a_template_fills_the_form_in_the_language_of_the_person(portal: FakePortal, code: str) -> None:
    dispute, officer = contested(portal, portal.client("citizen")), portal.client("officer")
    template, shown = TEMPLATES[code], set()
    for language in LANGUAGES:
        page = officer.get(f"/dpo/{dispute}?template={code}&language={language}").get_data(as_text=True)
        with portal.app.test_request_context():
            text = template.in_language(language)
        assert text in page
        assert GAP in text
        assert f'value="{template.use.value}" checked' in page
        shown.add(text)
    assert len(shown) == len(LANGUAGES)
    assert len(steps(portal)) == 1


def test_every_way_to_decide_has_a_template() -> None:
    assert {template.use for template in TEMPLATES.values()} >= set(Ruling)


@pytest.mark.parametrize("query", ["template=none&language=en", "template=refused&language=xx", "template=refused"])
def test_a_template_that_is_not_there_leaves_the_form_empty(portal: FakePortal, query: str) -> None:
    dispute = contested(portal, portal.client("citizen"))
    answer = portal.client("officer").get(f"/dpo/{dispute}?{query}")
    assert answer.status_code == 200
    assert GAP not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("step", {"step": "dispute-answer", "text": "We need to know […] from you."}),
        ("decision", {"ruling": "refused", "reasons": "We cannot do it, because […]."}),
    ],
)
def test_a_text_with_a_gap_is_not_sent_and_nothing_of_it_is_lost(
    portal: FakePortal, path: str, form: dict[str, str]
) -> None:
    dispute, officer = contested(portal, portal.client("citizen")), portal.client("officer")
    answer = portal.post(officer, f"/dpo/{dispute}/{path}", **form)
    assert answer.status_code == 400
    page = answer.get_data(as_text=True)
    assert "Fill in what stands as […]" in page
    assert (form.get("text") or form["reasons"]) in page
    assert len(steps(portal)) == 1
