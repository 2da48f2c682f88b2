"""The command line of the portal."""

from __future__ import annotations

import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec

import click

from audit.errors import AuditError
from config.settings import Settings, SettingsError
from portal.casework_commands import cases, policy
from portal.demo.seeding import SeedReport, seed_country
from portal.domain.actors import Role
from portal.furnishing import StartRefused, furnish_house
from portal.installation import initialise, log_settings, unlocked
from portal.mail_commands import mail
from portal.registries.catalogue import CatalogueError
from portal.server import serve_forever
from portal.services.accounts import DemonstrationAccount
from portal.services.administration import Invitation
from portal.services.analytics.lake import LakeUnreadable
from portal.services.verification import RunKind, RunState

P = ParamSpec("P")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Glasshouse: see what government holds on you, and who looked."""


def _plainly(command: Callable[P, None]) -> Callable[P, None]:
    """What an operator can mend is told in words and ends with status 1, without a trace."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (SettingsError, StartRefused, CatalogueError, AuditError, LakeUnreadable) as error:
            click.echo(str(error), err=True)
            sys.exit(1)

    return run


for _group in (policy, cases, mail):
    for _command in _group.commands.values():
        if _command.callback is not None:
            _command.callback = _plainly(_command.callback)
    main.add_command(_group)


@main.command()
@_plainly
def init() -> None:
    """Prepare the databases, and for a demonstration its keys. Safe to repeat; nothing is overwritten."""
    initialise(Settings.load())
    click.echo("Ready. `python -m portal seed` fills the demonstration; `python -m portal serve` starts the portal.")


@main.command()
@_plainly
def seed() -> None:
    """Fill the demonstration country: registries, people to sign in as, and a history of accesses."""
    settings = Settings.load()
    _refuse_in_production(settings)
    _say(fill(initialise(settings)))


@main.command()
@click.option("--host", default=None, help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65_535), default=None, help="Port to listen on.  [default: 5000]")
@_plainly
def serve(host: str | None, port: int | None) -> None:
    """Serve the portal with gunicorn."""
    settings = unlocked(_settings_for(host, port))
    _refuse_a_port_in_use(settings)
    # What would keep every worker from starting is told here, once and in words.
    furnish_house(settings).log.close()
    if said := settings.attachments.said_at_start(is_production=settings.is_production):
        click.echo(said, err=True)
    serve_forever(settings)


@main.command()
@click.option("--host", default=None, help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65_535), default=None, help="Port to listen on.  [default: 5000]")
@_plainly
def demo(host: str | None, port: int | None) -> None:
    """Prepare, fill and serve the demonstration in one go. Data of an earlier start are kept."""
    settings = _settings_for(host, port)
    _refuse_in_production(settings)
    _refuse_a_port_in_use(settings)
    settings = initialise(settings)
    _say(fill(settings))
    house = furnish_house(settings)
    _say_where(settings, house.accounts.demonstration_people())
    house.log.close()
    serve_forever(settings)


@main.group()
def analytics() -> None:
    """The trail as Parquet tables, from which figures are made."""


@analytics.command()
@_plainly
def refresh() -> None:
    """Bring the tables up to date with the log; run it every hour. Safe to repeat and to interrupt."""
    settings = Settings.load()
    house = furnish_house(settings)
    said = _progress()
    try:
        state = house.analytics.refresh(lambda done, total: said("entries", done, total))
    finally:
        house.log.close()
    click.echo(f"{state.rows:,} accesses of {state.size:,} entries stand in {settings.analytics_store}.")


@main.command()
@click.option("--onward", is_flag=True, help="Only what came since the last verification that found the log sound.")
@_plainly
def verify(onward: bool) -> None:
    """Verify the log, keep the verdict for the auditors' page, and raise the alarm where it is broken.

    For a timer of the machine's own, where the portal is not to do it by itself (`verification` in the settings).
    Exit status 1: broken, or not finished.
    """
    house = furnish_house(Settings.load())
    try:
        run = house.verifications.run_now(RunKind.ONWARD if onward else RunKind.FULL)
    finally:
        house.log.close()
    click.echo(f"{run.state.upper()}: {run.size:,} entries, read from entry {run.since:,} on")
    if run.state is not RunState.SOUND:
        raise click.ClickException(run.problem or run.state)


@main.command("create-administrator")
@click.option("--name", required=True, help="The person's full name, as colleagues know it.")
@click.option("--organisation", required=True, help="The code of their organisation in the catalogue.")
@_plainly
def create_administrator(name: str, organisation: str) -> None:
    """Invite an administrator: prints a link, once, with which they set a password and a passkey.

    For the first two of an installation. Whoever can run this holds the machine and its keys; the invitation is an
    entry in the log all the same.
    """
    settings = Settings.load()
    house = furnish_house(settings)
    try:
        if organisation not in house.catalogue.organisations:
            known = ", ".join(sorted(house.catalogue.organisations))
            raise SettingsError([f"--organisation: {organisation} is not in the catalogue; known are {known}"])
        invitation = Invitation(name, Role.ADMINISTRATOR, organisation, "invited from the command line")
        done = house.staff.administration.invite_from_the_machine(invitation, secrets.token_hex(8))
        administrators = house.staff.accounts.active_administrators()
        link = f"{house.staff.passkeys.origin}/staff/enrol#{done.code}"
    finally:
        house.log.close()
    click.echo(
        f"Give this link to {name}. It is shown this once and opens for {settings.staff.invitation_hours} hours:"
    )
    click.echo(f"\n  {link}\n")
    if administrators < 2:
        click.echo(
            f"There are {administrators} administrators who can sign in. Two are needed: giving a powerful role and"
            " recovering lost credentials take one to ask and another to approve.",
            err=True,
        )


def fill(settings: Settings) -> SeedReport:
    return seed_country(settings, furnish_house, log_settings(settings), _progress())


def _progress() -> Callable[[str, int, int], None]:
    last = time.monotonic()

    def progress(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= 1 or done == total:
            last = now
            click.echo(f"  {what}: {done:,} of {total:,}")

    return progress


def _settings_for(host: str | None, port: int | None) -> Settings:
    return Settings.load(**_given(host, port))


def _given(host: str | None, port: int | None) -> dict[str, Any]:
    return {key: value for key, value in {"host": host, "port": port}.items() if value is not None}


def _refuse_in_production(settings: Settings) -> None:
    if settings.is_production:
        raise SettingsError(["mode: the demonstration country is not for production"])


def _refuse_a_port_in_use(settings: Settings) -> None:
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise StartRefused(
                [f"{settings.host}:{settings.port} cannot be used ({error.strerror}); try --port or PORT=…"]
            ) from None


def _say(report: SeedReport) -> None:
    if report.was_there:
        click.echo(f"The demonstration country is there ({report.people:,} people); its data are kept.")
    else:
        click.echo(f"Made {report.people:,} people in {report.registries} registries and {report.accesses:,} accesses.")


def _say_where(settings: Settings, people: Iterable[DemonstrationAccount]) -> None:
    url = f"http://{settings.host}:{settings.port}"
    click.echo(f"\nGlasshouse is at {url}\nSign in at {url}/sign-in, for example as")
    told = set()
    for person in people:
        if person.role not in told:
            told.add(person.role)
            click.echo(f"  {person.name} ({person.role})")
    click.echo(f"Stop it with Ctrl-C; the data stay under {settings.data_dir}/.\n")
