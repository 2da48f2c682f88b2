"""What a command of `python -m audit` answers: a result for people in words, the same for programs as JSON.

With ``--json`` the answer is one line on standard output (`append` writes a line for each entry before it). Each answer
has ``command``, ``status`` (the exit status), ``result``, ``problem`` (a sentence, or null), ``error`` (the kind of
failure, or null) and ``notes`` (sentences about what could not be looked at); the facts of the command follow. A name,
once given out, is neither taken away nor given another meaning.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audit.errors import (
    AuditError,
    InvalidProof,
    LogFrozen,
    MalformedReceipt,
    VerificationFailed,
)

#: All is well, or done.
WELL = 0
#: Something was found broken or false; or nothing was done, since --yes was not given.
FOUND = 1
#: It could not be judged or done.
UNABLE = 2

#: What was judged, and found false.
_FALSE = (InvalidProof, LogFrozen, VerificationFailed)


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one command. `words` are the lines that people read, `facts` what programs read besides."""

    result: str
    words: Sequence[str] = ()
    status: int = WELL
    problem: str | None = None
    error: str | None = None
    notes: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """One command: what it does, in words and in code, the groups of options it shares, and its own options."""

    run: Callable[[argparse.Namespace], Answer]
    what: str
    groups: tuple[str, ...] = ()
    configure: Callable[[argparse.ArgumentParser], object] = lambda _parser: None


def failure(error: AuditError | OSError) -> Answer:
    """The answer when a command ended in an error: false (1), not readable (2), or not to be judged (2)."""
    kind = type(error).__name__
    if isinstance(error, _FALSE):
        return Answer("false", status=FOUND, problem=str(error), error=kind)
    if isinstance(error, MalformedReceipt):
        return Answer("unreadable", status=UNABLE, problem=str(error), error=kind)
    problem = str(error)
    if isinstance(error, OSError) and error.filename:
        problem = f"{error.filename}: {error.strerror}"
    return Answer("failed", status=UNABLE, problem=problem, error=kind)


def misused(problem: str) -> Answer:
    """The answer to options that do not go together."""
    return Answer("failed", status=UNABLE, problem=problem, error="Usage")


_COMPLAINTS = {"false": "FALSE: ", "unreadable": "NOT READABLE: ", "failed": ""}


def give(answer: Answer, command: str, *, as_json: bool) -> int:
    """Write the answer out and give the exit status."""
    if as_json:
        shape = {
            "command": command,
            "status": answer.status,
            "result": answer.result,
            "problem": answer.problem,
            "error": answer.error,
            "notes": list(answer.notes),
        }
        print(json.dumps(shape | dict(answer.facts)), flush=True)
        return answer.status
    for line in answer.words:
        print(line)
    for note in answer.notes:
        print(f"note: {note}")
    if answer.error is not None:
        print(f"{_COMPLAINTS[answer.result]}{answer.problem}", file=sys.stderr)
    return answer.status
