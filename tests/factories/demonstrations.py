"""A small demonstration country: made once, copied for each test that wants one, so that no test sees another's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from werkzeug.serving import make_server

from config.settings import Settings
from portal.app import create_app
from portal.demo import seeding
from portal.furnishing import furnish_house
from portal.installation import initialise, log_settings
from portal.services.accounts import DemonstrationAccount
from portal.services.house import House

PEOPLE = 200
#: People with a history beside the personas, whose history alone fills several pages.
OTHERS_WITH_HISTORY = 2


def _settings(folder: Path) -> Settings:
    return Settings.load({"GLASSHOUSE_DATA_DIR": str(folder)}, demo_people=PEOPLE)


def make_country(folder: Path) -> None:
    """The registries, accounts and log of a small country, in `folder`. Copy it; do not serve it."""
    settings = initialise(_settings(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seeding, "_PEOPLE_WITH_HISTORY", OTHERS_WITH_HISTORY)
        seeding.seed_country(settings, furnish_house, log_settings(settings), lambda *_: None)


@dataclass(frozen=True)
class Demonstration:
    """A portal over a country of this test's own, listening at `url`."""

    app: Flask
    url: str
    settings: Settings

    @property
    def house(self) -> House:
        house: House = self.app.extensions["glasshouse"]
        return house

    @property
    def people(self) -> list[DemonstrationAccount]:
        """Whom one can sign in as."""
        return list(self.house.accounts.demonstration_people())


@contextmanager
def demonstration_of(country: Path, folder: Path) -> Iterator[Demonstration]:
    shutil.copytree(country, folder)
    settings = _settings(folder)
    app = create_app(initialise(settings))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    demonstration = Demonstration(app, f"http://127.0.0.1:{server.server_port}", settings)
    try:
        yield demonstration
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        demonstration.house.log.close()
