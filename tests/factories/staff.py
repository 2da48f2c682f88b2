"""Staff of a fake portal: pages that ask an authenticator, and people who enrolled with one in software."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient

from portal.domain.actors import Role
from portal.services.administration import Invitation
from tests.factories.apps import FakePortal
from tests.fakes.authenticator import SoftAuthenticator

PASSWORD = "kolm sinist lehma mäel"
REASON = "Order 17 of the personnel office"


@dataclass
class Asked:
    """What a page asks: the options for the authenticator, and the form's hidden fields."""

    options: str
    fields: dict[str, str]


@dataclass
class Member:
    """Somebody of the staff, with their authenticator."""

    portal: FakePortal
    account_id: str
    key: SoftAuthenticator
    password: str = PASSWORD

    def signed_in(self) -> FlaskClient:
        client = self.portal.app.test_client()
        answer = self.sign_in(client)
        assert answer.status_code == 302, answer.get_data(as_text=True)[-3000:]
        return client

    def sign_in(self, client: FlaskClient, password: str | None = None, **lies: Any) -> Any:
        asked = asked_by(client.get("/staff/sign-in"))
        proof = self.key.prove(asked.options, **lies)
        return send(client, "/staff/sign-in", asked, credential=proof, password=password or self.password)

    def confirm(self, client: FlaskClient, answer: Any) -> Any:
        """Prove it again where the portal led to, and go on to what waits there."""
        asked = asked_by(client.get(answer.location))
        done = send(client, answer.location, asked, credential=self.key.prove(asked.options))
        return client.get(done.location)


def asked_by(page: Any) -> Asked:
    """What the passkey form of a page asks."""
    text = page.get_data(as_text=True)
    found = re.search(r'<form[^>]*data-passkey="[^"]*"[^>]*data-options="([^"]*)"', text)
    assert found, text[:4000]
    form = text[found.start() :].partition("</form>")[0]
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return Asked(html.unescape(found[1]), {name: html.unescape(value) for name, value in hidden})


def send(client: FlaskClient, path: str, asked: Asked, **typed: str) -> Any:
    return client.post(path, data={**asked.fields, **typed}, headers={"Referer": "http://localhost/"})


def enrolled(
    portal: FakePortal, role: Role, organisation: str = "social-insurance-board", name: str = "Tiina Tamm"
) -> Member:
    """Somebody who was invited from the machine and has set password and passkey over HTTP."""
    invitation = Invitation(name, role, organisation, REASON)
    done = portal.house.staff.administration.invite_from_the_machine(invitation, "r")
    assert done.code is not None
    member = Member(portal, done.account_id, SoftAuthenticator(portal.house.staff.passkeys.origin))
    answer = enrol(portal, member, done.code)
    assert answer.status_code == 200, answer.get_data(as_text=True)[-3000:]
    return member


def enrol(portal: FakePortal, member: Member, code: str, second_half: str = "", **typed: str) -> Any:
    """Everything that somebody with a code does, in a browser of their own."""
    client = portal.app.test_client()
    opened = portal.post(client, "/staff/enrol", code=code)
    if 'data-passkey="create"' not in opened.get_data(as_text=True):
        return opened
    asked = asked_by(opened)
    given = {"password": member.password, "passkey_name": "Blue key", "second_half": second_half, **typed}
    return send(client, "/staff/enrol/complete", asked, credential=member.key.make(asked.options), **given)
