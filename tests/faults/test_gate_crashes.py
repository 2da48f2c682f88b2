"""A process killed between append and release leaves an entry without a disclosure, never the other way round."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from audit.log import TrailQuery
from tests.databases import environment
from tests.factories.logs import LogHome
from tests.factories.people import MARY

pytestmark = pytest.mark.fault

ROOT = Path(__file__).parents[2]

#: Opens the log, and dies by SIGKILL at the moment that `when` names. What it would release it prints.
CHILD = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from audit.keys import MasterKey
    from audit.log import LogSettings, open_log
    from portal.services.clock import system_clock
    from portal.services.disclosure import Gate
    from tests.fakes.registry import FakeRegistry
    from tests.factories.people import MARY
    from tests.unit.portal.services.test_disclosure import a_grant

    url, folder, when = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    master = MasterKey.from_text((folder / "keys" / "master_key.txt").read_text())
    log = open_log(LogSettings(url, "test.example/log", folder / "keys" / "log.key", master, folder / "log.checkpoint"))

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    class Registry(FakeRegistry):
        def fetch(self, subject, fields):
            if when == "before the registry answers":
                die()
            records = super().fetch(subject, fields)
            if when == "before the answer is released":
                die()
            return records

    if when == "before the entry is written":
        log.append_all = die
    registry = Registry("population", log)
    registry.holds(MARY, name="Mari Maasikas")
    disclosure = Gate(log, {"population": registry}, system_clock).disclose([a_grant()])[0]
    print("RELEASED", disclosure.records[0].fields["name"].value, flush=True)
    """
)


@pytest.mark.parametrize(
    ("when", "entries"),
    [
        ("before the entry is written", 0),
        ("before the registry answers", 1),
        ("before the answer is released", 1),
        ("never", 1),
    ],
)
def test_whoever_is_killed_on_the_way_has_released_nothing_without_an_entry(
    tmp_path: Path, database_url: str, when: str, entries: int
) -> None:
    home = LogHome.make(tmp_path, database_url)
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    child = subprocess.run(
        [sys.executable, str(script), database_url, str(tmp_path), when],
        cwd=ROOT,
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if when == "never":
        assert child.returncode == 0, child.stderr
        assert "RELEASED Mari Maasikas" in child.stdout
    else:
        assert child.returncode == -signal.SIGKILL, child.stderr
        assert "RELEASED" not in child.stdout
    log = home.open()
    assert log.count(TrailQuery(subject=MARY.subject)) == entries
    log.close()
    assert home.verify().ok
