"""Clients that are slow on purpose do not keep anybody else from being served."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from portal.receiving import ARRIVAL_SECONDS, HEAD_BYTES, Arriving
from tests.databases import environment

pytestmark = pytest.mark.fault

ROOT = Path(__file__).parents[2]
#: More slow clients than the portal has threads.
THREADS = 2
SLOW_CLIENTS = 20
BEGUN = {
    "a head that never ends": b"GET /about HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    "one letter": b"G",
    "nothing at all": b"",
    "a body that never comes": b"POST /sign-out HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\na",
    "an empty line and no more": b"\r\n\r\n",
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A portal as it is served, with two threads."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("portal")
    settings = environment(
        GLASSHOUSE_DATA_DIR=str(folder), GLASSHOUSE_THREADS=str(THREADS), GLASSHOUSE_PORT=str(number)
    )
    portal = [sys.executable, "-m", "portal"]
    subprocess.run([*portal, "init"], cwd=ROOT, env=settings, check=True, stdout=subprocess.DEVNULL)
    process = subprocess.Popen([*portal, "serve"], cwd=ROOT, env=settings, stderr=subprocess.DEVNULL)
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", number)) == 0:
                break
        time.sleep(0.1)
    yield number
    process.send_signal(signal.SIGTERM)
    process.wait(30)


def _answer(port: int, method: str = "GET", path: str = "/about", **options: object) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, **options)  # type: ignore[arg-type]
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _raw(port: int, data: bytes) -> bytes:
    """What the portal answers to these very bytes, until it ends the connection or says nothing for two seconds."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as client:
        client.sendall(data)
        got = b""
        try:
            while more := client.recv(65_536):
                got += more
        except (TimeoutError, ConnectionResetError):
            pass
        return got


@pytest.mark.parametrize("begun", BEGUN.values(), ids=BEGUN.keys())
def test_while_many_slow_clients_wait_another_is_served(port: int, begun: bytes) -> None:
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5)) for _ in range(SLOW_CLIENTS)
        ]
        for client in slow:
            client.sendall(begun)
        time.sleep(0.2)
        for _ in range(3):
            status, page = _answer(port)
            assert status == 200
            assert b"Glasshouse" in page
            for client in slow:
                client.sendall(b"a")  # each of them goes on, slowly


def test_a_request_in_many_pieces_is_read_as_one(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        for piece in (b"GET /ab", b"out HTTP/1.1\r\nHo", b"st: 127.0.0.1\r\nConnection: close\r", b"\n\r\n"):
            client.sendall(piece)
            time.sleep(0.05)
        got = b""
        while more := client.recv(65_536):
            got += more
    assert got.startswith(b"HTTP/1.1 200")


def test_several_requests_on_one_connection_are_all_answered(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for path in ("/about", "/healthz", "/nothing", "/about"):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.read()
        assert answer.status == (404 if path == "/nothing" else 200)
    connection.close()


def test_requests_sent_without_waiting_are_all_answered(port: int) -> None:
    one = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    assert _raw(port, one * 3).count(b"HTTP/1.1 200") == 3


def test_a_form_of_a_megabyte_arrives_and_a_larger_one_is_refused_with_words(port: int) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    status, _ = _answer(port, "POST", "/sign-in/demonstration", body=b"a=" + b"x" * 900_000, headers=headers)
    assert status == 401  # read, and found to come without its session's token
    big = b"POST /sign-in/demonstration HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500000000\r\n\r\n"
    refused = _raw(port, big)
    assert refused.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n", b"411"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 2 * HEAD_BYTES, b"431"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: 38001085718\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", b"400"),
        (b"GET /38001085718\x00 HTTP/9.9\r\n\r\n", b"400"),
    ],
    ids=["chunked", "head too large", "malformed header", "two lengths", "no http"],
)
def test_what_no_browser_sends_is_refused_without_repeating_it(port: int, sent: bytes, status: bytes) -> None:
    answer = _raw(port, sent)
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:80]
    assert b"38001085718" not in answer
    assert b"Traceback" not in answer


def test_a_length_that_is_shorter_than_the_file_cuts_the_form_and_what_is_left_is_no_request(port: int) -> None:
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="c.csv"\r\n\r\n38001085718\r\n--b--\r\n'
    head = b"POST /casework/lists HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    answer = _raw(port, head + b"Content-Length: 20\r\n\r\n" + file)
    statuses = re.findall(rb"HTTP/1\.1 (\d{3})", answer)
    assert statuses, "an answer in words, not a broken connection"
    assert set(statuses) <= {b"400", b"401", b"403", b"404"}
    assert b"38001085718" not in answer
    assert _answer(port)[0] == 200


def test_a_request_is_complete_when_its_head_and_the_body_it_announces_are_there() -> None:
    arriving = Arriving()
    for piece in (b"POST / HTTP/1.1\r\nHost: x\r\nCONTENT-LENGTH:  4\r\n", b"\r\n", b"abc"):
        arriving.add(piece)
        assert not arriving.is_complete
    arriving.add(b"d")
    assert arriving.is_complete


def test_a_length_in_the_body_is_not_a_header() -> None:
    arriving = Arriving()
    arriving.add(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n\r\nContent-Length: 9999\r\n")
    assert arriving.is_complete


def test_nobody_is_waited_for_for_ever() -> None:
    assert ARRIVAL_SECONDS <= 30
