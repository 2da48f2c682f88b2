"""Witnesses in the portal: asked in the background, their word handed out, a refusal told to whoever must know."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from audit.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from audit.keys import generate_signing_key, load_signer
from audit.witness import Submission
from config.settings import Settings
from portal.app import create_app
from portal.furnishing import StartRefused
from portal.installation import initialise
from portal.jobs.heartbeat import Heartbeat
from tests.factories.apps import FakePortal
from tests.factories.logs import an_access
from tests.factories.witnesses import RunningWitness, running_witness

ORIGIN = "glasshouse.example/log"


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[RunningWitness]:
    """A witness that knows the key of the portal to be built in the same folder."""
    generate_signing_key(tmp_path / "keys" / "log.key", ORIGIN)
    vkey = (tmp_path / "keys" / "log.vkey").read_text().strip()
    with running_witness(tmp_path, [vkey]) as witness:
        yield witness


@pytest.fixture
def witnessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, witness: RunningWitness) -> Iterator[FakePortal]:
    """A portal whose log has one witness, a process of its own, that is asked again and again."""
    monkeypatch.setattr("portal.jobs.witnessing.SECONDS", 0.05)
    audit = {"witnesses": [f"{witness.url} {witness.vkey}"]}
    portal = FakePortal.build(tmp_path, monkeypatch, audit=audit)
    yield portal
    portal.app.extensions["glasshouse-witnessing"].stop()
    portal.close()


def _eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_published_checkpoint_is_cosigned_by_itself_soon_after_an_entry(
    witnessed: FakePortal, witness: RunningWitness
) -> None:
    client = witnessed.client()
    size = witnessed.house.log.append(an_access()).tree_size
    verifiers = [load_signer(witnessed.settings.audit.signing_key_file).verifier(), witness.address.verifier]

    def is_cosigned() -> bool:
        note = client.get("/log/checkpoint").get_data(as_text=True)
        opened = open_checkpoint(note, ORIGIN, verifiers)
        return opened.checkpoint.size >= size and "witness.example" in [one.name for one in opened.verified]

    _eventually(is_cosigned)
    assert witnessed.client().get("/readyz").get_data(as_text=True) == "ready\n"
    page = witnessed.client("auditor").get("/oversight/verification").get_data(as_text=True)
    assert "Confirms the log" in page
    assert "REFUSES" not in page


def test_a_refusal_stands_on_the_auditors_page_and_in_readiness_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, witness: RunningWitness
) -> None:
    forged = sign_checkpoint(Checkpoint(ORIGIN, 1, bytes(32)), [load_signer(tmp_path / "keys" / "log.key")])
    assert witness.submit(Submission(0, (), forged.text).encode()).status == 200
    portal = FakePortal.build(tmp_path, monkeypatch, audit={"witnesses": f"{witness.url} {witness.vkey};"})
    portal.app.extensions["glasshouse-witnessing"].stop()
    portal.house.log.append(an_access())
    portal.house.log.ask_witnesses(patient=False)
    ready = portal.client().get("/readyz")
    assert (ready.status_code, "ALARM: the witness witness.example refuses" in ready.text) == (200, True)
    page = portal.client("auditor").get("/oversight/verification").get_data(as_text=True)
    assert "A witness REFUSES this log" in page
    assert "a fork" in page
    assert portal.house.log.append(an_access()).tree_size > 1
    portal.close()


def test_a_witness_that_cannot_be_read_keeps_the_portal_from_starting(tmp_path: Path) -> None:
    settings = Settings.load(
        {"GLASSHOUSE_DATA_DIR": str(tmp_path), "GLASSHOUSE_AUDIT__WITNESSES": "https://witness.example nonsense"}
    )
    initialise(Settings.load({"GLASSHOUSE_DATA_DIR": str(tmp_path)}))
    with pytest.raises(StartRefused, match="audit log: a key's text is"):
        create_app(settings.with_secrets_from_files())


def test_witnesses_in_the_environment_are_separated_by_semicolons(tmp_path: Path) -> None:
    settings = Settings.load(
        {"GLASSHOUSE_DATA_DIR": str(tmp_path), "GLASSHOUSE_AUDIT__WITNESSES": "https://a k1; https://b k2 ;"}
    )
    assert settings.audit.witnesses == ("https://a k1", "https://b k2")


def test_a_heart_beats_on_after_a_beat_that_failed_and_stops_when_told(caplog: pytest.LogCaptureFixture) -> None:
    beats: list[int] = []
    enough = Event()

    def beat() -> None:
        beats.append(len(beats))
        if len(beats) == 1:
            raise ValueError("personal data")
        enough.set()

    heart = Heartbeat("test", 0.001, beat).start()
    assert enough.wait(10)
    heart.stop()
    heart.stop()
    counted = len(beats)
    time.sleep(0.01)
    assert len(beats) == counted
    assert "test failed with ValueError" in caplog.text
    assert "personal data" not in caplog.text
