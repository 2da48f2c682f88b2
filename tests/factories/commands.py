"""`python -m audit` within this process: what it prints and its exit status, without what a process costs."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock

from audit.__main__ import main
from tests.databases import environment


def run_audit(arguments: Sequence[object], stdin: bytes = b"", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one command under these variables. An error that a person would see as a trace is raised here."""
    given = [str(argument) for argument in arguments]
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict("os.environ", environment(**variables), clear=True),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            status = main(given)
        except SystemExit as left:  # argparse's way out, for help and mistakes of use
            status = int(left.code or 0)
    return subprocess.CompletedProcess(given, status, out.getvalue(), err.getvalue())
