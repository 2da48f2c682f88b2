"""ClamAV's daemon is asked in its own protocol; what it does not answer counts as not scanned."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.services.attachments.scanning import ClamdScanner, ScannerSilent
from tests.fakes.clamd import EICAR, SIGNATURE, Clamd, scanning
from tests.fakes.mail_server import cutting


@pytest.fixture(params=["port", "socket"])
def clamd(request: pytest.FixtureRequest, tmp_path: Path):  # type: ignore[no-untyped-def]
    with scanning(tmp_path / "clamd.ctl" if request.param == "socket" else None) as running:
        yield running


def test_a_clean_file_is_found_clean_and_was_seen_whole(clamd: Clamd) -> None:
    content = [b"a" * 70_000, b"", b"b" * 3]
    assert ClamdScanner(clamd.address, 5).scan(content) is None
    assert clamd.scanned == [b"".join(content)]


def test_the_test_file_of_all_scanners_is_found(clamd: Clamd) -> None:
    assert ClamdScanner(clamd.address, 5).scan([EICAR[:20], EICAR[20:]]) == SIGNATURE


def test_a_name_that_is_told_holds_nothing_but_plain_signs(clamd: Clamd) -> None:
    clamd.answer = b"stream: Win.Test\r\n{evil} FOUND\0"
    with pytest.raises(ScannerSilent):
        ClamdScanner(clamd.address, 5).scan([b"x"])
    clamd.answer = "stream: Win.Tést {1} FOUND\0".encode()
    assert ClamdScanner(clamd.address, 5).scan([b"x"]) == "Win.T_st__1_"


@pytest.mark.parametrize("answer", [b"", b"INSTREAM size limit exceeded. ERROR\0", b"stream: OKAY\0", b"\xff" * 5000])
def test_what_is_no_verdict_is_none(clamd: Clamd, answer: bytes) -> None:
    clamd.answer = answer
    with pytest.raises(ScannerSilent):
        ClamdScanner(clamd.address, 5).scan([b"x"])


def test_a_file_larger_than_the_daemon_takes_counts_as_not_scanned(clamd: Clamd) -> None:
    clamd.limit = 1000
    with pytest.raises(ScannerSilent):
        ClamdScanner(clamd.address, 5).scan([b"x" * 600] * 4000)


def test_a_daemon_that_is_not_there_is_silent(tmp_path: Path) -> None:
    for address in (f"unix:{tmp_path / 'none'}", "127.0.0.1:1"):
        with pytest.raises(ScannerSilent):
            ClamdScanner(address, 5).scan([b"x"])


def test_a_daemon_that_hangs_up_or_does_not_answer_is_silent() -> None:
    for wait, timeout in ((0.0, 5.0), (1.0, 0.1)):
        with cutting(wait=wait) as port, pytest.raises(ScannerSilent):
            ClamdScanner(f"127.0.0.1:{port}", timeout).scan([b"x" * 100])
