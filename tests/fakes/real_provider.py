"""npm's oidc-provider, run as a program of its own: an OpenID provider that nobody here wrote."""

from __future__ import annotations

import fcntl
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from frontend.node import Node, find_node
from tests.fakes.hostile_provider import CLIENT_ID, CLIENT_SECRET

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).parent / "oidc_provider"
TOOLS = ROOT / ".tools"
FILES = ("package.json", "package-lock.json", "server.mjs")
#: A second client of the same provider, for whose tokens the portal must not fall.
OTHER_CLIENT = "another-service"


@dataclass(frozen=True)
class RealProvider:
    """Where it listens, and for which portal: one on `portal_port` of this machine."""

    issuer: str
    portal_port: int

    def rotate_keys(self, algorithm: str = "RS256") -> None:
        """Sign with a new key from now on; the old one is gone."""
        self._call(f"/test/rotate-keys?alg={algorithm}", "POST")

    def events(self) -> list[dict[str, str]]:
        """How back-channel logout went, and what failed in the provider itself."""
        events: list[dict[str, str]] = json.loads(self._call("/test/events"))
        return events

    def _call(self, path: str, method: str = "GET") -> bytes:
        with urlopen(Request(self.issuer + path, method=method), timeout=10) as answer:
            body: bytes = answer.read()
            return body


def installed() -> tuple[Node, Path]:
    """Node, and the folder with the provider and all it needs, installed once as package-lock.json pins it."""
    TOOLS.mkdir(exist_ok=True)
    folder = TOOLS / "oidc_provider"
    with (TOOLS / "oidc_provider.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the workers of one test run
        node = find_node(TOOLS)
        wanted = (SOURCE / "package-lock.json").read_bytes()
        stamp = folder / ".installed"
        folder.mkdir(exist_ok=True)
        is_installed = stamp.exists() and stamp.read_bytes() == wanted
        for name in FILES:
            shutil.copyfile(SOURCE / name, folder / name)
        if not is_installed:
            node.install(folder)
            stamp.write_bytes(wanted)
    return node, folder


@contextmanager
def real_provider() -> Iterator[RealProvider]:
    """A provider that listens until the block ends."""
    node, folder = installed()
    port, portal_port = _free_ports(2)
    portal = f"http://127.0.0.1:{portal_port}"
    client: dict[str, Any] = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [f"{portal}/sign-in/return"],
        "post_logout_redirect_uris": [f"{portal}/signed-out"],
        "backchannel_logout_uri": f"{portal}/sign-in/back-channel-logout",
        "backchannel_logout_session_required": True,
    }
    other = {**client, "client_id": OTHER_CLIENT, "backchannel_logout_uri": f"{portal}/healthz"}
    process = subprocess.Popen(
        [str(node.executable), "server.mjs"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps({"port": port, "clients": [client, other]}) + "\n")
        process.stdin.flush()
        for line in process.stdout:  # it may print warnings before
            if line.startswith("ready"):
                break
        else:
            raise RuntimeError("the provider did not start")
        # Another host than the portal's, as in life: cookies know no ports.
        yield RealProvider(f"http://localhost:{port}", portal_port)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
