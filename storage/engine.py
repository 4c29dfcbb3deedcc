"""Connections and transactions, where SQLite and PostgreSQL differ. The ports above know only `Transactions`.

SQLite admits one writer at a time. Writers of this process queue for a lock in the order they came; against other processes
`BEGIN IMMEDIATE` waits for the file. Either way a writer waits instead of failing half-way.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from typing import Any, Protocol

from sqlalchemy import Connection, ExceptionContext, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from bot.errors import ConcurrentChange

#: how long a writer waits for others before it gives up
PATIENCE_SECONDS = 10
_READERS = 8
_POSTGRES_CONNECTIONS = 20

#: how a connection begins on SQLite; an execution option
_BEGIN = "grantdesk_begin"
_PRAGMAS = (
    "journal_mode = WAL",
    # fsync at checkpoints, not at commits: a crash of the process loses nothing, one of the machine the last moments
    "synchronous = NORMAL",
    "foreign_keys = ON",
    # the automatic checkpoint would run inside somebody's commit: 10 ms at p99
    "wal_autocheckpoint = 0",
    f"busy_timeout = {PATIENCE_SECONDS * 1000}",
)

#: serialization failure, deadlock, lock not available
_PASSING = frozenset({"40001", "40P01", "55P03"})

#: asyncpg's words for a value that it cannot send, with the value behind them
_UNSENDABLE = re.compile(r"(invalid input for query argument \$\d+).*", re.DOTALL)


class Transactions(Protocol):
    """What a port needs of a database."""

    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Committed at a clean end, rolled back otherwise."""
        ...

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """One view of the data; always rolled back."""
        ...

    def single(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """For one writing statement, which is its own transaction."""
        ...


def is_memory(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite" and make_url(url).database in (None, "", ":memory:")


def open_engine(url: str) -> AsyncEngine:
    """An engine for either database, set up as everything here expects. Its transactions write unless told otherwise.

    Its errors show statements and never what is in them: those are people's words, and errors are logged.
    """
    if make_url(url).get_backend_name() != "sqlite":
        engine = create_async_engine(
            url,
            hide_parameters=True,
            pool_size=_POSTGRES_CONNECTIONS,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={
                "server_settings": {
                    "application_name": "grantdesk",
                    "jit": "off",
                    "lock_timeout": f"{PATIENCE_SECONDS}s",
                }
            },
        )
        event.listen(engine.sync_engine, "handle_error", _without_values)
        return engine
    # A database in memory lives in its one connection, which users take turns with.
    engine = create_async_engine(
        url,
        hide_parameters=True,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1 if is_memory(url) else _READERS,
        max_overflow=0,
        pool_timeout=PATIENCE_SECONDS,
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    # Python's own guesses about when to begin are switched off; `_begin` says it.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    if statement := connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE"):
        connection.exec_driver_sql(statement)


def _without_values(context: ExceptionContext) -> None:
    """PostgreSQL's DETAIL quotes the row, and its driver the value that it cannot send: takes both out, wherever they stand."""
    translated, ours = context.original_exception, context.sqlalchemy_exception
    told = translated.__cause__
    if told is None or ours is None:
        return
    before = str(translated)
    if getattr(told, "detail", None):
        told.detail = None  # type: ignore[attr-defined]  # asyncpg gives its errors what the server sent
    told.args = tuple(_UNSENDABLE.sub(r"\1", part) if isinstance(part, str) else part for part in told.args)
    translated.args = (f"{type(told).__name__}: {told}",)
    ours.args = (ours.args[0].replace(before, str(translated)), *ours.args[1:])


class EngineTransactions:
    """`Transactions` over an engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sqlite = engine.dialect.name == "sqlite"
        self._writer = engine
        self._reader = engine.execution_options(**{_BEGIN: "BEGIN"})
        alone: dict[str, Any] = {_BEGIN: ""} if self._sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._single = engine.execution_options(**alone)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        with _translated():
            async with self._my_turn(), self._writer.begin() as connection:
                yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def single(self) -> AsyncIterator[AsyncConnection]:
        with _translated():
            async with self._my_turn(), self._single.begin() as connection:
                yield connection

    async def checkpoint(self) -> None:
        """Moves what SQLite's log holds into its file, without making anybody wait."""
        if self._sqlite:
            async with self._single.begin() as connection:
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def _my_turn(self) -> AbstractAsyncContextManager[None]:
        return self._queue() if self._sqlite else nullcontext()

    @asynccontextmanager
    async def _queue(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise ConcurrentChange from None
        try:
            yield
        finally:
            self._turn.release()


@contextmanager
def _translated() -> Iterator[None]:
    """Two changes that got in each other's way are worth trying again, whatever the database calls it."""
    try:
        yield
    except DBAPIError as error:
        if _is_passing(error):
            raise ConcurrentChange from error
        raise


def _is_passing(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in _PASSING or "database is locked" in str(error.orig)
