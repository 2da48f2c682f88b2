"""Where the built style sheet, script and pictures are: names hold a digest, so browsers may keep them for ever."""

from __future__ import annotations

import json
from pathlib import Path

from flask import Flask, url_for

#: Files below this path never change under their name.
BUILD_PATH = "/static/build/"


class AssetsMissing(RuntimeError):
    """The pages' assets were not built. The message says how to build them."""

    def __init__(self) -> None:
        super().__init__("the style sheet, script and fonts are not built yet; `make assets` builds them")


def init_assets(app: Flask) -> None:
    """Give templates `asset(name)`. Raises AssetsMissing."""
    published = _manifest(Path(str(app.static_folder)) / "build" / "manifest.json")

    def asset(name: str) -> str:
        return url_for("static", filename=f"build/{published[name]}")

    app.add_template_global(asset, "asset")


def _manifest(path: Path) -> dict[str, str]:
    try:
        manifest: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise AssetsMissing from None
    return manifest
