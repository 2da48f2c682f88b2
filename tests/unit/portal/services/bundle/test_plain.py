"""What a bundle holds for machines: exact, and written while it is read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from portal.registries.records import FieldValue, Record
from portal.services.bundle.plain import ACCESS_COLUMNS, accesses_csv, accesses_json, records_csv, records_json
from portal.services.records import OwnRecords
from tests.factories.houses import shipped_catalogue
from tests.fakes.registry import OWN

MANY = 20_000


def _row(entry: int) -> dict[str, Any]:
    return {**dict.fromkeys(ACCESS_COLUMNS), "entry": entry, "fields": ["a", "b"], "withheld": None, "case": "=1+1"}


@pytest.mark.parametrize("rendering", [accesses_csv, lambda rows: accesses_json(rows, {})], ids=["csv", "json"])
def test_entries_are_written_while_they_are_read(rendering: Any) -> None:
    read = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal read
        for read in range(1, MANY + 1):
            yield _row(read)

    blocks = rendering(rows())
    first = [len(next(blocks)), len(next(blocks))]
    assert read < MANY / 4
    assert max(first) < 2 * 64 * 1024
    assert all(len(block) < 2 * 64 * 1024 for block in blocks)
    assert read == MANY


@pytest.mark.parametrize("number", [0, 1, 3, 2_000])
def test_every_number_of_entries_is_a_file_that_can_be_read(number: int) -> None:
    told = json.loads(b"".join(accesses_json(map(_row, range(number)), {"person": "Mari"})))
    assert (told["person"], [row["entry"] for row in told["accesses"]]) == ("Mari", list(range(number)))
    header, *lines = csv.reader(io.StringIO(b"".join(accesses_csv(map(_row, range(number)))).decode()))
    assert header == list(ACCESS_COLUMNS)
    assert [line[0] for line in lines] == [str(entry) for entry in range(number)]
    assert {line[header.index("case")] for line in lines} <= {"'=1+1"}


def test_values_stay_what_they_are_and_a_registry_without_an_answer_is_no_empty_one() -> None:
    registries = shipped_catalogue().registries
    values = {"a": Decimal("1200.10"), "b": date(2026, 2, 28), "c": True, "d": None, "e": 7, "f": "+372 5"}
    record = Record({code: FieldValue(value, OWN) for code, value in values.items()})
    first, second = list(registries.values())[:2]
    opened = [OwnRecords(first, 4, (record,)), OwnRecords(second, 5, None)]
    told = json.loads(records_json(opened, {}, "en"))["registries"]
    expected = ["1200.10", "2026-02-28", True, None, 7, "+372 5"]
    assert [held["value"] for held in told[0]["records"][0].values()] == expected
    assert told[1]["records"] is None
    lines = list(csv.DictReader(io.StringIO(b"".join(records_csv(opened, "en")).decode())))
    assert [line["value"] for line in lines] == ["1200.10", "2026-02-28", "yes", "", "7", "'+372 5"]
