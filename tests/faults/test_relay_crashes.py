"""Processes that hand their entries to one of them are killed at any moment, the leader most of all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from audit.entry import leaf_hash
from audit.log import TrailQuery
from tests.databases import environment
from tests.factories.logs import LogHome

pytestmark = pytest.mark.fault

ROOT = Path(__file__).parents[2]

#: Keeps three processes of three threads appending, and kills one after the other, the eldest first: the eldest leads.
#: The last ones are told to stop. Prints as JSON what they had acknowledged: [number, leaf hash, case].
NURSERY = textwrap.dedent(
    """
    import json, os, random, select, signal, sys, threading, time
    from dataclasses import replace
    from pathlib import Path
    from audit.keys import MasterKey
    from audit.log import LogSettings, open_log
    from tests.factories.logs import an_access

    url, folder, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    master = MasterKey.from_text((folder / "keys" / "master_key.txt").read_text())
    settings = LogSettings(url, "test.example/log", folder / "keys" / "log.key", master, folder / "log.checkpoint")
    settings = replace(settings, relay_folder=folder / "relay")

    def append_until_told(name, pipe):
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        log = open_log(settings)

        def append(thread):
            turn = 0
            while not stop.is_set():
                cases = [f"{name}-{thread}-{turn}-{place}" for place in range(1 + turn % 3)]
                told = log.append_all([an_access(case=case, subject=f"EE{turn % 5}") for case in cases])
                lines = [json.dumps([one.seq, one.leaf_hash.hex(), case]) for one, case in zip(told, cases)]
                os.write(pipe, ("\\n".join(lines) + "\\n").encode())  # below PIPE_BUF: whole or not at all
                turn += 1

        threads = [threading.Thread(target=append, args=(thread,)) for thread in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log.close()
        os._exit(0)

    reading, writing = os.pipe()
    said = []
    listener = threading.Thread(target=lambda: said.extend(os.fdopen(reading)))

    def child(name):
        pid = os.fork()
        if pid == 0:
            append_until_told(name, writing)
        return pid

    chance = random.Random(4711)
    children = [child(number) for number in range(3)]
    listener.start()
    for round in range(rounds):
        time.sleep(chance.uniform(0.05, 0.25))
        eldest = children.pop(0)
        os.kill(eldest, signal.SIGKILL)
        os.waitpid(eldest, 0)
        children.append(child(3 + round))
    time.sleep(0.3)
    for pid in children:
        os.kill(pid, signal.SIGTERM)
    codes = [os.waitpid(pid, 0)[1] for pid in children]
    os.close(writing)
    listener.join()
    print(json.dumps({"codes": codes, "acknowledged": [json.loads(line) for line in said]}))
    """
)


def test_however_often_the_leader_is_killed_no_entry_is_lost_doubled_or_falsely_acknowledged(
    tmp_path: Path, database_url: str
) -> None:
    home = LogHome.make(tmp_path, database_url)
    rounds = int(os.environ.get("SOAK_ROUNDS", "12"))
    script = tmp_path / "nursery.py"
    script.write_text(NURSERY)
    nursery = subprocess.run(
        [sys.executable, str(script), home.settings.database_url, str(tmp_path), str(rounds)],
        cwd=ROOT,
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=90 + 2 * rounds,
        check=False,
    )
    assert nursery.returncode == 0, nursery.stderr
    assert nursery.stderr == "", "nobody was refused because another was killed"
    said = json.loads(nursery.stdout)
    assert said["codes"] == [0, 0, 0]
    acknowledged = said["acknowledged"]
    assert len(acknowledged) > 3 * rounds
    assert len({seq for seq, _, _ in acknowledged}) == len(acknowledged), "no number was given twice"
    log = home.open()
    kept = {item.seq: item.access.case for item in log.stream(TrailQuery()) if item.access is not None}
    assert max(Counter(kept.values()).values()) == 1, "nothing was written twice"
    for seq, leaf, case in acknowledged:
        assert kept[seq] == case
        assert leaf_hash(log.receipt(seq).leaf).hex() == leaf
    log.close()
    report = home.verify()
    assert (report.ok, report.opened, report.size) == (True, len(kept), len(kept)), report.problem
