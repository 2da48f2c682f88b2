"""Writing the registries: each into a database of its own, complete or not there at all."""

from __future__ import annotations

import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import date
from pathlib import Path
from random import Random
from types import ModuleType

from portal.demo.country import Country
from portal.demo.tables import (
    driving_licences,
    employment,
    health_insurance,
    land,
    population,
    tax_benefits,
    vehicles,
)
from portal.demo.tables.rows import Cell, RegistryTables, Row

#: Tells what is being made, how much of it is done, and of how much.
Progress = Callable[[str, int, int], None]

_ROWS_AT_ONCE = 20_000


def registry_files(directory: Path) -> list[Path]:
    return [directory / module.FILE for module, _ in _tables(date.min, 0)]


def build_registries(directory: Path, country: Country, progress: Progress) -> None:
    """Write every registry anew. A file gets its name only when all of them are complete and on the disk."""
    directory.mkdir(parents=True, exist_ok=True)
    writers = [_Writer(directory, module, tables) for module, tables in _tables(country.today, country.seed)]
    try:
        done = 0
        for household in country.households():
            for person in household:
                for writer in writers:
                    writer.write(writer.tables.rows_of(person))
            done += len(household)
            progress("people in the registries", done, country.size)
        for writer in writers:
            writer.finish()
    finally:
        for writer in writers:
            writer.close()
    for writer in writers:
        writer.partial.replace(writer.file)
    _sync(directory)


def _tables(today: date, seed: int) -> list[tuple[ModuleType, RegistryTables]]:
    """Each registry with its own chance, so that a change in one leaves the others as they were."""

    def chance(module: ModuleType) -> Random:
        return Random(f"{seed}/{module.FILE}")  # noqa: S311 - invented people, not secrets

    return [
        (population, population.PopulationTables(seed)),
        (tax_benefits, tax_benefits.TaxBenefitsTables(today, chance(tax_benefits))),
        (health_insurance, health_insurance.HealthInsuranceTables(today, chance(health_insurance))),
        (employment, employment.EmploymentTables()),
        (vehicles, vehicles.VehicleTables(today, chance(vehicles))),
        (driving_licences, driving_licences.LicenceTables(today, chance(driving_licences))),
        (land, land.LandTables(today, chance(land))),
    ]


class _Writer:
    """One registry's file in the making."""

    def __init__(self, directory: Path, module: ModuleType, tables: RegistryTables) -> None:
        self.tables = tables
        self.file = directory / module.FILE
        self.partial = self.file.with_suffix(".partial")
        self._indexes: str = module.INDEXES
        self._waiting: dict[str, list[tuple[Cell, ...]]] = defaultdict(list)
        self._count = 0
        self.partial.unlink(missing_ok=True)
        self._connection = sqlite3.connect(self.partial, isolation_level=None)
        # The file is worth nothing until it is renamed, so nothing is gained by making each step of it durable.
        self._connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + module.SCHEMA)
        self.write(tables.common_rows())

    def write(self, rows: Iterable[Row]) -> None:
        for table, values in rows:
            self._waiting[table].append(values)
            self._count += 1
        if self._count >= _ROWS_AT_ONCE:
            self._flush()

    def finish(self) -> None:
        self._flush()
        self._connection.executescript(self._indexes + "PRAGMA optimize;")
        self._connection.close()
        with self.partial.open("rb+") as file:
            os.fsync(file.fileno())

    def close(self) -> None:
        self._connection.close()

    def _flush(self) -> None:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute("BEGIN")
            for table, rows in self._waiting.items():
                places = ", ".join("?" * len(rows[0]))
                cursor.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608 - names from this package
            cursor.execute("COMMIT")
        self._waiting.clear()
        self._count = 0


def _sync(directory: Path) -> None:
    """Make the new names durable too."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
