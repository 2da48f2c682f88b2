"""A person's way through a provider, as a browser walks it, with every step open to tampering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories.apps import FakePortal
from tests.fakes.hostile_provider import CLIENT_ID, CLIENT_SECRET, HostileProvider


def provider_settings(issuer: str, **changes: Any) -> dict[str, Any]:
    """What config/glasshouse.toml would say of the provider."""
    oidc = {
        "issuer": issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "display_name_en": "the tests’ eID",
        "display_name_et": "testide eID",
        "display_name_ru": "eID для тестов",
    }
    return {"oidc": oidc | changes}


@dataclass
class SignIn:
    """One sign-in of one browser at the hostile provider."""

    portal: FakePortal
    provider: HostileProvider
    client: FlaskClient
    asked: dict[str, str]

    @classmethod
    def begin(
        cls,
        portal: FakePortal,
        provider: HostileProvider,
        path: str = "/sign-in/provider",
        client: FlaskClient | None = None,
    ) -> SignIn:
        """Go to the provider. It learns the nonce, as it would."""
        client = client or portal.app.test_client()
        sent = client.get(path)
        assert sent.status_code == 302, sent.get_data(as_text=True)[:2000]
        assert sent.location.startswith(f"{provider.issuer}/authorize?"), sent.location
        asked = dict(parse_qsl(urlsplit(sent.location).query))
        provider.nonce = asked["nonce"]
        return cls(portal, provider, client, asked)

    def come_back(self, client: FlaskClient | None = None, **changes: str | None) -> TestResponse:
        """Return with the provider's answer; a change to None leaves a parameter out."""
        state = self.asked["state"]
        answer = {"state": state, "code": f"code-{state}", "iss": self.provider.issuer} | changes
        query = urlencode({name: value for name, value in answer.items() if value is not None})
        return (client or self.client).get(f"/sign-in/return?{query}")

    def is_in(self, client: FlaskClient | None = None) -> bool:
        return (client or self.client).get("/me").status_code == 200
