"""The migrations make exactly the tables that the code knows."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.desk_tables import ticket_sources, tickets
from storage.engine import open_engine
from storage.migrate import _change, is_current, migrate, unmake
from storage.tables import metadata


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(database_url)
    yield engine
    await engine.dispose()


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


async def test_the_migrations_make_exactly_the_tables_that_the_code_knows(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_partial_indexes_and_cascades_are_the_same_too(engine: AsyncEngine) -> None:
    """Alembic does not compare these; the database's own account of them does."""

    def account(connection: Connection) -> dict[str, object]:
        seen = inspect(connection)
        return {
            table: (
                sorted(
                    f"{index['name']} {index['unique']} {index['column_names']} "
                    f"{[str(value) for value in index.get('dialect_options', {}).values()]}"
                    for index in seen.get_indexes(table)
                ),
                sorted(
                    str(key.get("options")) + str(key["constrained_columns"]) for key in seen.get_foreign_keys(table)
                ),
                sorted(str(unique["column_names"]) for unique in seen.get_unique_constraints(table)),
            )
            for table in seen.get_table_names()
            if table != "alembic_version"
        }

    async with engine.begin() as connection:
        migrated = await connection.run_sync(account)
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
        assert await connection.run_sync(account) == migrated


async def test_a_migrated_database_is_current_and_migrating_again_changes_nothing(
    engine: AsyncEngine, database_url: str
) -> None:
    assert await is_current(engine)
    await migrate(database_url)
    assert await is_current(engine)


async def test_migrations_can_be_taken_back_and_run_again(engine: AsyncEngine, database_url: str) -> None:
    await unmake(database_url)
    async with engine.connect() as connection:
        left = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    assert left == ["alembic_version"]
    assert not await is_current(engine)
    await migrate(database_url)
    assert await is_current(engine)


async def test_in_a_ticket_from_before_the_first_message_has_the_words_and_in_a_reopened_one_each(
    engine: AsyncEngine, database_url: str
) -> None:
    await _change(database_url, command.downgrade, "0008")
    source = "INSERT INTO ticket_sources (ticket_id, team_id, user_id, channel_id, ts, at) VALUES (:id, 'T', 'U', 'C', :ts, 0)"
    async with engine.begin() as connection:
        for ticket_id, reopened in (("plain", 0), ("again", 1)):
            await connection.execute(insert(tickets).values(_ticket_of(ticket_id, reopened=reopened)))
            for ts in ("1.1", "2.2"):
                await connection.execute(text(source), {"id": ticket_id, "ts": ts})
    await migrate(database_url)
    async with engine.connect() as connection:
        rows = await connection.execute(select(ticket_sources).order_by(ticket_sources.c.position))
        assert [(row.ticket_id, row.has_words, row.gone_at) for row in rows] == [
            ("plain", True, None),
            ("plain", False, None),
            ("again", True, None),
            ("again", True, None),
        ]


def _ticket_of(ticket_id: str, *, reopened: int) -> dict[str, Any]:
    at = datetime(2026, 2, 2, 8, 0, tzinfo=UTC)
    words = ("locale", "source", "question", "topic", "suggestion", "error_code", "cause", "answers", "state", "alert")
    facts = {"id": ticket_id, "team_id": "T", "user_id": "U", "store_id": ticket_id, "opened_at": at, "checked": ""}
    return facts | dict.fromkeys(words, "") | {"reopened": reopened, "joined": 0, "late": False, "version": 1}


async def test_a_database_from_the_future_is_not_current(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not await is_current(engine)


async def test_asking_waits_for_no_writer(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
        async with asyncio.timeout(1):
            assert await is_current(engine)


async def test_replicas_that_start_together_do_not_trip_over_each_other(engine: AsyncEngine, database_url: str) -> None:
    await unmake(database_url)
    await asyncio.gather(*(migrate(database_url) for _ in range(4)))
    assert await is_current(engine)


async def test_an_empty_file_becomes_a_database() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'with % and space.db'}"
        await migrate(url)
        engine = open_engine(url)
        assert await is_current(engine)
        await engine.dispose()
