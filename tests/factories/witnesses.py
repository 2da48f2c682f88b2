"""Witnesses to test with: in this process, or as the process that an operator runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from audit.keys import generate_signing_key, load_cosigner
from audit.note import CosignatureSigner, Verifier
from audit.witness import Witness
from audit.witness_client import Response, WitnessAddress, post
from tests.databases import environment

ROOT = Path(__file__).parents[2]
NOW = 1_772_452_800


@dataclass
class NearbyWitness:
    """A witness that is asked without a network; what it was sent is kept, and it can be made to fail."""

    witness: Witness
    signer: CosignatureSigner
    url: str
    requests: list[bytes] = field(default_factory=list)
    failure: Exception | Response | None = None

    @classmethod
    def make(cls, folder: Path, name: str, keys: list[Verifier]) -> NearbyWitness:
        key = folder / f"{name}.key"
        generate_signing_key(key, name, for_witness=True)
        signer = load_cosigner(key, lambda: NOW)
        return cls(Witness(folder / name, signer, keys), signer, f"https://{name}")

    @property
    def address(self) -> WitnessAddress:
        return WitnessAddress.parse(f"{self.url} {self.signer.vkey}")

    def send(self, url: str, body: bytes) -> Response:
        assert url == f"{self.url}/add-checkpoint"
        self.requests.append(body)
        if isinstance(self.failure, Response):
            return self.failure
        if self.failure is not None:
            raise self.failure
        reply = self.witness.add_checkpoint(body)
        return Response(reply.status, reply.content_type.partition(";")[0], reply.body.encode())


def sending_to(*witnesses: NearbyWitness):  # type: ignore[no-untyped-def]
    """What a log sends, each request to the witness at its address."""
    by_host = {urlsplit(one.url).hostname: one for one in witnesses}
    return lambda url, body: by_host[urlsplit(url).hostname].send(url, body)


@dataclass(frozen=True)
class RunningWitness:
    """`python -m audit witness`, listening on this machine."""

    url: str
    vkey: str
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> WitnessAddress:
        return WitnessAddress.parse(f"{self.url} {self.vkey}")

    def submit(self, body: bytes) -> Response:
        return post(f"{self.url}/add-checkpoint", body)


@contextmanager
def running_witness(folder: Path, log_vkeys: list[str], name: str = "witness.example") -> Iterator[RunningWitness]:
    """Start one, or start it again with what it remembers in `folder`."""
    key = folder / f"{name}.key"
    if not key.exists():
        generate_signing_key(key, name, for_witness=True)
    command = [sys.executable, "-m", "audit", "witness", "--json", "--port", "0", "--key", str(key)]
    command += ["--folder", str(folder / name)]
    for vkey in log_vkeys:
        command += ["--vkey", vkey]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        told = json.loads(process.stdout.readline())
        assert told["result"] == "serving"
        yield RunningWitness(told["url"], told["vkey"], process)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
