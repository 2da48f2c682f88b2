"""An OpenID provider on this machine that answers whatever a test wants: honest unless it is told to lie."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT_ID = "glasshouse-tests"
CLIENT_SECRET = "a secret of the tests, long enough for anybody"
MARYS_SUB = "EE38001085718"
JUHANS_SUB = "EE37605030299"

Claims = dict[str, Any]


@cache
def rsa_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


@cache
def ec_key(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name, "use": "sig", "alg": "ES256"})


def signed(claims: Claims, key: RSAKey | ECKey | None = None, **header: Any) -> str:
    """A token as an honest provider signs it; `header` changes what its header says."""
    key = key or rsa_key("first")
    algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
    return jwt.encode({"alg": algorithm, "kid": key.kid, **header}, claims, key, algorithms=[algorithm])


def unsigned(claims: Claims, header: Claims, signature: bytes = b"") -> str:
    """A token with any header and any signature, as no honest library would make it."""
    parts = [_b64(json.dumps(part).encode()) for part in (header, claims)]
    return ".".join([*parts, _b64(signature)])


def signed_with_the_public_key(claims: Claims, key: RSAKey) -> str:
    """HS256 with the provider's public key as the shared secret: algorithms confused (RFC 8725, section 2.1)."""
    header = {"alg": "HS256", "kid": key.kid}
    body = ".".join(_b64(json.dumps(part).encode()) for part in (header, claims))
    return body + "." + _b64(hmac.digest(key.as_pem(private=False), body.encode(), "sha256"))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class HostileProvider:
    """What it answers is set by attributes; `asked` counts requests by path, `posted` keeps what was posted."""

    issuer: str
    now: Callable[[], float] = time.time
    nonce: str = ""
    sub: str = MARYS_SUB
    acr: str | None = "substantial"
    keys: list[RSAKey | ECKey] = field(default_factory=lambda: [rsa_key("first")])
    change: Callable[[Claims], None] = lambda _claims: None
    sign: Callable[[Claims], str] = signed
    metadata: Claims = field(default_factory=dict)
    answers: dict[str, tuple[int, bytes, dict[str, str]]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    posted: list[dict[str, str]] = field(default_factory=list)
    redeemed: set[str] = field(default_factory=set)
    takes_codes_again: bool = False

    def be_honest(self) -> None:
        """Forget what a test before has set."""
        self.__dict__.update(HostileProvider(self.issuer).__dict__)

    def document(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/logout",
            "authorization_response_iss_parameter_supported": True,
            "code_challenge_methods_supported": ["S256"],
            **self.metadata,
        }

    def claims(self) -> Claims:
        now = int(self.now())
        claims: Claims = {
            "iss": self.issuer,
            "sub": self.sub,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": self.nonce,
            "sid": "session-at-provider",
            "given_name": "Mari",
            "family_name": "Maasikas",
        }
        if self.acr is not None:
            claims["acr"] = self.acr
        self.change(claims)
        return claims

    def logout_claims(self, **changes: Any) -> Claims:
        now = int(self.now())
        claims: Claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "jti": "jti",
            "sid": "session-at-provider",
            "sub": self.sub,
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not ...}

    def token(self, form: dict[str, str]) -> tuple[int, Claims]:
        code = form.get("code", "")
        if code in self.redeemed and not self.takes_codes_again:
            return 400, {"error": "invalid_grant", "error_description": "used before"}
        self.redeemed.add(code)
        return 200, {"token_type": "Bearer", "access_token": "unused", "id_token": self.sign(self.claims())}

    def answer(self, path: str, form: dict[str, str] | None) -> tuple[int, bytes, dict[str, str]]:
        self.asked[path] = self.asked.get(path, 0) + 1
        if form is not None:
            self.posted.append(form)
        if path in self.answers:
            return self.answers[path]
        status, body = {
            "/.well-known/openid-configuration": lambda: (200, self.document()),
            "/jwks": lambda: (200, {"keys": [key.as_dict(private=False) for key in self.keys]}),
            "/token": lambda: self.token(form or {}),
        }[path]()
        return status, json.dumps(body).encode(), {"Content-Type": "application/json"}


def challenge_of(verifier: str) -> str:
    return _b64(hashlib.sha256(verifier.encode()).digest())


@contextmanager
def hostile_provider() -> Iterator[HostileProvider]:
    """One that listens on this machine until the block ends."""
    told: list[HostileProvider] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(None)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._reply(form | {"Authorization": self.headers.get("Authorization", "")})

        def _reply(self, form: dict[str, str] | None) -> None:
            status, body, headers = told[0].answer(self.path, form)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.append(HostileProvider(f"http://127.0.0.1:{server.server_address[1]}"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told[0]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
