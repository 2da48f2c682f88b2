"""A person asks to be told by e-mail, confirms the address, and stops it again, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from tests.factories.apps import FakePortal
from tests.factories.logs import an_access
from tests.factories.people import MARY
from tests.fakes.mail_server import HOST, serving
from tests.functional.inspection import inspect
from tests.functional.pages.base import SignIn

pytestmark = pytest.mark.browser


def test_a_person_is_told_by_mail_and_stops_it(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:
        mail = {"host": HOST, "port": server.port, "security": "plain", "sender": "portal@example.ee"}
        portal = FakePortal.build(tmp_path, monkeypatch, mail=mail)
        web = make_server("127.0.0.1", 0, portal.app, threaded=True)
        thread = Thread(target=web.serve_forever, daemon=True)
        thread.start()
        site = f"http://127.0.0.1:{web.server_port}"
        room = portal.house.mail
        room.round()
        SignIn(page, site).open().as_person("Mari Maasikas")
        page.get_by_role("link", name="How you are told").click()
        page.get_by_label("Your e-mail address").fill("mari@example.ee")
        page.get_by_role("button", name="Send me the link").click()
        expect(page.get_by_text("Until then it is not used")).to_be_visible()
        assert inspect(page, "how you are told") == []
        room.round()
        link = re.search(r"/me/alerts/confirm/\S+", server.newest_text())
        assert link is not None
        page.goto(site + link[0])
        assert inspect(page, "confirm") == []
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("Confirmed: we write to this address.")).to_be_visible()
        page.get_by_label("By e-mail: Deciding on a benefit claim").select_option("At once")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_label("By e-mail: Deciding on a benefit claim")).to_have_value("at-once")
        portal.house.log.append(an_access(subject=MARY.subject, purpose="benefit-claim"))
        room.round()
        stop = re.search(r"/mail/stop/\S+", server.newest_text())
        assert stop is not None
        page.context.clear_cookies()
        page.goto(site + stop[0])
        assert inspect(page, "stop") == []
        page.get_by_role("button", name="Stop e-mails").click()
        expect(page.get_by_role("heading", name="No more e-mails")).to_be_visible()
        assert inspect(page, "stopped") == []
        portal.house.log.append(an_access(subject=MARY.subject, purpose="benefit-claim"))
        assert room.round().sent == 0
        web.shutdown()
        thread.join()
        web.server_close()
        portal.close()
