"""Commands of `python -m audit` about witnesses: to be one, and to ask those of a log."""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from pathlib import Path

from audit.answers import FOUND, UNABLE, Answer, Command, give
from audit.errors import KeyRefused
from audit.keys import load_cosigner
from audit.log import WitnessReport, WitnessState, open_log
from audit.options import refuse_missing_file, settings_of, verifiers_of
from audit.witness import Witness
from audit.witness_server import WitnessServer

#: The worst state of any witness decides the exit status.
_STATUS = {WitnessState.REFUSED: FOUND, WitnessState.STRANGER: UNABLE, WitnessState.UNAVAILABLE: UNABLE}


def _witness_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", type=Path, required=True, help="the witness's key, made by `keygen --witness`")
    parser.add_argument("--folder", type=Path, required=True, help="where it keeps what it cosigned; never restore an"
                        " older copy of it")  # fmt: skip
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on [127.0.0.1]")
    parser.add_argument("--port", type=int, default=8085, help="port to listen on; 0 for any [8085]")


def _witness(options: argparse.Namespace) -> Answer:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    signer = load_cosigner(options.key)
    witness = Witness(options.folder, signer, verifiers_of(options.vkey))
    with WitnessServer(options.host, options.port, witness) as server:
        words = [
            f"The witness {signer.name} listens at {server.url}; it knows {', '.join(witness.origins)}.",
            f"Its verifier key: {signer.vkey}",
        ]
        facts = {"url": server.url, "vkey": signer.vkey, "origins": witness.origins}
        give(Answer("serving", words, facts=facts), options.name_of_command, as_json=options.json)
        for number in (signal.SIGTERM, signal.SIGINT):
            # To stop is to wait for the loop's end, which must not be waited for within the loop's own thread.
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        server.serve_forever(poll_interval=0.2)
    return Answer("stopped", ["Stopped."])


def _cosign(options: argparse.Namespace) -> Answer:
    settings = settings_of(options)
    if not settings.witnesses:
        raise KeyRefused("no witness is configured; name one with --witness or GLASSHOUSE_LOG_WITNESSES")
    refuse_missing_file(options.database_url)
    log = open_log(settings)
    try:
        log.ask_witnesses(patient=False)
        reports = log.witness_reports()
        note = log.public.checkpoint()
    finally:
        log.close()
    status = min((_STATUS.get(report.state, 0) for report in reports if report.state in _STATUS), default=0)
    problem = next((f"{one.name}: {one.problem}" for one in reports if _STATUS.get(one.state, 0) == status != 0), None)
    facts = {"witnesses": [_facts(report) for report in reports], "checkpoint": note}
    result = {0: "done", FOUND: "refused", UNABLE: "incomplete"}[status]
    return Answer(result, [_words(report) for report in reports], status=status, problem=problem, facts=facts)


def _words(report: WitnessReport) -> str:
    told = f"{report.name}: {report.state}, {report.size} entries cosigned"
    return f"{told}; {report.problem}" if report.problem else told


def _facts(report: WitnessReport) -> dict[str, str | int | None]:
    return {
        "name": report.name,
        "state": report.state,
        "size": report.size,
        "asked_at": None if report.asked_at is None else report.asked_at.isoformat(),
        "problem": report.problem or None,
    }


COMMANDS: dict[str, Command] = {
    "witness": Command(
        _witness,
        "Be a witness: cosign the checkpoints of the logs whose keys are given, over HTTP, until stopped.",
        ("vkey",),
        _witness_options,
    ),
    "cosign": Command(_cosign, "Ask the log's witnesses for their cosignatures now.", ("keys", "store", "witnesses")),
}
