"""One access and its one canonical encoding, and the leaf through which it enters the tree.

Both encodings are a subset of RFC 8785 (JSON Canonicalization Scheme): objects with ASCII keys, strings, booleans and
integers within 53 bits, no floats. For that subset a sorted, separator-free `json` encoding is JCS byte for byte.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from audit.errors import EntryRefused

FORMAT_VERSION: Final = 1
GENESIS: Final = bytes(32)
"""`prev` of the entry with seq 0, which has no predecessor."""
HASH_SIZE: Final = 32
MAX_TEXT: Final = 4000
"""Characters in one free text of an access."""
MAX_BODY: Final = 1 << 20
"""Bytes of one encoded body."""
MAX_LEAF: Final = 65_535
"""Bytes of one encoded leaf: an entry bundle states a length in 16 bits (C2SP tlog-tiles)."""
MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader takes exactly (RFC 8785, appendix B; RFC 7493, section 2.2)."""

_CODE = re.compile(r"[a-z][a-z0-9-]{0,63}")
# Printable ASCII without space and '+' (a signed note's key name) and without '"' and '\' (JSON would escape them).
_LOG_NAME = re.compile(r"[!#-*,-\[\]-~]{1,255}")
_NUL_OR_SURROGATE = re.compile("[\x00\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LABEL_CONTEXT: Final = b"glasshouse/label/v1"

# Made once: to make an encoder takes as long as to use it.
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)

_CODES: Final = ("action", "outcome", "source")
_TEXTS: Final = (
    "subject",
    "organisation",
    "role",
    "official",
    "official_name",
    "on_behalf_of",
    "registry",
    "purpose",
    "lawful_basis",
    "case",
    "justification",
    "request_id",
    "reason",
    "seal",
)
_BODY_KEYS: Final = frozenset((*_CODES, *_TEXTS, "automatic", "details", "fields", "occurred_at", "version"))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Access:
    """One look, or refused or failed look, at one subject's data: the body of an entry.

    `occurred_at` is the caller's clock, kept in UTC and cut to milliseconds. `details` holds small extras (a digest, a
    count, the seq of the entry referred to), never a value out of a record; it is kept as a read-only sorted copy.

    `seal` names the seal that withholds this entry from its subject until the seal ends: the entry then stands under
    the seal's own keys, and nothing that the subject can ask for finds it.

    Raises EntryRefused where a value has no place in the format; the message names the field and never its content.
    """

    action: str
    outcome: str
    source: str
    occurred_at: datetime
    subject: str | None = None
    organisation: str | None = None
    role: str | None = None
    official: str | None = None
    official_name: str | None = None
    on_behalf_of: str | None = None
    registry: str | None = None
    purpose: str | None = None
    lawful_basis: str | None = None
    case: str | None = None
    justification: str | None = None
    request_id: str | None = None
    reason: str | None = None
    seal: str | None = None
    fields: tuple[str, ...] = ()
    automatic: bool = False
    details: Mapping[str, str | int] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in _CODES:
            object.__setattr__(self, name, _code(name, getattr(self, name)))
        for name in _TEXTS:
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, _text(name, value))
        if self.seal is not None and self.subject is None:
            raise EntryRefused("seal: an entry about nobody is withheld from nobody")
        if not isinstance(self.fields, tuple):
            raise EntryRefused("fields: expected a tuple of texts")
        object.__setattr__(self, "fields", tuple(_text("fields", value) for value in self.fields))
        if not isinstance(self.automatic, bool):
            raise EntryRefused("automatic: expected true or false")
        object.__setattr__(self, "occurred_at", _in_milliseconds(self.occurred_at))
        object.__setattr__(self, "details", _frozen_details(self.details))

    def __repr__(self) -> str:
        """Show what happened and not to whom: a repr ends up in application logs."""
        return f"<Access {self.action} {self.outcome} by {self.source}>"


def _code(name: str, value: object) -> str:
    if not isinstance(value, str) or _CODE.fullmatch(value) is None:
        raise EntryRefused(f"{name}: expected a lowercase letter, then at most 63 lowercase letters, digits or hyphens")
    return str.__str__(value)  # of an enumeration its value, whatever its own __str__ gives


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise EntryRefused(f"{name}: expected a text")
    if len(value) > MAX_TEXT:
        raise EntryRefused(f"{name}: longer than {MAX_TEXT} characters")
    if _NUL_OR_SURROGATE.search(value) is not None:
        raise EntryRefused(f"{name}: holds a NUL or half of a surrogate pair")
    return str.__str__(value)


def _in_milliseconds(moment: object) -> datetime:
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise EntryRefused("occurred_at: expected a time with a time zone")
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        raise EntryRefused("occurred_at: outside the years 1 to 9999") from None
    return in_utc.replace(microsecond=in_utc.microsecond // 1000 * 1000)


def _frozen_details(details: object) -> Mapping[str, str | int]:
    if not isinstance(details, Mapping):
        raise EntryRefused("details: expected a mapping")
    frozen: dict[str, str | int] = {}
    for key, value in details.items():
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise EntryRefused("details: a value must be a text or an integer")
        if isinstance(value, str):
            frozen[_code("details", key)] = _text("details", value)
        elif abs(value) > MAX_INTEGER:
            raise EntryRefused("details: an integer beyond 53 bits")
        else:
            frozen[_code("details", key)] = int(value)
    return MappingProxyType(dict(sorted(frozen.items())))


def encode_body(access: Access) -> bytes:
    """Encode an access as canonical JSON, the bytes that a leaf commits to.

    What is not stated is left out: None, no fields, no details, and `automatic` when false. `occurred_at` is an
    integer, milliseconds since 1970 UTC. Raises EntryRefused beyond MAX_BODY bytes.
    """
    body: dict[str, Any] = {
        "version": FORMAT_VERSION,
        "occurred_at": (access.occurred_at - _EPOCH) // _MILLISECOND,
    }
    for name in (*_CODES, *_TEXTS):
        if (value := getattr(access, name)) is not None:
            body[name] = value
    if access.fields:
        body["fields"] = access.fields
    if access.details:
        body["details"] = dict(access.details)
    if access.automatic:
        body["automatic"] = True
    encoded = _CANONICAL.encode(body).encode()
    if len(encoded) > MAX_BODY:
        raise EntryRefused(f"the access takes more than {MAX_BODY} bytes")
    return encoded


def decode_body(encoded: bytes) -> Access:
    """Read what `encode_body` wrote; raises EntryRefused for any bytes that it would not have written."""
    body = _json_object(encoded, MAX_BODY)
    if body.get("version") != FORMAT_VERSION:
        raise EntryRefused("the body has another version than this software reads")
    if not body.keys() <= _BODY_KEYS or not {"occurred_at", *_CODES} <= body.keys():
        raise EntryRefused("the body lacks a key or has one that is not known")
    del body["version"]
    body["occurred_at"] = _from_milliseconds(body["occurred_at"])
    if "fields" in body:
        if not isinstance(body["fields"], list):
            raise EntryRefused("fields: expected a list of texts")
        body["fields"] = tuple(body["fields"])
    access = Access(**body)
    if encode_body(access) != encoded:
        raise EntryRefused("the body is not in canonical form")
    return access


def _json_object(encoded: bytes, limit: int) -> dict[str, Any]:
    if len(encoded) > limit:
        raise EntryRefused(f"more than {limit} bytes")
    try:
        value = json.loads(encoded.decode())
    except (ValueError, RecursionError):
        # The decoder's own message and the exception it chains to would repeat the content.
        raise EntryRefused("not a JSON object in UTF-8") from None
    if not isinstance(value, dict):
        raise EntryRefused("not a JSON object in UTF-8")
    return value


def _from_milliseconds(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int):
        raise EntryRefused("occurred_at: expected an integer, milliseconds since 1970 UTC")
    try:
        return _EPOCH + timedelta(milliseconds=value)
    except OverflowError:
        raise EntryRefused("occurred_at: outside the years 1 to 9999") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """What the tree holds of one entry: its place, its time and commitments; no personal data in the clear.

    `log` is the origin of the log; `seq` and `source_seq` count from 0; `time_ms` is in milliseconds since 1970 UTC;
    `prev` is the leaf hash of the entry before (GENESIS for seq 0), so that the leaf hashes are a hash chain as well.

    Raises EntryRefused where a value has no place in the format.
    """

    version: int = FORMAT_VERSION
    log: str
    seq: int
    time_ms: int
    source: str
    source_seq: int
    label: bytes
    commitment: bytes
    prev: bytes

    def __post_init__(self) -> None:
        if self.version != FORMAT_VERSION:
            raise EntryRefused("the leaf has another version than this software reads")
        if type(self.log) is not str or _LOG_NAME.fullmatch(self.log) is None:
            raise EntryRefused("log: expected 1 to 255 printable ASCII characters, no space, plus, quote or backslash")
        if type(self.source) is not str or _CODE.fullmatch(self.source) is None:
            raise EntryRefused("source: expected a lowercase letter, then lowercase letters, digits or hyphens")
        for number in (self.seq, self.time_ms, self.source_seq):
            if type(number) is not int or not 0 <= number <= MAX_INTEGER:
                raise EntryRefused("seq, time_ms, source_seq: expected integers from 0 to 2^53-1")
        for digest in (self.label, self.commitment, self.prev):
            if type(digest) is not bytes or len(digest) != HASH_SIZE:
                raise EntryRefused(f"label, commitment, prev: expected {HASH_SIZE} bytes each")


# The grammar of a leaf is regular, so one expression is the strict reader: what matches re-encodes to the same bytes.
_INTEGER = rb"(0|[1-9][0-9]{0,15})"
_DIGEST = rb"([0-9a-f]{64})"
_LEAF = re.compile(
    rb'\{"commitment":"%(digest)b","label":"%(digest)b","log":"([!#-*,-\[\]-~]{1,255})","prev":"%(digest)b",'
    rb'"seq":%(integer)b,"source":"([a-z][a-z0-9-]{0,63})","source_seq":%(integer)b,"time_ms":%(integer)b,"version":1\}'
    % {b"digest": _DIGEST, b"integer": _INTEGER}
)


def encode_leaf(leaf: Leaf) -> bytes:
    """Encode a leaf as canonical JSON: the bytes that are hashed into the tree and served in entry bundles.

    Digests are lowercase hex. No string of a leaf needs an escape (its patterns see to it), so this is JCS already.
    """
    return encoded_leaf(
        leaf.log, leaf.seq, leaf.time_ms, leaf.source, leaf.source_seq, leaf.label, leaf.commitment, leaf.prev
    )


def encoded_leaf(
    log: str, seq: int, time_ms: int, source: str, source_seq: int, label: bytes, commitment: bytes, prev: bytes
) -> bytes:
    """`encode_leaf` of values that are known to have their place in the format, as the log numbers and hashes them."""
    return (
        f'{{"commitment":"{commitment.hex()}","label":"{label.hex()}","log":"{log}","prev":"{prev.hex()}","seq":{seq},'
        f'"source":"{source}","source_seq":{source_seq},"time_ms":{time_ms},"version":{FORMAT_VERSION}}}'
    ).encode("ascii")


def decode_leaf(encoded: bytes) -> Leaf:
    """Read what `encode_leaf` wrote; raises EntryRefused for any bytes that it would not have written."""
    match = _LEAF.fullmatch(encoded)
    if match is None:
        raise EntryRefused("not a leaf in canonical form of version 1")
    commitment, label_, log, prev, seq, source, source_seq, time_ms = match.groups()
    return Leaf(
        log=log.decode("ascii"),
        seq=int(seq),
        time_ms=int(time_ms),
        source=source.decode("ascii"),
        source_seq=int(source_seq),
        label=bytes.fromhex(label_.decode("ascii")),
        commitment=bytes.fromhex(commitment.decode("ascii")),
        prev=bytes.fromhex(prev.decode("ascii")),
    )


def leaf_hash(leaf: bytes) -> bytes:
    """The RFC 6962 (section 2.1) hash of an encoded leaf, which is also the `prev` of the next entry."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def commit(secret: bytes, body: bytes) -> bytes:
    """Commit to a body: HMAC-SHA-256 under the entry's own random 32 bytes, so that no guess at the body can be tested.

    Raises EntryRefused for a secret of another length (HMAC pads a short key, so two keys would open one commitment).
    """
    _require_key(secret)
    return hmac.digest(secret, body, "sha256")


def label(key: bytes, k: int) -> bytes:
    """The label of a subject's k-th entry (k from 1) under the subject's label key of 32 bytes.

    Without the key two labels of one person look like two strangers'; with it the person finds entries 1..n and sees
    that n+1 is absent. Raises EntryRefused for a key of another length or k outside 1..2^64-1.
    """
    _require_key(key)
    if not 1 <= k < 2**64:
        raise EntryRefused("a label counts from 1 and in 64 bits")
    return hmac.digest(key, _LABEL_CONTEXT + k.to_bytes(8, "big"), "sha256")


def _require_key(key: bytes) -> None:
    if len(key) != HASH_SIZE:
        raise EntryRefused(f"a secret or label key has {HASH_SIZE} bytes")
