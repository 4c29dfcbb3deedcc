"""`SqlDatabase`: the one thing the composition root makes of all this."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import Clock, Entropy, Work
from storage.answered import SqlAnsweredThreads
from storage.attempts import SqlAttempts
from storage.audit import SqlAudit, SqlAuditLog
from storage.authorizations import SqlAuthorizations
from storage.cards import SqlCards
from storage.channels import SqlChannels
from storage.deliveries import SqlDeliveries
from storage.desk import SqlAnswers, SqlMarks, SqlRoles
from storage.endings import SqlEndings
from storage.engine import EngineTransactions, is_memory, open_engine
from storage.grants import SqlGrants
from storage.health import SqlHealth
from storage.incidents import SqlIncidents
from storage.installations import SqlInstallations
from storage.job_runs import SqlJobRuns
from storage.mirror import SqlMirror
from storage.misses import SqlMisses
from storage.outbox import SqlErrandQueue, SqlOutbox
from storage.overview import SqlOverview
from storage.people import PeopleStore
from storage.readers import SqlAnnouncements, SqlReaders
from storage.sellers import SqlSellers
from storage.stores import SqlStores
from storage.tables import metadata
from storage.taught import SqlTaught
from storage.tickets import SqlTickets
from storage.vault import Vault

_log = logging.getLogger(__name__)

#: how often SQLite's log is moved into its file
CHECKPOINT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class SqlWork:
    """`Work` over one connection."""

    sellers: SqlSellers
    stores: SqlStores
    grants: SqlGrants
    authorizations: SqlAuthorizations
    attempts: SqlAttempts
    readers: SqlReaders
    endings: SqlEndings
    announcements: SqlAnnouncements
    health: SqlHealth
    outbox: SqlOutbox
    mirror: SqlMirror
    audit: SqlAudit
    misses: SqlMisses
    taught: SqlTaught
    answered: SqlAnsweredThreads
    channels: SqlChannels
    tickets: SqlTickets
    incidents: SqlIncidents
    roles: SqlRoles
    answers: SqlAnswers
    overview: SqlOverview
    marks: SqlMarks


class SqlDatabase:
    """Everything kept, on SQLite or PostgreSQL.

    `on_outbox` is called after a commit that put something into the outbox; `support_channel` is where the support agents
    read; `mirrored` says that there is a sister system to tell. A database in memory makes its tables when it starts; any
    other is expected to be migrated.
    """

    def __init__(
        self,
        url: str,
        *,
        vault: Vault,
        clock: Clock,
        entropy: Entropy,
        on_outbox: Callable[[], None],
        support_channel: str = "",
        mirrored: bool = False,
    ) -> None:
        self._url = url
        self._vault = vault
        self._clock = clock
        self._entropy = entropy
        self._on_outbox = on_outbox
        self._support_channel = support_channel
        self._mirrored = mirrored
        self.engine = open_engine(url)
        self._transactions = EngineTransactions(self.engine)
        self._checkpoints: asyncio.Task[None] | None = None
        self.errands = SqlErrandQueue(self._transactions, vault)
        self.mirror_errands = SqlErrandQueue(self._transactions, vault, apart=True)
        self.cards = SqlCards(self._transactions)
        self.people = PeopleStore(self._transactions)
        self.installations = SqlInstallations(self._transactions, vault=vault, clock=clock)
        self.deliveries = SqlDeliveries(self._transactions)
        self.job_runs = SqlJobRuns(self._transactions)
        self.audit_log = SqlAuditLog(self._transactions)

    def __repr__(self) -> str:
        return f"SqlDatabase({make_url(self._url).render_as_string(hide_password=True)!r})"

    async def start(self) -> None:
        """Opens it, and keeps SQLite's log short from then on."""
        if is_memory(self._url):
            async with self.engine.begin() as connection:
                await connection.run_sync(metadata.create_all)
        else:
            await self.ping()
        if self.engine.dialect.name == "sqlite":
            self._checkpoints = asyncio.create_task(self._checkpoint_now_and_then(), name="sqlite-checkpoints")

    async def close(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.cancel()
            await asyncio.wait([self._checkpoints])
            self._checkpoints = None
            await self.checkpoint()
        await self.engine.dispose()

    async def ping(self) -> None:
        """Raises when the database cannot be reached."""
        async with self._transactions.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def checkpoint(self) -> None:
        """Moves what SQLite's log holds into its file, without making anybody wait. Nothing on PostgreSQL."""
        await self._transactions.checkpoint()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Work]:
        async with self._transactions.write() as connection:
            work = self._work(connection)
            yield work
        if work.outbox.has_news:
            self._on_outbox()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Work]:
        async with self._transactions.read() as connection:
            yield self._work(connection)

    def _work(self, connection: AsyncConnection) -> SqlWork:
        outbox = SqlOutbox(
            connection,
            vault=self._vault,
            clock=self._clock,
            entropy=self._entropy,
            support_channel=self._support_channel,
        )
        return SqlWork(
            sellers=SqlSellers(connection),
            stores=SqlStores(connection),
            grants=SqlGrants(connection),
            authorizations=SqlAuthorizations(connection, self._vault),
            attempts=SqlAttempts(connection),
            readers=SqlReaders(connection),
            endings=SqlEndings(connection),
            announcements=SqlAnnouncements(connection),
            health=SqlHealth(connection),
            outbox=outbox,
            mirror=SqlMirror(connection, outbox, entropy=self._entropy, mirrored=self._mirrored),
            audit=SqlAudit(connection),
            misses=SqlMisses(connection, self._vault),
            taught=SqlTaught(connection),
            answered=SqlAnsweredThreads(connection),
            channels=SqlChannels(connection),
            tickets=SqlTickets(connection),
            incidents=SqlIncidents(connection),
            roles=SqlRoles(connection),
            answers=SqlAnswers(connection),
            overview=SqlOverview(connection),
            marks=SqlMarks(connection),
        )

    async def _checkpoint_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            try:
                await self.checkpoint()
            except SQLAlchemyError:
                _log.warning("checkpoint failed", exc_info=True, extra={"action": "checkpoint_failed"})
