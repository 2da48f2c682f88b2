"""The public log over HTTP: what a monitor that nobody here wrote fetches, and what it may keep."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from audit.checkpoint import open_checkpoint
from audit.keys import load_signer
from audit.published import fsck
from audit.tiles import entries_path, tile_path, tiles_for_size
from portal.web.security_headers import FOR_EVER
from tests.factories.apps import FakePortal
from tests.factories.logs import an_access

SUBJECT = "EE38001085718"


@pytest.fixture
def monitor(portal: FakePortal) -> FlaskClient:
    """A visitor with no cookie, of a log of 300 entries."""
    log = portal.house.log
    log.append_all([an_access(subject=SUBJECT) for _ in range(300 - log.checkpoint().checkpoint.size)])
    return portal.client()


def _assert_cookieless(answer: object) -> None:
    headers = answer.headers  # type: ignore[attr-defined]
    assert "Set-Cookie" not in headers
    assert "Cookie" not in headers.get("Vary", "")


def test_the_whole_log_can_be_fetched_and_checked_with_the_public_key_alone(
    monitor: FlaskClient, portal: FakePortal, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    verifier = load_signer(portal.settings.audit.signing_key_file).verifier()
    note = monitor.get("/log/checkpoint").get_data(as_text=True)
    size = open_checkpoint(note, verifier.name, [verifier]).checkpoint.size
    assert size == 300
    paths = [tile_path(*tile) for tile in tiles_for_size(size)]
    paths += [entries_path(index, width) for level, index, width in tiles_for_size(size) if level == 0]
    for path in ["checkpoint", *paths]:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_bytes(monitor.get(f"/log/{path}").data)
    report = fsck(copy, [verifier])
    assert (report.ok, report.size) == (True, 300)
    assert SUBJECT.encode() not in b"".join(path.read_bytes() for path in copy.rglob("*") if path.is_file())


def test_a_checkpoint_is_text_that_caches_soon_forget(monitor: FlaskClient) -> None:
    answer = monitor.get("/log/checkpoint")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    _assert_cookieless(answer)


@pytest.mark.parametrize("path", ["0/000", "0/000.p/7", "0/001.p/44", "1/000.p/1", "entries/000", "entries/001.p/44"])
def test_tiles_and_bundles_are_bytes_that_caches_may_keep_for_ever(monitor: FlaskClient, path: str) -> None:
    answer = monitor.get(f"/log/tile/{path}")
    assert (answer.status_code, answer.content_type) == (200, "application/octet-stream")
    assert answer.headers["Cache-Control"] == FOR_EVER
    assert monitor.head(f"/log/tile/{path}").headers["Content-Length"] == str(len(answer.data))
    _assert_cookieless(answer)


def test_a_partial_tile_stays_what_it_was_while_the_log_grows(monitor: FlaskClient, portal: FakePortal) -> None:
    before = [monitor.get(f"/log/tile/{path}").data for path in ("0/001.p/44", "entries/001.p/44")]
    portal.house.log.append(an_access())
    assert [monitor.get(f"/log/tile/{path}").data for path in ("0/001.p/44", "entries/001.p/44")] == before
    assert monitor.get("/log/tile/0/001.p/45").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "0/001", "0/001.p/45", "0/002.p/1", "1/000", "2/000.p/1", "63/000.p/1", "64/000", "00/000", "0/0", "0/x000/000",
        "0/000.p/0", "0/000.p/256", "0/000.p/07", "0/-01", "entries/002.p/1", "entries", "", "0/000/", "0/000.p/%31%0a",
        "0/..%2f..%2fcheckpoint", "0/x999/x999/x999/x999/x999/x999/999",
    ],
)  # fmt: skip
def test_what_does_not_exist_is_not_found_and_not_kept(monitor: FlaskClient, path: str) -> None:
    answer = monitor.get(f"/log/tile/{path}")
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_log_is_only_read(monitor: FlaskClient) -> None:
    for path in ("/log/checkpoint", "/log/tile/0/000"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert monitor.open(path, method=method).status_code in {400, 401, 403, 405}
