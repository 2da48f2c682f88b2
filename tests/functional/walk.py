"""A reader's walk through all the pages that are theirs: from every address that takes no argument, along all links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urljoin, urlsplit

from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter
from werkzeug.routing import Rule as Route

from portal.domain.actors import Role
from portal.domain.permissions import Permission, role_may
from portal.services.accounts import NewAccount
from portal.web.guard import AnySignedIn, Public, rule_of
from tests.factories.demonstrations import Demonstration
from tests.functional.inspection import HEIGHT, WIDE, Listener
from tests.functional.pages.base import PortalPage, SignIn
from tests.functional.ways import NO_PAGES, ONLY_FOR, READERS, WAYS, Reader

#: What looks at the page now shown, by the name it is given, and says all that is wrong with it.
Look = Callable[[Page, str], list[str]]
#: How many addresses of one route are looked at: pages of one route are built alike. `ways.py` has those that differ.
ADDRESSES_OF_A_ROUTE = 1
#: Would end the walk, or lead it out of the language in which it looks for things.
NOT_FOLLOWED = {"pages.language"}


class Walk:
    """One reader's walk through all the pages that are theirs."""

    def __init__(self, here: PortalPage, app: Flask, reader: Reader, see: Look) -> None:
        self.here = here
        self.see = see
        self.reader = reader
        self.app = app
        self.reached: set[str] = set()
        self.walked: Counter[str] = Counter()
        self.pages: set[str] = set()
        self.complaints: list[str] = []
        self._listener = Listener(here.page)
        self._routes: MapAdapter = app.url_map.bind(urlsplit(here.site).netloc)
        self._waiting = [route.rule for route in self.own_routes() if not route.arguments]
        self._known = set(self._waiting)

    def own_routes(self) -> Iterator[Route]:
        """Routes to look at in this role: what it alone may use, and for a visitor what is everybody's."""
        for route in self.app.url_map.iter_rules():
            if "GET" in (route.methods or ()) and route.endpoint not in NOT_FOLLOWED | NO_PAGES.keys():
                rule = rule_of(self.app, route.endpoint)
                role = self.reader.role
                is_own = isinstance(rule, Public) if role is None else _is_for(role, rule)
                if is_own and ONLY_FOR.get(route.endpoint, _first_of(role)) is self.reader:
                    yield route

    def take(self) -> None:
        for (endpoint, name), way in WAYS.get(self.reader, {}).items():
            way(self.here)
            self.reached.add(endpoint)
            self.look(f"{endpoint} ({name})")
        own = {route.endpoint for route in self.own_routes()}
        while self._waiting:
            path = self._waiting.pop(0)
            endpoint = self._endpoint_of(path)
            if endpoint in own and self.walked[endpoint] < ADDRESSES_OF_A_ROUTE:
                self.reached.add(endpoint)
                self.walked[endpoint] += 1
                if self._is_page(endpoint, path):
                    self.here.page.goto(self.here.site + path)
                    self.look(path)

    def look(self, name: str) -> None:
        self.complaints += self.see(self.here.page, name)
        self.complaints += [f"{name}: {wrong}" for wrong in self._listener.complaints]
        self._listener.complaints.clear()
        for link in self.here.page.locator("a[href]").evaluate_all("links => links.map(link => link.href)"):
            address = urlsplit(urljoin(self.here.page.url, link))
            path = address.path + (f"?{address.query}" if address.query else "")
            if f"{address.scheme}://{address.netloc}" == self.here.site and path not in self._known:
                self._known.add(path)
                self._waiting.append(path)

    def _endpoint_of(self, path: str) -> str:
        try:
            endpoint, _ = self._routes.match(path.partition("?")[0], method="GET")
        except HTTPException:
            return ""
        return str(endpoint)

    def _is_page(self, endpoint: str, path: str) -> bool:
        """Whether a page answers, rather than a file to keep. Asked with the reader's own cookies."""
        if endpoint not in self.pages:
            answer = self.here.page.context.request.get(self.here.site + path)
            if answer.status >= 400:
                self.complaints.append(f"{path} is linked to, or a route of one's own, and answers {answer.status}")
            is_file = "attachment" in answer.headers.get("content-disposition", "")
            if not is_file and answer.headers.get("content-type", "").startswith("text/html"):
                self.pages.add(endpoint)
        return endpoint in self.pages

    def not_reached(self) -> list[str]:
        """Routes of this role's own that neither a link nor a way led to."""
        own = {route.endpoint for route in self.own_routes() if not is_for_a_moment(self.app, route)}
        return sorted(own - self.reached)


def is_for_a_moment(app: Flask, route: Route) -> bool:
    """A page for whoever is signed in, about something that only some of them have: not to be shown in each role."""
    return bool(route.arguments) and isinstance(rule_of(app, route.endpoint), AnySignedIn)


def walk_as(reader: Reader, browser: Browser, demonstration: Demonstration, see: Look) -> Walk:
    """Sign in as the reader, who is given an account where the demonstration has none, and walk."""
    context = browser.new_context(locale="en-GB", viewport={"width": WIDE, "height": HEIGHT})
    here = PortalPage(context.new_page(), demonstration.url)
    here.page.set_default_timeout(10_000)
    if reader.role is not None:
        if reader.organisation is not None:
            added = NewAccount(reader.role, reader.name, reader.organisation, None)
            demonstration.house.accounts.open([added], demonstration=True)
        SignIn(here.page, here.site).open().as_person(reader.name)
    walk = Walk(here, demonstration.app, reader, see)
    walk.take()
    context.close()
    return walk


def _first_of(role: Role | None) -> Reader:
    """Who walks through the pages that all of a role have; its other readers have only their own."""
    return next(reader for reader in READERS if reader.role is role)


def _is_for(role: Role, rule: object) -> bool:
    return isinstance(rule, AnySignedIn) or (isinstance(rule, Permission) and role_may(role, rule))
