"""A signing key that never leaves its token: Ed25519 through PKCS#11 (v3.0, CKM_EDDSA), named by an RFC 7512 URI.

``pkcs11:token=Glasshouse;object=log.example%2Flog;id=%01?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/run/pin``

The label of the key on the token is its name in signatures, that is, the log's origin. The PIN stands in a file of its
own, readable by its owner alone; a PIN in the reference itself is refused, since settings are shown and logged.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, unquote_to_bytes

from audit.errors import KeyRefused, LogUnavailable
from audit.note import Ed25519Verifier
from audit.private import read_private_file

PKCS11: Final = "pkcs11:"
_PUBLIC_KEY_SIZE = 32
#: The curve as a PrintableString in DER (PKCS #11 v3.0, section 2.3.7).
_EDWARDS25519 = b"\x13\x0cedwards25519"
_PATH = {"token", "serial", "object", "id", "type"}
_QUERY = {"module-path", "pin-source"}


@dataclass(frozen=True, slots=True)
class TokenReference:
    """What an RFC 7512 URI says: which module, which token, which key on it, and where its PIN stands."""

    module: str
    pin_file: Path
    token: str | None
    serial: str | None
    label: str | None
    id: bytes | None

    @classmethod
    def parse(cls, uri: str) -> TokenReference:
        """Raises KeyRefused for another form, an attribute that is not known here, or too little to find one key by."""
        path, _, query = uri.removeprefix(PKCS11).partition("?")
        named = _attributes(path, ";", _PATH)
        asked = _attributes(query, "&", _QUERY)
        if named.get("type", "private") not in {"private", "secret-key"}:
            raise KeyRefused("a pkcs11: reference is of type=private (a signing key) or type=secret-key (a master key)")
        if not ({"token", "serial"} & named.keys() and {"object", "id"} & named.keys()):
            raise KeyRefused("a pkcs11: reference names its token (token= or serial=) and its key (object= or id=)")
        if not asked.keys() >= _QUERY:
            raise KeyRefused("a pkcs11: reference ends in ?module-path=…&pin-source=…")
        source = unquote(asked["pin-source"]).removeprefix("file://").removeprefix("file:")
        return cls(
            module=unquote(asked["module-path"]),
            pin_file=Path(source),
            token=_text(named, "token"),
            serial=_text(named, "serial"),
            label=_text(named, "object"),
            id=unquote_to_bytes(named["id"]) if "id" in named else None,
        )


def _attributes(text: str, separator: str, known: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for attribute in filter(None, text.split(separator)):
        name, equals, value = attribute.partition("=")
        if name == "pin-value":
            raise KeyRefused("the PIN does not belong in the pkcs11: reference; name its file with pin-source=")
        if not equals or name not in known or name in found:
            raise KeyRefused("a pkcs11: reference holds an attribute that is unknown here, empty or there twice")
        found[name] = value
    return found


def _text(attributes: dict[str, str], name: str) -> str | None:
    return unquote(attributes[name]) if name in attributes else None


def token_signer(uri: str) -> TokenSigner:
    """Open the key that a `pkcs11:` reference names.

    Raises:
        KeyRefused: the reference, the module, the token, the PIN or the key is not fit for use.
    """
    reference = TokenReference.parse(uri)
    pkcs11 = _package()
    try:
        return TokenSigner(_Token(reference, pkcs11))
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        raise KeyRefused(f"the token does not give the signing key ({type(error).__name__})") from None


def make_token_key(uri: str, name: str) -> TokenSigner:
    """Make an Ed25519 key on the token under the label `name`; its private half can never be taken out of it.

    Raises:
        KeyRefused: the reference names another label, the token holds such a key already or does not make one.
    """
    reference, pkcs11 = TokenReference.parse(uri), _package()
    if reference.label not in {None, name}:
        raise KeyRefused("the reference names another key (object=) than the one that is to be made")
    try:
        token = _Token(replace(reference, label=name), pkcs11)
        token.make()
        return TokenSigner(token)
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        raise KeyRefused(f"the token does not make a signing key ({type(error).__name__})") from None


@contextmanager
def token_session(reference: TokenReference, what: str) -> Iterator[tuple[Any, Any]]:
    """A session with the token for once, and the names of PKCS#11; `what` is sought stands in the message.

    Raises:
        KeyRefused: the module, the token, the PIN or the key is not fit for use.
    """
    pkcs11 = _package()
    try:
        session = _open_session(reference, pkcs11)
        try:
            yield session, pkcs11
        finally:
            session.close()
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        raise KeyRefused(f"the token does not give the {what} ({type(error).__name__})") from None


def _package() -> Any:
    try:
        import pkcs11
    except ImportError:
        raise KeyRefused("a pkcs11: reference needs the package python-pkcs11") from None
    return pkcs11


#: In which process each module was made ready last: after a fork it has to be anew.
_READY: dict[str, int] = {}


def _open_session(reference: TokenReference, package: Any, *, for_writing: bool = False) -> Any:
    library = package.lib(reference.module)
    if _READY.get(reference.module, os.getpid()) != os.getpid():
        library.reinitialize()
    _READY[reference.module] = os.getpid()
    wanted = {"token_label": reference.token, "token_serial": _serial(reference.serial)}
    token = library.get_token(**{name: value for name, value in wanted.items() if value is not None})
    try:
        return token.open(user_pin=read_private_file(reference.pin_file, "PIN"), rw=for_writing)
    except package.exceptions.UserAlreadyLoggedIn:  # by another session of this process, which stays open
        return token.open(rw=for_writing)


class _Token:
    """A session with one token, opened anew in a process that was forked: a token does not follow its parent's."""

    def __init__(self, reference: TokenReference, module: Any) -> None:
        self._reference = reference
        self._pkcs11 = module
        self._process = 0
        self._private: Any = None

    def public(self) -> tuple[str, bytes]:
        """The key's label and its 32 public bytes."""
        constants = self._pkcs11
        key = self._key(self._session(), constants.ObjectClass.PUBLIC_KEY)
        point = bytes(key[constants.Attribute.EC_POINT])
        # DER wraps the point into an OCTET STRING (04 20); some tokens give it bare.
        raw = point[2:] if len(point) == _PUBLIC_KEY_SIZE + 2 and point[:2] == b"\x04\x20" else point
        if len(raw) != _PUBLIC_KEY_SIZE:
            raise KeyRefused("the key on the token is no Ed25519 key")
        return str(key[constants.Attribute.LABEL]), raw

    def make(self) -> None:
        constants = self._pkcs11
        with _open_session(self._reference, constants, for_writing=True) as session:
            for kind in (constants.ObjectClass.PRIVATE_KEY, constants.ObjectClass.PUBLIC_KEY):
                try:
                    self._key(session, kind)
                except constants.NoSuchKey:
                    continue
                raise KeyRefused("the token holds such a key already; a signing key is never replaced")
            curve = {constants.Attribute.EC_PARAMS: _EDWARDS25519}
            parameters = session.create_domain_parameters(constants.KeyType.EC_EDWARDS, curve, local=True)
            parameters.generate_keypair(
                mechanism=constants.Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
                store=True,
                label=self._reference.label,
                id=self._reference.id,
                private_template={constants.Attribute.SENSITIVE: True, constants.Attribute.EXTRACTABLE: False},
            )

    def sign(self, text: bytes) -> bytes:
        if self._private is None or self._process != os.getpid():
            self._private = self._key(self._session(), self._pkcs11.ObjectClass.PRIVATE_KEY)
        return bytes(self._private.sign(text, mechanism=self._pkcs11.Mechanism.EDDSA))

    def forget(self) -> None:
        """Begin with a new session next time."""
        self._private = None

    def _session(self) -> Any:
        self._process = os.getpid()
        return _open_session(self._reference, self._pkcs11)

    def _key(self, session: Any, object_class: Any) -> Any:
        wanted = {"label": self._reference.label, "id": self._reference.id}
        given = {name: value for name, value in wanted.items() if value is not None}
        return session.get_key(object_class=object_class, key_type=self._pkcs11.KeyType.EC_EDWARDS, **given)


def _serial(serial: str | None) -> bytes | None:
    return None if serial is None else serial.encode()


class TokenSigner:
    """Signs notes (type 0x01, Ed25519) with a key on a token. Any number of threads may share it."""

    def __init__(self, token: _Token) -> None:
        self._token = token
        self._lock = threading.Lock()
        self._verifier = Ed25519Verifier(*token.public())
        self.name = self._verifier.name
        self.key_id = self._verifier.key_id

    def verifier(self) -> Ed25519Verifier:
        """The public half."""
        return self._verifier

    @property
    def vkey(self) -> str:
        """The public half as text."""
        return self._verifier.vkey

    def sign(self, text: bytes) -> bytes:
        """The Ed25519 signature over the text, checked: a token that fails must not get a false one into the log.

        Raises:
            LogUnavailable: the token does not sign, also in a new session.
        """
        with self._lock:
            try:
                signature = self._signed(text)
            except LogUnavailable:  # a session ends when a token is pulled out or restarted; a new one may do
                self._token.forget()
                signature = self._signed(text)
        if not self._verifier.verify(text, signature):
            raise LogUnavailable("the token made a signature that does not hold")
        return signature

    def _signed(self, text: bytes) -> bytes:
        from pkcs11 import PKCS11Error

        try:
            return self._token.sign(text)
        except (PKCS11Error, RuntimeError, KeyRefused) as error:
            raise LogUnavailable(f"the token with the signing key does not sign ({type(error).__name__})") from None

    def __repr__(self) -> str:
        return f"<TokenSigner {self.name} {self.key_id.hex()}>"
