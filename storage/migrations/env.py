"""Alembic's entry. `storage.migrate` hands over a connection; on the command line one is opened for DATABASE_URL."""

from __future__ import annotations

import asyncio
import os
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection
from sqlalchemy.types import TypeDecorator

from storage import desk_tables
from storage.engine import open_engine


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Migrations name the database's types, not ours: they must still run when ours have changed."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=desk_tables.tickets.metadata,
        compare_type=True,
        # SQLite cannot alter a table: Alembic makes a new one and copies
        render_as_batch=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_alone() -> None:
    engine = open_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


if (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    asyncio.run(run_alone())
