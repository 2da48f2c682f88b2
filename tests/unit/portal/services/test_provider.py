"""A provider that is silent, floods us, or says what cannot be right costs a moment and no more."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from config.identity import OidcSettings
from portal.domain.refusals import Refusal, SignInRefused
from portal.services.clock import system_clock
from portal.services.id_tokens import TokenRefused
from portal.services.outbound import MAXIMUM_ANSWER, limited_transport
from portal.services.provider import OpenIdProvider
from tests.factories.sign_ins import provider_settings
from tests.fakes.hostile_provider import Claims, HostileProvider, hostile_provider, rsa_key

SILENCE: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "an error": (500, b"<h1>trace of Mari</h1>", {}),
    "no JSON": (200, b"<html>", {}),
    "a list": (200, b"[]", {}),
    "a flood": (200, b'{"x":"' + b"y" * MAXIMUM_ANSWER + b'"}', {}),
    "a redirect elsewhere": (302, b"", {"Location": "http://127.0.0.1:1/"}),
    "a packed answer": (200, b"x", {"Content-Encoding": "gzip"}),
    "depth": (200, b"[" * 100_000, {}),
}


@pytest.fixture(scope="module")
def the_hostile() -> Iterator[HostileProvider]:
    with hostile_provider() as provider:
        yield provider


@pytest.fixture
def hostile(the_hostile: HostileProvider) -> HostileProvider:
    the_hostile.be_honest()
    return the_hostile


def _provider(hostile: HostileProvider, clock: Callable[[], object] = system_clock) -> OpenIdProvider:
    settings = OidcSettings(**provider_settings(hostile.issuer)["oidc"])
    return OpenIdProvider(settings, "https://data.example", limited_transport(5, None), clock)  # type: ignore[arg-type]


@pytest.mark.parametrize("silence", SILENCE)
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks"])
def test_an_unusable_answer_is_refused_wherever_it_comes(hostile: HostileProvider, path: str, silence: str) -> None:
    hostile.answers[path] = SILENCE[silence]
    provider = _provider(hostile)

    def sign_in() -> None:
        provider.redeem("code", "verifier")
        provider.key_for({"alg": "RS256", "kid": "first"})

    with pytest.raises((SignInRefused, TokenRefused)) as refused:
        sign_in()
    assert "Mari" not in str(refused.value)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": 7},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"end_session_endpoint": "https://user@evil.example/#x"},
        {"jwks_uri": None},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
def test_metadata_that_cannot_be_right_are_not_believed(hostile: HostileProvider, metadata: Claims) -> None:
    hostile.metadata = metadata
    with pytest.raises(SignInRefused) as refused:
        _provider(hostile).metadata()
    assert refused.value.refusal is Refusal.PROVIDER_SILENT


def test_a_provider_that_did_not_answer_is_left_alone_for_a_while(hostile: HostileProvider) -> None:
    now = [system_clock()]
    provider = _provider(hostile, lambda: now[0])
    hostile.answers["/.well-known/openid-configuration"] = SILENCE["an error"]
    for _ in range(5):
        with pytest.raises(SignInRefused):
            provider.metadata()
    assert hostile.asked == {"/.well-known/openid-configuration": 1}
    hostile.answers.clear()
    now[0] += timedelta(seconds=10)
    assert provider.metadata().token_endpoint == f"{hostile.issuer}/token"


def test_a_provider_that_never_stops_sending_is_left_after_the_time_allowed(hostile: HostileProvider) -> None:
    ticks = itertools.count(step=10.0)
    transport = limited_transport(5, None)
    transport._monotonic = lambda: next(ticks)  # each look at the clock is ten seconds later
    settings = OidcSettings(**provider_settings(hostile.issuer)["oidc"])
    with pytest.raises(SignInRefused, match="AnswerRefused"):
        OpenIdProvider(settings, "https://data.example", transport, system_clock).metadata()


def test_keys_that_cannot_check_a_signature_we_accept_are_passed_over(hostile: HostileProvider) -> None:
    import json

    good = rsa_key("first").as_dict(private=False)
    no_key = {"kty": "RSA", "kid": "first"}
    others = [{"kty": "oct", "k": "c2VjcmV0", "kid": "first"}, no_key, 7, {**good, "use": "enc"}]
    hostile.answers["/jwks"] = (200, json.dumps({"keys": [*others, good]}).encode(), {})
    provider = _provider(hostile)
    assert provider.key_for({"alg": "RS256", "kid": "first"}).kid == "first"
    for header in ({"alg": "HS256", "kid": "first"}, {"alg": "none"}, {"alg": "ES256", "kid": "first"}, {}):
        with pytest.raises(TokenRefused):
            provider.key_for(header)
