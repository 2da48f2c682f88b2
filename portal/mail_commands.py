"""Commands for mail, for those who let a timer of the machine do what `serve` does by itself."""

from __future__ import annotations

import click

from config.settings import Settings, SettingsError
from portal.furnishing import furnish_house


@click.group()
def mail() -> None:
    """The e-mails that tell people that something waits for them."""


@mail.command()
def send() -> None:
    """One round: read the log, write and send what is due, take in what came back. Safe to repeat."""
    settings = Settings.load()
    if settings.mail is None:
        raise SettingsError(["mail: no mail server is set (GLASSHOUSE_MAIL__HOST and GLASSHOUSE_MAIL__SENDER)"])
    house = furnish_house(settings)
    try:
        done = house.mail.round()
        house.disputes.filings.notify_due(house.mail)
    finally:
        house.log.close()
    click.echo(
        f"{done.read} entries read, {done.written} e-mails written, {done.sent} sent, {done.came_back} came back."
    )
