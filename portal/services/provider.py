"""The OpenID provider as the portal sees it: its metadata, its keys, its token endpoint, its sign-out."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client

from config.identity import OidcSettings
from portal.domain.refusals import Refusal, SignInRefused
from portal.services.clock import Clock
from portal.services.id_tokens import VerifyingKey
from portal.services.key_sets import KEPT_FOR, KeySet

logger = logging.getLogger(__name__)

#: A provider that did not answer is left alone this long, so that it does not also take our threads, one by one.
RETRY_AFTER = timedelta(seconds=10)
#: Longer texts from a provider are not looked at.
MAXIMUM_TOKEN = 16 * 1024


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the portal uses of the discovery document (OpenID Connect Discovery 1.0, section 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    #: RFC 9207: the provider puts its own name into each answer.
    names_itself: bool


@dataclass(frozen=True, slots=True)
class ProviderSignOut:
    """What the browser takes to the provider to sign out there as well. `fields` hold the ID token: never in a log."""

    endpoint: str
    method: str
    fields: Mapping[str, str]

    def __repr__(self) -> str:
        return f"ProviderSignOut({self.endpoint})"

    @property
    def origin(self) -> str:
        parts = urlsplit(self.endpoint)
        return f"{parts.scheme}://{parts.netloc}"


class OpenIdProvider:
    """One provider. Metadata and keys are fetched when they are first needed, so that the portal starts without it."""

    def __init__(
        self,
        settings: OidcSettings,
        base_url: str,
        transport: httpx2.BaseTransport,
        clock: Clock,
        *,
        return_path: str = "/sign-in/return",
    ) -> None:
        self.settings = settings
        self.redirect_uri = base_url + return_path
        self._signed_out_uri = base_url + "/signed-out"
        self._http = httpx2.Client(transport=transport, timeout=settings.timeout_seconds, trust_env=False)
        self._transport = transport
        self._clock = clock
        self._lock = Lock()
        self._metadata: tuple[Metadata, datetime] | None = None
        self._failed_at: datetime | None = None
        self._keys = KeySet(self._fetch_keys, clock)

    def now(self) -> datetime:
        """The present moment, by which the provider's tokens are judged."""
        return self._clock()

    def metadata(self) -> Metadata:
        """Raises SignInRefused (PROVIDER_SILENT) when it cannot be had or cannot be right."""
        with self._lock:
            now = self._clock()
            if self._metadata is not None and now - self._metadata[1] < KEPT_FOR:
                return self._metadata[0]
            if self._failed_at is not None and now - self._failed_at < RETRY_AFTER:
                raise SignInRefused(Refusal.PROVIDER_SILENT, "the provider did not answer a moment ago")
            try:
                self._metadata = self._discover(), now
            except SignInRefused:
                self._failed_at = self._clock()
                raise
            return self._metadata[0]

    def authorization_url(
        self, *, state: str, nonce: str, verifier: str, acr_values: str, language: str, max_age: int | None = None
    ) -> str:
        """Where to send the browser (OpenID Connect Core 1.0, section 3.1.2.1; PKCE with S256, RFC 7636).

        With `max_age`, in seconds, the provider is asked for a proof that is no older, even of somebody it knows.
        """
        client = self._client()
        url, _ = client.create_authorization_url(
            self.metadata().authorization_endpoint,
            state=state,
            code_verifier=verifier,
            nonce=nonce,
            acr_values=acr_values,
            ui_locales=language,
            **self._asking_anew(max_age),
        )
        return cast(str, url)

    def _asking_anew(self, max_age: int | None) -> dict[str, str]:
        if max_age is None:
            return {}
        ways = {"prompt": "login", "max_age": str(max_age)}
        return {name: ways[name] for name in self.settings.step_up_with}

    def redeem(self, code: str, verifier: str) -> tuple[str, str | None]:
        """Exchange the code for the ID token, and the access token that it may name by its hash.

        Raises:
            SignInRefused: the provider does not take the code (it was used, is another client's, or the verifier is
                not its), or gives no usable answer.
        """
        endpoint = self.metadata().token_endpoint
        try:
            answer = self._client().fetch_token(
                endpoint, grant_type="authorization_code", code=code, code_verifier=verifier
            )
        except OAuthError as error:
            if error.error == "invalid_grant":
                raise SignInRefused(Refusal.NOT_TRUSTED, "the code was not taken") from None
            raise SignInRefused(Refusal.PROVIDER_SILENT, "the token endpoint refused the portal") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TypeError, KeyError, RecursionError) as error:
            raise SignInRefused(Refusal.PROVIDER_SILENT, f"token endpoint: {type(error).__name__}") from None
        id_token = answer.get("id_token") if isinstance(answer, dict) else None
        if not isinstance(id_token, str) or len(id_token) > MAXIMUM_TOKEN:
            raise SignInRefused(Refusal.NOT_TRUSTED, "no ID token in the answer")
        access_token = answer.get("access_token")
        return id_token, access_token if isinstance(access_token, str) else None

    def key_for(self, header: Mapping[str, Any]) -> VerifyingKey:
        """The provider's key that a token's header names, however it rotates them.

        Raises:
            TokenRefused: there is no such key.
            SignInRefused: the keys cannot be fetched.
        """
        return self._keys.key_for(header)

    def sign_out(self, id_token: str, language: str) -> ProviderSignOut | None:
        """How to sign out at the provider (OpenID Connect RP-Initiated Logout 1.0); None when it offers no way."""
        try:
            endpoint = self.metadata().end_session_endpoint
        except SignInRefused as refused:
            logger.warning("signing out at the provider was skipped: %s", refused.check)
            return None
        if endpoint is None:
            return None
        fields = {
            "id_token_hint": id_token,
            "post_logout_redirect_uri": self._signed_out_uri,
            "state": f"language-{language}",
            "ui_locales": language,
        }
        return ProviderSignOut(endpoint, self.settings.logout_method, fields)

    def close(self) -> None:
        self._http.close()

    def _client(self) -> OAuth2Client:
        """Authlib's client, made for each exchange: it keeps the tokens of the last one."""
        settings = self.settings
        return OAuth2Client(
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value() if settings.client_secret else None,
            token_endpoint_auth_method=settings.client_authentication,
            scope=" ".join(settings.scopes),
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            transport=self._transport,
            timeout=settings.timeout_seconds,
            trust_env=False,
        )

    def _discover(self) -> Metadata:
        url = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        document = self._get_json(url)
        # Section 4.3: the document must be the issuer's own, or a mix-up could put one provider's endpoints in
        # another's place.
        if document.get("issuer") != self.settings.issuer:
            raise SignInRefused(Refusal.PROVIDER_SILENT, "the discovery document names another issuer")
        methods = document.get("code_challenge_methods_supported")
        if isinstance(methods, list) and "S256" not in methods:
            raise SignInRefused(Refusal.PROVIDER_SILENT, "the provider does not take PKCE with S256")
        end_session = document.get("end_session_endpoint")
        return Metadata(
            authorization_endpoint=self._endpoint(document, "authorization_endpoint"),
            token_endpoint=self._endpoint(document, "token_endpoint"),
            jwks_uri=self._endpoint(document, "jwks_uri"),
            end_session_endpoint=None if end_session is None else self._endpoint(document, "end_session_endpoint"),
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        )

    def _endpoint(self, document: Mapping[str, Any], name: str) -> str:
        value = document.get(name)
        parts = urlsplit(value) if isinstance(value, str) else None
        schemes = {"https", "http"} if self.settings.is_plain_http else {"https"}
        if parts is None or parts.scheme not in schemes or not parts.hostname or parts.fragment or parts.username:
            raise SignInRefused(Refusal.PROVIDER_SILENT, f"the discovery document has no usable {name}")
        return cast(str, value)

    def _fetch_keys(self) -> dict[str, Any]:
        return self._get_json(self.metadata().jwks_uri)

    def _get_json(self, url: str) -> dict[str, Any]:
        try:
            response = self._http.get(url, headers={"Accept": "application/json"})
            if response.status_code != httpx2.codes.OK:
                raise SignInRefused(Refusal.PROVIDER_SILENT, f"the provider answered {response.status_code}")
            document = json.loads(response.content)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RecursionError) as error:
            raise SignInRefused(Refusal.PROVIDER_SILENT, f"the provider: {type(error).__name__}") from None
        if not isinstance(document, dict):
            raise SignInRefused(Refusal.PROVIDER_SILENT, "the provider's answer is no object")
        return document
