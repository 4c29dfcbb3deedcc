"""The one kind of statement that both databases have and SQL has not: an insert that minds what is there."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insert(connection: AsyncConnection, table: Table) -> sqlite.Insert:
    """An INSERT with `on_conflict_do_nothing` and `on_conflict_do_update`, which the dialects spell the same."""
    if connection.dialect.name == "postgresql":
        return cast("sqlite.Insert", postgresql.insert(table))
    return sqlite.insert(table)
