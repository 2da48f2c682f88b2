"""Filling the demonstration: registries, accounts, a history in the log. Done once; safe to repeat and to interrupt."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from audit.log import AuditLog, LogSettings, TrailQuery, open_log
from config.settings import Settings
from portal.demo.building import Progress, build_registries, registry_files
from portal.demo.consents import ask_for_consents
from portal.demo.country import SEED, Country
from portal.demo.decisions import announce_decisions
from portal.demo.desks import furnish_desks
from portal.demo.history import History
from portal.demo.looks import Event, accesses_of, failure_of
from portal.demo.mandates import give_mandates
from portal.demo.officials import demonstration_accounts
from portal.demo.people import Person
from portal.demo.personas import CITIZENS
from portal.demo.protected import bring_up
from portal.registries.catalogue import Catalogue
from portal.services.clock import Clock, system_clock
from portal.services.house import House

MARKER = "demonstration.json"
#: How many people beside the personas have a history, and among how many they are looked for.
_PEOPLE_WITH_HISTORY = 300
_SEARCHED = 1_500
_REQUESTS = uuid.UUID("0f6f1a52-94b2-5d0d-8f0e-3f5d1d6a9f4e")


@dataclass(frozen=True, slots=True)
class SeedReport:
    """What the demonstration holds; `was_there` when an earlier start had made it."""

    was_there: bool
    people: int
    registries: int
    accesses: int


@dataclass(frozen=True, slots=True)
class _State:
    """How far seeding came, as the marker keeps it. Everything is dated from `now`, even what is made later."""

    now: str
    people: int
    registries_built: bool = False
    accesses: int | None = None


def seed_country(
    settings: Settings,
    furnish_house: Callable[[Settings], House],
    log_settings: LogSettings,
    progress: Progress,
    *,
    clock: Clock = system_clock,
) -> SeedReport:
    """Make the demonstration country, or find that it is there.

    An interrupted seeding is taken up: half-written registries are written anew, accounts and entries that are there
    are kept, and a population register from before there were marks gets them. The log takes back-dated entries in
    their order, so this comes before any real entry.

    Raises:
        audit.errors.AuditError: the log cannot take the history.
        SettingsError: the registries are of an older version and cannot be brought up.
    """
    marker = settings.data_dir / MARKER
    files = registry_files(settings.data_dir / "registries")
    state = _read(marker) or _State(clock().isoformat(), settings.demo_people)
    if state.registries_built and all(file.exists() for file in files):
        bring_up(settings.data_dir / "registries", SEED)
    if state.accesses is not None and all(file.exists() for file in files):
        return SeedReport(True, state.people, len(files), state.accesses)
    _write(marker, state)
    now = datetime.fromisoformat(state.now)
    zone = ZoneInfo(settings.time_zone)
    country = Country(state.people, now.astimezone(zone).date())
    if not (state.registries_built and all(file.exists() for file in files)):
        build_registries(settings.data_dir / "registries", country, progress)
        state = _State(state.now, state.people, registries_built=True)
        _write(marker, state)
    house = furnish_house(settings)
    try:
        _open_accounts(house)
        history = History(_people_with_history(country), tuple(house.catalogue.registries), now, zone, country.seed)
        accesses = _write_history(log_settings, house.catalogue, history.events(), progress)
        furnish_desks(house, country.today)
        ask_for_consents(house)
        give_mandates(house)
        announce_decisions(house, country.today)
    finally:
        house.log.close()
    _write(marker, _State(state.now, state.people, registries_built=True, accesses=accesses))
    return SeedReport(False, state.people, len(files), accesses)


def _open_accounts(house: House) -> None:
    there = {account.account_id for account in house.accounts.demonstration_people()}
    house.accounts.open([new for new in demonstration_accounts() if new.account_id not in there], demonstration=True)


def _people_with_history(country: Country) -> list[Person]:
    """The personas, and grown-ups among the first of the country, so that not all of it need be drawn again."""
    known: list[Person] = []
    others: list[Person] = []
    for household in country.households():
        grown_up = [person for person in household if person.age_on(country.today) >= 19]
        known += (person for person in grown_up if person.persona in CITIZENS)
        others += (person for person in grown_up if person.persona is None)
        if len(others) >= _SEARCHED:
            break
    rng = Random(f"{country.seed}/people-with-history")  # noqa: S311 - invented people, not secrets
    return known + rng.sample(others, min(_PEOPLE_WITH_HISTORY, len(others)))


def _write_history(log_settings: LogSettings, catalogue: Catalogue, events: Sequence[Event], progress: Progress) -> int:
    """Append what is not in the log yet, each event at its own time. Gives the number of the history's entries."""
    moment = events[0].at if events else datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    log = open_log(log_settings, clock=lambda: moment)
    try:
        written, newest = _already_written(log)
        total = 0
        for number, event in enumerate(events):
            request_id = str(uuid.uuid5(_REQUESTS, str(number)))
            accesses = accesses_of(event, catalogue, request_id)
            total += len(accesses) + event.fails
            if request_id not in written and accesses:
                moment = event.at if newest is None else max(event.at, newest)
                acknowledged = log.append_all(accesses)
                if event.fails:
                    log.append(failure_of(accesses[-1], acknowledged[-1].seq))
            progress("events in the log", number + 1, len(events))
        return total
    finally:
        log.close()


def _already_written(log: AuditLog) -> tuple[set[str], datetime | None]:
    """Requests of an interrupted seeding, and the time of the newest entry: the log's time never runs backwards."""
    written: set[str] = set()
    newest = None
    for logged in log.stream(TrailQuery()):
        newest = logged.logged_at
        if logged.access is not None and logged.access.request_id is not None:
            written.add(logged.access.request_id)
    return written, newest


def _read(marker: Path) -> _State | None:
    try:
        return _State(**json.loads(marker.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def _write(marker: Path, state: _State) -> None:
    marker.parent.mkdir(parents=True, exist_ok=True)
    partial = marker.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(state)), encoding="utf-8")
    partial.replace(marker)
