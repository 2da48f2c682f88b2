"""`make gallery`: a picture of each page, as each reader sees it, at the width of a desk and of a telephone.

The walk is that of the tests (`tests/functional/walk.py`), over a small demonstration country made for the purpose;
docs/gallery.md shows the pictures.
"""

from __future__ import annotations

import base64
import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.factories.demonstrations import Demonstration, demonstration_of, make_country
from tests.functional.conftest import ARGUMENTS, CHROMIUM
from tests.functional.walk import walk_as
from tests.functional.ways import READERS, Reader

DOCS = Path(__file__).parents[1] / "docs"
FOLDER = DOCS / "gallery"
WIDTHS = {"desk": 1280, "phone": 360}
#: Longer pages are cut: what is further down is more of the same.
LONGEST = 1800
QUALITY = 32
#: Pictures of the wide page are made smaller: they are for an impression, and the words stay readable.
SCALE = {1280: 0.7, 360: 1}
TITLES = {"visitor": "For everybody"}


class Album:
    """The pictures of one reader, in the order of the walk."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.pages: list[tuple[str, str]] = []

    def see(self, page: Page, name: str) -> list[str]:
        page.wait_for_load_state("load")
        stem = f"{self.reader}-{len(self.pages) + 1:02}"
        for form, width in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": 900})
            (FOLDER / f"{stem}-{form}.webp").write_bytes(_picture(page, width))
        heading = page.title().partition(" – ")[0].partition(" - ")[0]
        print(f"  {stem}: {heading} ({re.sub('[?].*', '', name)})")
        self.pages.append((heading, stem))
        return []


def _picture(page: Page, width: int) -> bytes:
    height = min(page.evaluate("document.documentElement.scrollHeight"), LONGEST)
    session = page.context.new_cdp_session(page)
    options = {"format": "webp", "quality": QUALITY, "captureBeyondViewport": True}
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": SCALE[width]}
    taken = session.send("Page.captureScreenshot", options | {"clip": clip})
    session.detach()
    return base64.b64decode(taken["data"])


def _page_of(albums: list[Album]) -> str:
    lines = [
        "# Every page, at both widths",
        "",
        "Taken by `make gallery` ; the people in it are invented.",
        "",
    ]
    for album in albums:
        lines += [f"## {TITLES.get(str(album.reader), str(album.reader).replace('-', ' ').capitalize())}", ""]
        for heading, stem in album.pages:
            desk = f'<img src="gallery/{stem}-desk.webp" width="560" alt="{heading}, on a desk">'
            phone = f'<img src="gallery/{stem}-phone.webp" width="180" alt="{heading}, on a telephone">'
            lines += [f"### {heading}", "", f"{desk} {phone}", ""]
    return "\n".join(lines)


def take(browser: Browser, demonstration: Demonstration) -> list[Album]:
    albums = [Album(reader) for reader in READERS]
    for album in albums:
        walk = walk_as(album.reader, browser, demonstration, album.see)
        if walk.not_reached() or walk.complaints:
            raise SystemExit(f"{album.reader}: {walk.not_reached()} {walk.complaints}")
    return albums


def main() -> int:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        print("Making a small demonstration country …")
        make_country(Path(folder, "country"))
        with demonstration_of(Path(folder, "country"), Path(folder, "served")) as demonstration:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
            albums = take(browser, demonstration)
            browser.close()
    (DOCS / "gallery.md").write_text(_page_of(albums), encoding="utf-8")
    print(f"{sum(len(album.pages) for album in albums)} pages are in {DOCS / 'gallery.md'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
