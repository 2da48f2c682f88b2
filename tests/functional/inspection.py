"""What every page must keep to, whoever reads it: accessible, not wider than its window, in keeping with the policy."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Page

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
#: Every rule of WCAG 2.0, 2.1 and 2.2 at the levels A and AA that axe knows.
WCAG_22_AA = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa")
WIDE = 1280
#: WCAG 1.4.10 asks for 320 pixels at most; phones sold today have 360, and we look at both.
NARROW = (360, 320)
HEIGHT = 900


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def complaints_of_axe(page: Page) -> list[str]:
    """What axe finds wrong with the page as it stands: rule and element, one line each."""
    page.evaluate(_axe())  # by the debugger, which the page's policy does not concern
    found: list[dict[str, Any]] = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(result => result.violations)",
        list(WCAG_22_AA),
    )
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


def complaints_about_width(page: Page) -> list[str]:
    """What stands out over the right edge, so that one would have to scroll sideways."""
    return [
        f"wider than the window: {element}"
        for element in page.evaluate(
            """() => {
                const width = document.documentElement.clientWidth;
                if (document.documentElement.scrollWidth <= width) return [];
                const wide = [...document.querySelectorAll('body *')].filter(
                    element => element.getBoundingClientRect().right > width + 0.5);
                return wide.slice(-3).map(element => element.outerHTML.slice(0, 160));
            }"""
        )
    ]


def inspect(page: Page, name: str) -> list[str]:
    """All that is wrong with the page now shown, at each width; the window is wide again afterwards."""
    page.wait_for_load_state("load")
    complaints = []
    for width in (*NARROW, WIDE):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        complaints += [f"{name} at {width} px: {wrong}" for wrong in complaints_about_width(page)]
        if width != NARROW[-1]:
            complaints += [f"{name} at {width} px: {wrong}" for wrong in complaints_of_axe(page)]
    return complaints


class Listener:
    """Hears what the browser itself complains about: what the policy refused, a script that failed, a missing file."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"a script failed: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        # A page that is itself an error, such as "there is nothing here", is told of by its own address.
        is_the_answer_itself = message.location.get("url", "") == (message.page.url if message.page else "")
        if message.type in {"error", "warning"} and not (is_the_answer_itself and "status of" in message.text):
            self.complaints.append(f"the browser says: {message.text}")
