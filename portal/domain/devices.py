"""Where somebody comes from, coarsely: the kind of device, enough to recognise one's own, and the network's prefix."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Self

#: The first that occurs decides: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
#: Android calls itself Linux too, and an iPhone "like Mac OS X".
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Device:
    """Product names from a fixed list, or nothing: what a client says of itself is never stored as it came."""

    browser: str = ""
    system: str = ""

    @classmethod
    def of_user_agent(cls, text: str) -> Self:
        return cls(_first(_BROWSERS, text), _first(_SYSTEMS, text))


#: What one household or office usually keeps while its single addresses change: RFC 6177 gives a site a /48 at most.
_PREFIX = {4: 24, 6: 48}


def network_of(address: str | None) -> str:
    """The network that an address belongs to, as a prefix; empty for what is no address."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, _PREFIX[parsed.version]), strict=False))


def _first(marks: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for mark, name in marks if mark in text), "")
