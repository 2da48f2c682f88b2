"""Which of the settings' addresses lead over a network in the clear (ASVS 5.0, 12.3.1 and 12.3.2)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qs, urlsplit

#: Encrypted, and the server's certificate checked: libpq's `sslmode` (PostgreSQL documentation, 33.19).
_CHECKED = frozenset({"verify-ca", "verify-full"})


def in_the_clear(databases: Mapping[str, str], counters: str) -> list[str]:
    """One sentence for each database, and for the store of the limits, that is reached unprotected from elsewhere.

    `databases` holds URLs of SQLAlchemy by the setting that gives them. What stays on this machine, over its loopback
    address or a socket of its own, needs no protection. A URL that cannot be read is left to whoever opens it.
    """
    mistakes = [
        f"{name}: the server is reached over a network; add ?sslmode=verify-full (and sslrootcert=…) to its address"
        for name, url in databases.items()
        if _is_unprotected_database(url)
    ]
    store = _parts(counters)
    if store is not None and store.scheme == "redis" and not _is_here(store.hostname):
        mistakes.append("limits.storage: the server is reached over a network; use rediss://")
    return mistakes


def _is_unprotected_database(url: str) -> bool:
    parts = _parts(url)
    if parts is None or parts.scheme.partition("+")[0] != "postgresql":
        return False
    options = parse_qs(parts.query)
    hosts = [parts.hostname] if parts.hostname else options.get("host", [])
    is_checked = options.get("sslmode", [""])[-1] in _CHECKED
    return not is_checked and not all(_is_here(host) for host in hosts)


def _parts(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _is_here(host: str | None) -> bool:
    if host is None or host == "localhost" or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
