"""In production nothing travels between machines in the clear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.connections import in_the_clear

HERE = "redis://127.0.0.1:6379"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////var/lib/glasshouse/portal.db",
        "postgresql+psycopg:///portal",
        "postgresql+psycopg://portal@localhost/portal",
        "postgresql+psycopg://portal@127.0.0.1:5433/portal",
        "postgresql+psycopg://portal@[::1]/portal",
        "postgresql+psycopg:///portal?host=/run/postgresql",
        "postgresql+psycopg://portal@db.example/portal?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        "postgresql://portal@db.example/portal?sslmode=verify-ca",
    ],
)
def test_a_database_on_this_machine_or_behind_a_checked_certificate_is_taken(url: str) -> None:
    assert in_the_clear({"database_url": url}, HERE) == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://portal:secret@db.example/portal",
        "postgresql+psycopg://portal:secret@10.0.0.4/portal?sslmode=prefer",
        "postgresql+psycopg://portal:secret@db.example/portal?sslmode=require",
        "postgresql+psycopg:///portal?host=/run/postgresql&host=db.example",
    ],
)
def test_a_database_over_the_network_needs_a_checked_certificate(url: str) -> None:
    (mistake,) = in_the_clear({"audit.database_url": url}, HERE)
    assert mistake.startswith("audit.database_url: ")
    assert "secret" not in mistake


@pytest.mark.parametrize(
    ("counters", "is_refused"),
    [
        (HERE, False),
        ("rediss://counters.example:6380", False),
        ("redis+unix:///run/redis.sock", False),
        ("memory://", False),
        ("redis://:secret@counters.example", True),
    ],
)
def test_the_store_of_the_limits_is_held_to_the_same(counters: str, is_refused: bool) -> None:
    assert bool(in_the_clear({}, counters)) is is_refused


@given(st.text())
def test_an_address_that_is_none_is_left_to_whoever_opens_it(text: str) -> None:
    in_the_clear({"registry_urls.library": text}, HERE)
