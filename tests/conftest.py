"""Fixtures that every test may ask for. Nothing here is shared and mutable but the PostgreSQL server itself."""

from tests.databases import database_url, postgres_server, postgres_url, sqlite_url

__all__ = ["database_url", "postgres_server", "postgres_url", "sqlite_url"]
