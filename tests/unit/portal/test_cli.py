"""The command line: prepares, fills, serves, and tells in words what stands in its way."""

from __future__ import annotations

import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from config.settings import Settings
from portal import cli
from portal.demo.seeding import SeedReport
from portal.furnishing import furnish_house
from tests.databases import environment

ROOT = Path(__file__).parents[3]
PORTAL = [sys.executable, "-m", "portal"]


def _run(
    *arguments: str, folder: Path, command: list[str] = PORTAL, **settings: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env=environment(GLASSHOUSE_DATA_DIR=str(folder), GLASSHOUSE_DEMO_PEOPLE="200", **settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    return number


@pytest.mark.parametrize("command", [[], ["create-administrator"], ["init"], ["seed"], ["serve"], ["demo"]])
def test_every_command_explains_itself(tmp_path: Path, command: list[str]) -> None:
    told = _run(*command, "--help", folder=tmp_path)
    assert told.returncode == 0
    assert "Usage:" in told.stdout


def test_a_portal_that_was_not_prepared_says_how(tmp_path: Path, port: int) -> None:
    told = _run("serve", "--port", str(port), folder=tmp_path)
    assert told.returncode == 1
    assert "python -m portal init" in told.stderr
    assert "Traceback" not in told.stderr


def test_filling_the_country_prepares_the_databases_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSHOUSE_DATA_DIR", str(tmp_path))
    report = SeedReport(False, people=200, registries=7, accesses=1)

    def fill(settings: Settings) -> SeedReport:
        furnish_house(settings).log.close()
        return report

    monkeypatch.setattr(cli, "fill", fill)
    told = CliRunner().invoke(cli.main, ["seed"])
    assert told.exit_code == 0, told.output
    assert "Made 200 people in 7 registries" in told.output


def test_preparing_twice_keeps_the_keys(tmp_path: Path) -> None:
    assert _run("init", folder=tmp_path).returncode == 0
    keys = {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()}
    assert {"log.key", "log.vkey", "export.key", "export.vkey", "master_key.txt", "secret_key.txt"} == set(keys)
    for name in ("log.key", "export.key", "master_key.txt", "secret_key.txt"):
        assert (tmp_path / "keys" / name).stat().st_mode & 0o077 == 0
    assert _run("init", folder=tmp_path).returncode == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()} == keys


def test_the_first_administrators_are_invited_with_a_link_that_is_shown_once(tmp_path: Path) -> None:
    assert _run("init", folder=tmp_path).returncode == 0
    who = ("--name", "Tiit Aas", "--organisation", "population-authority")
    told = _run("create-administrator", *who, folder=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "http://localhost:5000/staff/enrol#" in told.stdout
    assert "Two are needed" in told.stderr
    code = told.stdout.partition("#")[2].split()[0]
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert code.encode() not in file.read_bytes(), file
    unknown = _run("create-administrator", "--name", "x", "--organisation", "nowhere", folder=tmp_path)
    assert unknown.returncode == 1
    assert "nowhere is not in the catalogue" in unknown.stderr
    assert "Traceback" not in unknown.stderr


def test_a_port_in_use_is_told_in_words(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = _run("demo", "--port", str(taken.getsockname()[1]), folder=tmp_path)
    assert told.returncode == 1
    assert "cannot be used" in told.stderr
    assert "PORT=" in told.stderr
    assert not (tmp_path / "registries").exists()


PRODUCTION = {
    "GLASSHOUSE_MODE": "production",
    "GLASSHOUSE_SECRET_KEY": secrets.token_urlsafe(32),
    "GLASSHOUSE_MASTER_KEY": secrets.token_urlsafe(32),
    "GLASSHOUSE_PUBLIC_URL": "https://data.example",
    "GLASSHOUSE_AUDIT__ORIGIN": "log.data.example",
    "GLASSHOUSE_LIMITS__STORAGE": "redis://127.0.0.1:6379",
}


@pytest.mark.parametrize("command", ["seed", "demo"])
def test_the_invented_country_is_not_for_production(tmp_path: Path, command: str) -> None:
    told = _run(command, folder=tmp_path, **PRODUCTION)
    assert told.returncode == 1
    assert "not for production" in told.stderr


def test_production_makes_no_keys_and_says_which_one_is_missing(tmp_path: Path) -> None:
    told = _run("init", folder=tmp_path, **PRODUCTION)
    assert told.returncode == 1
    assert "no signing key" in told.stderr
    assert not list((tmp_path).glob("keys/*"))


def test_production_does_not_start_with_a_database_it_cannot_reach(tmp_path: Path, port: int) -> None:
    unreachable = f"postgresql+psycopg://nobody@127.0.0.1:{port}/none?connect_timeout=2"
    _run("init", folder=tmp_path)
    told = _run(
        "serve",
        folder=tmp_path,
        GLASSHOUSE_DATABASE_URL=unreachable,
        GLASSHOUSE_AUDIT__DATABASE_URL=unreachable,
        GLASSHOUSE_PORT=str(port),
    )
    assert told.returncode == 1
    assert "audit log" in told.stderr
    assert "portal database" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.fixture
def server(tmp_path: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    process = subprocess.Popen(
        [*PORTAL, "demo", "--port", str(port)],
        cwd=ROOT,
        env=environment(GLASSHOUSE_DATA_DIR=str(tmp_path), GLASSHOUSE_DEMO_PEOPLE="200", PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process, port, tmp_path
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    if process.stdout is not None:
        process.stdout.close()


def _answer(url: str) -> str:
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


def test_the_demonstration_starts_in_one_command_and_says_where_and_as_whom(
    server: tuple[subprocess.Popen[str], int, Path],
) -> None:
    process, port, folder = server
    assert process.stdout is not None
    told = ""
    while "Ctrl-C" not in told:
        line = process.stdout.readline()
        assert line, told
        told += line
    assert f"http://127.0.0.1:{port}/sign-in" in told
    for role in ("citizen", "caseworker", "auditor"):
        assert f"({role})" in told
    page = _answer(f"http://127.0.0.1:{port}/sign-in")
    assert "Kadri Lepik" in page
    verified = _run(
        "verify", "--vkey", str(folder / "keys" / "log.vkey"), "--database-url", f"sqlite:///{folder}/audit.db",
        "--checkpoint-file", str(folder / "log.checkpoint"), "--master-key-file", str(folder / "keys/master_key.txt"),
        folder=folder, command=[sys.executable, "-m", "audit"],
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout
    assert "SOUND" in verified.stdout


def test_the_tables_for_figures_are_refreshed_by_a_command(tmp_path: Path) -> None:
    assert _run("init", folder=tmp_path).returncode == 0
    for _ in range(2):
        refreshed = _run("analytics", "refresh", folder=tmp_path)
        assert refreshed.returncode == 0, refreshed.stderr
        assert "0 accesses of 0 entries" in refreshed.stdout
    (tmp_path / "analytics" / "lake.json").write_text("damaged")
    damaged = _run("analytics", "refresh", folder=tmp_path)
    assert damaged.returncode == 1
    assert "lake.json cannot be read" in damaged.stderr
    assert "Traceback" not in damaged.stderr


def test_flask_run_serves_the_same_portal(tmp_path: Path, port: int) -> None:
    assert _run("init", folder=tmp_path).returncode == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "run", "--port", str(port)],
        cwd=ROOT,
        env=environment(GLASSHOUSE_DATA_DIR=str(tmp_path)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert "Glasshouse" in _answer(f"http://127.0.0.1:{port}/")
    finally:
        process.terminate()
        process.wait(30)
