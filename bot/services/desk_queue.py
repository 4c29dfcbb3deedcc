"""What agents look at: the queue by its filters, stores that need somebody, and where any seller's stores stand.

State only. Whose stores an agent looked up is in the audit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.incidents import LONGEST_WATCH, Incident
from bot.domain.stores import Store
from bot.domain.tickets import Ticket
from bot.errors import NoStoresThere
from bot.ports import AuditEvent, Clock, Database, People, Person, Work
from bot.ports.desk import Queue, StoreLine
from bot.services.desk_cards import store_of_ticket
from bot.services.reporting import Reporting, StoreReport
from bot.services.roles import Roles

#: entries on one page: three blocks each, with room for what stands around them
PAGE = 8
_OF_TICKETS = (Queue.MINE, Queue.UNCLAIMED, Queue.BREACHING, Queue.ALL)
_OF_STORES = (Queue.STUCK, Queue.EXPIRING)


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """An open incident and how many stores met it."""

    incident: Incident
    stores: int


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of one queue as of `at`; of tickets, stores or incidents one is filled."""

    queue: Queue
    page: int
    total: int
    at: datetime
    tickets: Sequence[Ticket] = ()
    stores: Sequence[StoreLine] = ()
    incidents: Sequence[IncidentLine] = ()
    #: the stores that tickets are about, by the ticket's id
    about: Mapping[str, Store] = field(default_factory=dict)
    #: how many entries each queue has
    counts: Mapping[Queue, int] | None = None

    @property
    def has_more(self) -> bool:
        return (self.page + 1) * PAGE < self.total


@dataclass(frozen=True, slots=True)
class Everybody:
    """A page of all stores of the workspace, and how many of them need somebody."""

    page: int
    total: int
    stuck: int
    expiring: int
    stores: Sequence[StoreLine]
    at: datetime

    @property
    def has_more(self) -> bool:
        return (self.page + 1) * PAGE < self.total


class DeskQueue:
    """Reads only, but for the note that it was read."""

    def __init__(self, database: Database, *, roles: Roles, reporting: Reporting, people: People, clock: Clock) -> None:
        self._database = database
        self._roles = roles
        self._reporting = reporting
        self._people = people
        self._clock = clock

    async def page(self, agent: Person, queue: Queue, page: int = 0) -> QueuePage:
        """Raises NotAnAgent."""
        await self._roles.require_agent(agent)
        now = self._clock()
        async with self._database.read() as work:
            counts: dict[Queue, int] = {
                one: await self._count(work, agent, one, now) for one in Queue if one is not Queue.ALL
            }
            page = _within(page, counts[queue] if queue in counts else await self._count(work, agent, queue, now))
            offset = page * PAGE
            if queue in _OF_TICKETS:
                tickets, total = await work.tickets.queue(
                    agent.team_id, queue, agent=agent.user_id, now=now, offset=offset, limit=PAGE
                )
                stores_of = {one.id: await store_of_ticket(work, one) for one in tickets}
                about = {ticket_id: store for ticket_id, store in stores_of.items() if store is not None}
                return QueuePage(queue, page, total, now, tickets=tickets, about=about, counts=counts)
            if queue in _OF_STORES:
                stores, total = await work.overview.stores(agent.team_id, queue, now=now, offset=offset, limit=PAGE)
                return QueuePage(queue, page, total, now, stores=stores, counts=counts)
            incidents = await work.incidents.all_open(agent.team_id)
            lines = [
                IncidentLine(
                    one,
                    await work.incidents.stores(
                        one.team_id, one.cause, one.feature, since=one.opened_at - LONGEST_WATCH
                    ),
                )
                for one in incidents[offset : offset + PAGE]
            ]
            return QueuePage(queue, page, len(incidents), now, incidents=lines, counts=counts)

    @staticmethod
    async def _count(work: Work, agent: Person, queue: Queue, now: datetime) -> int:
        if queue in _OF_TICKETS:
            _, total = await work.tickets.queue(agent.team_id, queue, agent=agent.user_id, now=now, offset=0, limit=1)
            return total
        if queue in _OF_STORES:
            _, total = await work.overview.stores(agent.team_id, queue, now=now, offset=0, limit=1)
            return total
        return len(await work.incidents.all_open(agent.team_id))

    async def of_seller(self, agent: Person, user_id: str) -> Sequence[StoreReport]:
        """`/authstatus @seller`. Raises NotAnAgent, or NoStoresThere when that person has none."""
        await self._roles.require_agent(agent)
        reports = await self._reporting.stores(await self._people.get(agent.team_id, user_id))
        await self._note(agent, "status.looked_up", user_id)
        if not reports:
            raise NoStoresThere
        return reports

    async def everybody(self, agent: Person, page: int = 0) -> Everybody:
        """`/authstatus all`. Raises NotAnAgent."""
        await self._roles.require_agent(agent)
        now = self._clock()
        async with self._database.read() as work:
            _, total = await work.overview.stores(agent.team_id, Queue.ALL, now=now, offset=0, limit=1)
            page = _within(page, total)
            stores, total = await work.overview.stores(
                agent.team_id, Queue.ALL, now=now, offset=page * PAGE, limit=PAGE
            )
            stuck = await self._count(work, agent, Queue.STUCK, now)
            expiring = await self._count(work, agent, Queue.EXPIRING, now)
        await self._note(agent, "status.looked_up", "all")
        return Everybody(page, total, stuck, expiring, stores, now)

    async def _note(self, agent: Person, action: str, subject: str) -> None:
        async with self._database.begin() as work:
            await work.audit.record(AuditEvent(self._clock(), agent.team_id, agent.user_id, action, subject))


def _within(page: int, total: int) -> int:
    """That page, or the last one when the list is shorter than it was."""
    return max(0, min(page, (total - 1) // PAGE))
