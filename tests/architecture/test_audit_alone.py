"""The log is a package of its own: it works where there is no portal, no configuration and no web framework at all."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.databases import environment

ROOT = Path(__file__).parents[2]
#: Runs `python -m audit` in a process that cannot import what the log must not need.
ALONE = textwrap.dedent(
    """
    import importlib.abc, runpy, sys

    class Refuse(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in {"portal", "config", "flask", "werkzeug", "jinja2", "wtforms", "flask_wtf"}:
                raise ImportError(f"{name} is not to be had here")

    sys.meta_path.insert(0, Refuse())
    sys.argv[0] = "audit"
    runpy.run_module("audit", run_name="__main__", alter_sys=True)
    """
)


def _audit(folder: Path, *arguments: str, said: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE, *arguments],
        cwd=folder,
        env=environment(PYTHONPATH=str(ROOT)),
        input=said,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_makes_a_log_appends_proves_and_verifies_by_itself(tmp_path: Path) -> None:
    from audit.keys import MasterKey

    (tmp_path / "var" / "keys").mkdir(parents=True)
    _audit(tmp_path, "keygen", "alone.example/log", "var/keys/log.key")
    master_key = tmp_path / "var" / "keys" / "master_key.txt"
    master_key.write_text(MasterKey.generate().to_text())
    master_key.chmod(0o600)
    access = {"action": "read", "outcome": "released", "source": "portal", "occurred_at": "2026-03-02T12:00:00+00:00"}
    told = _audit(tmp_path, "append", "--create", said=json.dumps(access) + "\n")
    assert json.loads(told.splitlines()[0])["seq"] == 0
    assert "SOUND" in _audit(tmp_path, "verify")
    receipt = tmp_path / "receipt.txt"
    receipt.write_text(_audit(tmp_path, "proof", "0"))
    assert "TRUE" in _audit(tmp_path, "check-receipt", str(receipt))
