"""A disk of known speed: a RAM disk where there is one, and an fsync that takes as long as it is told to."""

from __future__ import annotations

import mmap
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SOURCE = Path(__file__).with_name("slow_fsync.c")
_DELAY_FILE = "FSYNC_DELAY_FILE"
_RAM = Path("/dev/shm")  # noqa: S108 - a RAM disk on purpose; every run has a folder of its own in it


def run_under_shim(module: str) -> None:
    """Start this program again with the shim loaded, which its children inherit. Returns where no compiler is there."""
    if _DELAY_FILE in os.environ or (compiler := shutil.which("cc")) is None:
        return
    with tempfile.TemporaryDirectory(prefix="glasshouse-shim-") as folder:
        shim, delay = Path(folder) / "slow_fsync.so", Path(folder) / "delay"
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", shim, _SOURCE, "-ldl"], check=True)
        delay.write_bytes(struct.pack("=i", 0))
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user when it is started by root
        environment = {**os.environ, "LD_PRELOAD": str(shim), _DELAY_FILE: str(delay)}
        sys.exit(subprocess.run([sys.executable, "-m", module, *sys.argv[1:]], env=environment, check=False).returncode)


def delay_is_settable() -> bool:
    return _DELAY_FILE in os.environ


@contextmanager
def fsync_takes(microseconds: int) -> Iterator[None]:
    """Let every fsync of this process and of those it started take this long."""
    if not delay_is_settable():
        yield
        return
    with Path(os.environ[_DELAY_FILE]).open("r+b") as file, mmap.mmap(file.fileno(), 4) as page:
        page[:] = struct.pack("=i", microseconds)
        try:
            yield
        finally:
            page[:] = struct.pack("=i", 0)


@contextmanager
def working_folder() -> Iterator[Path]:
    """A folder for databases: in RAM where an fsync's time is set by the shim, else on the disk there is."""
    in_ram = delay_is_settable() and os.access(_RAM, os.W_OK)
    with tempfile.TemporaryDirectory(prefix="glasshouse-bench-", dir=_RAM if in_ram else None) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
