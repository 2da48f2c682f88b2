"""A person's bundle, asked for and made at once."""

from __future__ import annotations

import io
from zipfile import ZipFile

from portal.web.bundle_telling import telling
from tests.factories.apps import FakePortal


def bundle_of(portal: FakePortal, account: str = "citizen") -> dict[str, bytes]:
    """Each file of it by its name."""
    house = portal.house
    person = house.accounts.actor(portal.accounts[account])
    job_id = house.bundles.request(person, "en", None, request_id="bundle")
    assert house.bundles.perform(job_id, telling(portal.app))
    download = house.bundles.download(person, job_id, request_id="bundle")
    with ZipFile(io.BytesIO(b"".join(download.part(0, download.size)))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
