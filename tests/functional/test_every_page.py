"""Each page for each role, looked at with a real browser.

A new route is looked at without a word here. One that no link leads to wants its way in `ways.py`, and the walk says
so.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from portal.domain.actors import Role
from tests.factories.demonstrations import Demonstration
from tests.functional.inspection import inspect
from tests.functional.walk import is_for_a_moment, walk_as
from tests.functional.ways import NO_PAGES, READERS, WAYS, Reader

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("reader", READERS, ids=str)
def test_every_page_is_accessible_fits_its_window_and_keeps_to_the_policy(
    browser: Browser, demonstration: Demonstration, reader: Reader
) -> None:
    walk = walk_as(reader, browser, demonstration, inspect)
    assert not walk.not_reached(), f"say how to reach this page, in tests/functional/ways.py: {walk.not_reached()}"
    assert not walk.complaints, "\n".join(walk.complaints)


def test_a_page_that_only_some_of_those_signed_in_have_is_reached_in_one_role_at_least(
    demonstration: Demonstration,
) -> None:
    moments = {
        route.endpoint
        for route in demonstration.app.url_map.iter_rules()
        if "GET" in (route.methods or ()) and is_for_a_moment(demonstration.app, route)
    }
    ways = {endpoint for of_role in WAYS.values() for endpoint, _ in of_role}
    assert moments, "the routes were not found"
    ways |= NO_PAGES.keys()
    assert not moments - ways, f"say how to reach this page, in tests/functional/ways.py: {sorted(moments - ways)}"


def test_every_role_has_somebody_who_walks_through_its_pages() -> None:
    assert {reader.role for reader in READERS} == {None, *Role}, "add a reader in tests/functional/ways.py"
