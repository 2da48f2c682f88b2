"""What a device is called on the page of somebody's sessions: coarse, enough to recognise one's own."""

from __future__ import annotations

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


def _first(marks: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for mark, name in marks if mark in text), "")
