"""What the desk asks of the world, besides `bot.ports`. Implemented by `storage`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.domain.features import FeatureKey
from bot.domain.grants import Grant
from bot.domain.incidents import Failure, Incident
from bot.domain.roles import Appointment
from bot.domain.stores import Store
from bot.domain.tickets import Ticket, TicketState


class Queue(StrEnum):
    """What an agent looks at. Values are typed after `/desk` and are keys of the catalogs (`desk.queue.<value>`)."""

    MINE = "mine"
    UNCLAIMED = "unclaimed"
    BREACHING = "breaching"
    STUCK = "stuck"
    EXPIRING = "expiring"
    INCIDENTS = "incidents"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class StoreLine:
    """One store of whichever seller, with its grants and the people it belongs to."""

    store: Store
    grants: Mapping[FeatureKey, Grant]
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceOf:
    """A message that a ticket came from, and what stands on it."""

    ticket_id: str
    user_id: str
    #: nothing else stands behind the ticket
    is_only: bool
    #: the ticket's question is in its words
    has_words: bool


class DeskObserver(Protocol):
    """Told of what the desk does, for counting. Labels come from closed sets of words."""

    def ticket(self, event: str, source: str) -> None: ...

    def first_answer(self, topic: str, locale: str, taken: timedelta, *, on_time: bool) -> None: ...

    def resolution(self, topic: str, locale: str, taken: timedelta, *, on_time: bool) -> None: ...

    def open_tickets(self, counts: Mapping[TicketState, int]) -> None: ...

    def incident(self, event: str) -> None: ...

    def answered(self, topic: str, locale: str) -> None:
        """An article was shown."""
        ...

    def answers_week(self, shown: int, without_person: int) -> None:
        """Of the last seven days."""
        ...


class Unobserved:
    """The observer when there is none."""

    def ticket(self, event: str, source: str) -> None:
        """Nothing."""

    def first_answer(self, topic: str, locale: str, taken: timedelta, *, on_time: bool) -> None:
        """Nothing."""

    def resolution(self, topic: str, locale: str, taken: timedelta, *, on_time: bool) -> None:
        """Nothing."""

    def open_tickets(self, counts: Mapping[TicketState, int]) -> None:
        """Nothing."""

    def incident(self, event: str) -> None:
        """Nothing."""

    def answered(self, topic: str, locale: str) -> None:
        """Nothing."""

    def answers_week(self, shown: int, without_person: int) -> None:
        """Nothing."""


class Tickets(Protocol):
    """Every read is scoped to one workspace."""

    async def add(self, ticket: Ticket) -> Ticket | None:
        """With its number. None when an open ticket of the same store, or of the same person without a store, is there:
        decided by a constraint of the database.
        """
        ...

    async def put(self, ticket: Ticket) -> Ticket:
        """Writes it as `version + 1`. Raises ConcurrentChange when the stored version is not `ticket.version`."""
        ...

    async def get(self, team_id: str, ticket_id: str) -> Ticket | None: ...

    async def by_number(self, team_id: str, number: int) -> Ticket | None: ...

    async def open_of(self, team_id: str, *, user_id: str, store_id: str | None) -> Ticket | None:
        """The open ticket of the store; without one, the person's open ticket that is about no store."""
        ...

    async def closed_of(self, team_id: str, *, user_id: str, store_id: str | None, since: datetime) -> Ticket | None:
        """The same among those closed since then; the newest."""
        ...

    async def waiting_for(self, team_id: str, user_id: str) -> Ticket | None:
        """The newest ticket in which the desk waits for a word of that person."""
        ...

    async def add_source(
        self, ticket: Ticket, *, user_id: str, channel_id: str, ts: str, at: datetime, has_words: bool = False
    ) -> None:
        """Notes who asked, and the message they asked with if there is one; with `has_words` the ticket's question is from it, and
        no longer from another. Comes after the ticket's own write, as does `forget`: so nobody waits in a circle.
        """
        ...

    async def from_message(self, team_id: str, *, channel_id: str, ts: str) -> Ticket | None:
        """The open ticket that a message is a source of already."""
        ...

    async def from_deleted(self, team_id: str, *, channel_id: str, ts: str) -> Ticket | None:
        """The newest ticket that a message was a source of until it was deleted."""
        ...

    async def of_message(self, team_id: str, *, channel_id: str, ts: str) -> Ticket | None:
        """The newest ticket that a message is or was a source of, closed ones included."""
        ...

    async def sources(self, team_id: str, *, channel_id: str, ts: str) -> Sequence[SourceOf]:
        """What a message is the source of, each ticket once; nothing any more once it was deleted."""
        ...

    async def forget(self, team_id: str, *, channel_id: str, ts: str, at: datetime) -> None:
        """The message was deleted: nothing stands on it from now on, and a copy that comes later is known."""
        ...

    async def people(self, ticket: Ticket) -> Sequence[str]:
        """Everybody who asked and has not deleted it, and first the ticket's own person."""
        ...

    async def queue(
        self, team_id: str, queue: Queue, *, agent: str, now: datetime, offset: int, limit: int
    ) -> tuple[Sequence[Ticket], int]:
        """A page of open tickets, the most urgent first, and how many there are. MINE, UNCLAIMED, BREACHING or ALL."""
        ...

    async def alerting(self, *, now: datetime, limit: int) -> Sequence[Ticket]:
        """Those whose deadline must be looked at, of every workspace; locked, another replica's left out."""
        ...

    async def open_everywhere(self) -> Sequence[Ticket]:
        """Every open ticket of every workspace, oldest first."""
        ...

    async def attach(self, team_id: str, incident: Incident) -> int:
        """Ties open tickets with the incident's cause, and feature where it has one, to it; how many."""
        ...

    async def of_incident(self, incident: Incident) -> Sequence[Ticket]:
        """Open ones."""
        ...

    async def counts(self) -> Mapping[TicketState, int]:
        """Open tickets of every workspace by state."""
        ...

    async def teams(self) -> Sequence[str]:
        """Workspaces that ever had a ticket."""
        ...

    async def between(self, team_id: str, since: datetime, until: datetime) -> Sequence[Ticket]:
        """Opened or closed within that time."""
        ...


class Incidents(Protocol):
    async def note(self, failure: Failure) -> None: ...

    async def stores(self, team_id: str, cause: str, feature: FeatureKey | None, *, since: datetime) -> int:
        """How many different stores met that failure since then."""
        ...

    async def sellers(self, team_id: str, cause: str, feature: FeatureKey | None, *, since: datetime) -> int:
        """How many different distributor accounts those stores belong to; a store deleted since counts for nobody."""
        ...

    async def victims(
        self, team_id: str, cause: str, feature: FeatureKey | None, *, since: datetime
    ) -> Sequence[tuple[str, str]]:
        """(user, store) of those failures, newest first, each pair once."""
        ...

    async def add(self, incident: Incident) -> Incident | None:
        """With its number; None when one of the same cause is open: decided by a constraint of the database."""
        ...

    async def get(self, team_id: str, incident_id: str) -> Incident | None: ...

    async def open_for(self, team_id: str, cause: str, feature: FeatureKey | None) -> Incident | None: ...

    async def of_store(self, team_id: str, store_id: str) -> Incident | None:
        """The open incident that the store's failures belong to."""
        ...

    async def seen(self, incident: Incident, at: datetime) -> None:
        """It is still there."""
        ...

    async def close(self, incident: Incident) -> bool:
        """Writes its end; False when somebody else did already."""
        ...

    async def tell(self, incident: Incident, user_id: str, *, at: datetime) -> bool:
        """True for the first who would tell that person."""
        ...

    async def told(self, incident: Incident) -> Sequence[str]: ...

    async def all_open(self, team_id: str | None = None) -> Sequence[Incident]:
        """Oldest first; of every workspace when none is named."""
        ...

    async def granted_since(self, incident: Incident) -> bool:
        """Whether a consent for its feature came through after its newest failure."""
        ...

    async def prune(self, *, before: datetime) -> int:
        """Forgets failures older than that; how many."""
        ...


class Roles(Protocol):
    async def get(self, team_id: str, user_id: str) -> Appointment | None: ...

    async def all(self, team_id: str) -> Sequence[Appointment]:
        """In the order they were given."""
        ...

    async def admins(self, team_id: str) -> Sequence[str]:
        """Who was made an admin here, and who is known to administer the workspace itself."""
        ...

    async def put(self, appointment: Appointment) -> None: ...


class Answers(Protocol):
    """Articles that people were shown."""

    async def shown(self, team_id: str, user_id: str, slug: str, *, locale: str, at: datetime) -> None: ...

    async def of_person(self, team_id: str, user_id: str, *, since: datetime) -> Sequence[str]:
        """Topics, newest first, each once."""
        ...

    async def count(self, team_id: str, since: datetime, until: datetime) -> tuple[int, int]:
        """How many were shown, and how many of them the person did not turn to the desk after, within a day."""
        ...

    async def prune(self, *, before: datetime) -> int: ...


class Overview(Protocol):
    """Every seller's stores of one workspace: for agents only."""

    async def stores(
        self, team_id: str, queue: Queue, *, now: datetime, offset: int, limit: int
    ) -> tuple[Sequence[StoreLine], int]:
        """A page, the most urgent first, and how many there are. STUCK, EXPIRING or ALL."""
        ...


class Marks(Protocol):
    """What is done once per workspace and occasion."""

    async def first(self, team_id: str, key: str, *, at: datetime) -> bool:
        """True for whoever comes first; taken back with the transaction."""
        ...
