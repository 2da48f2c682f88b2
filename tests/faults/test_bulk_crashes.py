"""A list of people outlives its process: what was begun is finished by the next, and each person has one entry."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from audit.log import TrailQuery
from portal.domain.identifiers import PersonalCode
from portal.services.bulk import ListRequest
from tests.databases import environment
from tests.factories.apps import FakePortal
from tests.factories.people import some_people

pytestmark = pytest.mark.fault

ROOT = Path(__file__).parents[2]
PEOPLE = 45

#: Performs the list and dies by SIGKILL in the middle of a row: after its entry, before its answer is kept.
CHILD = textwrap.dedent(
    """
    import os, signal, sys
    import portal.furnishing
    from config.settings import Settings
    from tests.fakes.registry import FakeRegistry

    url, folder, job, left = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    registries = {}
    portal.furnishing.connectors_of = lambda settings, catalogue: registries
    audit = {"database_url": url} if url.startswith("postgresql") else {}
    given = {"database_url": url, "audit": audit} if audit else {}
    house = portal.furnishing.furnish_house(Settings.load({"GLASSHOUSE_DATA_DIR": folder}, **given))

    class Registry(FakeRegistry):
        def fetch(self, subject, fields):
            global left
            records = super().fetch(subject, fields)
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return records

    registries |= {code: Registry(code, house.log) for code in house.catalogue.registries}
    print("FINISHED" if house.safeguards.bulk_runs.perform(job) else "NOT MINE", flush=True)
    """
)


def _child(portal: FakePortal, folder: Path, url: str, job: str, left: int) -> subprocess.CompletedProcess[str]:
    (folder / "child.py").write_text(CHILD)
    return subprocess.run(
        [sys.executable, str(folder / "child.py"), url, str(folder), job, str(left)],
        cwd=ROOT,
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _silence(portal: FakePortal) -> None:
    """As if the killed run had not been heard of for long."""
    engine = create_engine(portal.settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE bulk_jobs SET heartbeat_at = '2020-01-01 00:00:00+00:00'"))
    engine.dispose()


def test_a_list_whose_process_is_killed_in_the_middle_of_a_row_is_finished_with_one_entry_for_each_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    is_postgres = database_url.startswith("postgresql")
    settings: dict[str, Any] = {"database_url": database_url, "audit": {"database_url": database_url}}
    portal = FakePortal.build(tmp_path, monkeypatch, **(settings if is_postgres else {}))
    url = database_url if is_postgres else "sqlite"
    house, people = portal.house, some_people(PEOPLE)
    job = _submitted(portal, people)
    killed = _child(portal, tmp_path, url, job, left=23)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert _child(portal, tmp_path, url, job, left=0).stdout.strip() == "NOT MINE"  # it may be alive still
    _silence(portal)
    killed_again = _child(portal, tmp_path, url, job, left=1)  # dies in the very row that was cut off
    assert killed_again.returncode == -signal.SIGKILL, killed_again.stderr
    _silence(portal)
    assert house.safeguards.bulk_runs.resume_due() == 1
    looks = Counter(
        logged.access.subject
        for logged in house.log.stream(TrailQuery(actions=frozenset({"read"})))
        if logged.access is not None
    )
    assert looks == Counter(code.subject for code in people)
    shown = house.safeguards.bulk.job(house.accounts.actor(portal.accounts["caseworker"]), job)
    assert (shown.outcomes, shown.is_over) == ({"released": PEOPLE}, True)
    assert house.log.verify().ok
    portal.close()


def _submitted(portal: FakePortal, people: list[PersonalCode]) -> str:
    actor = portal.house.accounts.actor(portal.accounts["caseworker"])
    wanted = ListRequest(
        people=people, registries=("population",), case="C-9", justification="Yearly check of the family benefits paid"
    )
    purpose = portal.house.catalogue.purposes["benefit-claim"]
    return portal.house.safeguards.bulk.submit(actor, purpose, wanted, request_id="request")
