"""Bringing a database to the present: runs the migrations from code, wherever the package is installed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.engine import EngineTransactions, open_engine

#: PostgreSQL advisory lock: replicas that start together migrate one after the other
_LOCK = 4_722_365_218


async def migrate(url: str) -> None:
    """Runs every migration that the database at `url` lacks, in one transaction."""
    await _change(url, command.upgrade, "head")


async def unmake(url: str) -> None:
    """Takes every migration back: nothing is left of the data."""
    await _change(url, command.downgrade, "base")


async def is_current(engine: AsyncEngine) -> bool:
    """True when every migration there is has been run, and none that is not there. Waits for no writer."""
    async with EngineTransactions(engine).read() as connection:
        return await connection.run_sync(_is_current)


async def _change(url: str, change: Callable[[Config, str], None], revision: str) -> None:
    engine = open_engine(url)
    try:
        async with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(_run, change, revision)
    finally:
        await engine.dispose()


def _run(connection: Connection, change: Callable[[Config, str], None], revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    change(config, revision)


def _is_current(connection: Connection) -> bool:
    return set(MigrationContext.configure(connection).get_current_heads()) == _heads()


@cache
def _heads() -> frozenset[str]:
    """The newest migrations there are: they are files of the package, and reading them all takes a while."""
    return frozenset(ScriptDirectory.from_config(_config()).get_heads())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
