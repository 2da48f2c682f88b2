"""Mutual TLS for real: certificates shown to a real nginx, which tells the portal, over connections of their own."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import httpx2
import pytest
from werkzeug.serving import make_server

from tests.factories.apps import FakePortal
from tests.factories.client_systems import (
    Certificate,
    a_certificate,
    a_client,
    a_report,
    claims,
    token_form,
    write_catalogue,
)
from tests.fakes.hostile_provider import signed

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONFIGURATION = Path(__file__).parents[2] / "docs" / "nginx-mutual-tls.conf"

pytestmark = pytest.mark.skipif(NGINX is None, reason="there is no nginx here; scripts/ensure-nginx installs it")


@dataclass(frozen=True)
class Front:
    """nginx in front of a portal, and the portal's own address behind it."""

    url: str
    behind: str
    server: Certificate
    folder: Path

    def ask(self, certificate: Certificate | None) -> httpx2.Client:
        """A client that shows `certificate` in the handshake."""
        context = ssl.create_default_context(cadata=self.server.pem)
        if certificate is not None:
            path = self.folder / f"{certificate.thumbprint}.pem"
            path.write_text(certificate.pem + certificate.key_pem)
            context.load_cert_chain(path)
        return httpx2.Client(base_url=self.url, verify=context, trust_env=False, timeout=10)


@pytest.fixture
def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    catalogue = write_catalogue(tmp_path, a_client())
    machines = {"certificate_proxies": "127.0.0.1"}
    portal = FakePortal.build(tmp_path, monkeypatch, catalogue_dir=catalogue, machines=machines)
    behind = make_server("127.0.0.1", 0, portal.app, threaded=True)
    thread = Thread(target=behind.serve_forever, daemon=True)
    thread.start()
    server = a_certificate("localhost")
    port = _free_port()
    nginx = _start_nginx(tmp_path / "nginx", server, port, behind.server_port)
    yield Front(f"https://localhost:{port}", f"http://127.0.0.1:{behind.server_port}", server, tmp_path)
    nginx.terminate()
    nginx.wait()
    behind.shutdown()
    thread.join()
    behind.server_close()
    portal.close()


def _start_nginx(folder: Path, server: Certificate, port: int, behind: int) -> subprocess.Popen[bytes]:
    """The server block of the documentation, with this test's ports and files."""
    assert NGINX is not None
    folder.mkdir()
    (folder / "server.pem").write_text(server.pem)
    (folder / "server.key").write_text(server.key_pem)
    block = CONFIGURATION.read_text(encoding="utf-8")
    for written, here in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("data.example", "localhost"),
        ("/etc/glasshouse/tls/server.pem", str(folder / "server.pem")),
        ("/etc/glasshouse/tls/server.key", str(folder / "server.key")),
        ("127.0.0.1:5000", f"127.0.0.1:{behind}"),
    ):
        assert written in block
        block = block.replace(written, here)
    places = "".join(
        f"{name}_temp_path {folder / name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {folder / 'pid'};\nerror_log {folder / 'error.log'};\n"
        f"events {{ }}\nhttp {{\naccess_log off;\n{places}{block}\n}}\n"
    )
    nginx = subprocess.Popen([NGINX, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")])
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return nginx
        time.sleep(0.05)
    raise RuntimeError((folder / "error.log").read_text())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def test_a_system_reports_over_its_own_certificate_and_nobody_does_over_another(front: Front) -> None:
    with front.ask(a_certificate()) as system:
        token = system.post("/api/oauth/token", data=token_form()).raise_for_status().json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "over-real-tls"}
        made = system.post("/api/v1/accesses", json=a_report(), headers=headers)
        assert made.status_code == 201
        assert system.get(made.headers["Location"], headers=headers).status_code == 200
    for certificate in (None, a_certificate("stranger")):
        with front.ask(certificate) as thief:
            stolen = thief.post("/api/v1/accesses", json=a_report(), headers=headers)
            assert (stolen.status_code, stolen.json()) == (401, {"error": "invalid_token"})
            assert thief.post("/api/oauth/token", data=token_form(signed(claims()))).status_code == 401


def test_a_header_that_a_client_writes_itself_is_overwritten_by_the_proxy(front: Front) -> None:
    for certificate in (None, a_certificate("stranger")):
        with front.ask(certificate) as thief:
            for name in ("X-Client-Certificate", "x-client-certificate", "X_Client_Certificate"):
                forged = {name: a_certificate().header}
                assert thief.post("/api/oauth/token", data=token_form(), headers=forged).status_code == 401


def test_the_pages_open_without_a_certificate(front: Front) -> None:
    with front.ask(None) as browser:
        assert browser.get("/").status_code == 200
