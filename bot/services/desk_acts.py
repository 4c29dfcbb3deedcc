"""What every act of an agent has in common: it is an agent's, it is decided by the database, and it leaves a trace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bot.domain.deadlines import Targets
from bot.domain.tickets import CloseReason, Ticket, TicketMove
from bot.errors import AlreadyClaimed, TicketClosed, UnknownTicket
from bot.ports import AuditEvent, Clock, Database, People, Person, Work
from bot.ports.desk import DeskObserver, Unobserved
from bot.services.contention import in_turn
from bot.services.desk_cards import show, tell_seller
from bot.services.roles import Roles

#: more than any database counts to is no ticket's number
_DIGITS = 18

Act = Callable[[Work, Ticket], Awaitable[Ticket]]


class Acts:
    """Shared by the stories of the desk."""

    def __init__(
        self,
        database: Database,
        *,
        roles: Roles,
        targets: Targets,
        people: People,
        clock: Clock,
        observe: DeskObserver | None = None,
    ) -> None:
        self.database = database
        self.roles = roles
        self.targets = targets
        self.people = people
        self.clock = clock
        self.observe = observe or Unobserved()

    # --- finding -----------------------------------------------------------------------------------------------------

    async def ticket(self, agent: Person, ticket_id: str) -> Ticket:
        """Raises NotAnAgent or UnknownTicket."""
        await self.roles.require_agent(agent)
        async with self.database.read() as work:
            return await existing(work, agent, ticket_id)

    async def workable(self, agent: Person, ticket_id: str) -> Ticket:
        """One that the agent may answer or close now, for a form. Raises what the act itself would, before anything is typed:
        NotAnAgent, UnknownTicket, TicketClosed or AlreadyClaimed.
        """
        ticket = await self.ticket(agent, ticket_id)
        if not ticket.is_open:
            raise TicketClosed(number=ticket.number)
        if ticket.assignee not in (None, agent.user_id):
            raise AlreadyClaimed(agent=ticket.assignee, number=ticket.number)
        return ticket

    async def numbered(self, agent: Person, written: str) -> Ticket:
        """By what people call it: `12` or `#12`. Raises NotAnAgent or UnknownTicket."""
        await self.roles.require_agent(agent)
        number = written.strip().removeprefix("#")
        if number.isascii() and number.isdigit() and len(number) <= _DIGITS:
            async with self.database.read() as work:
                if found := await work.tickets.by_number(agent.team_id, int(number)):
                    return found
        raise UnknownTicket(given=written[:20])

    async def seller_of(self, ticket: Ticket) -> Person:
        return await self.people.get(ticket.team_id, ticket.user_id)

    # --- acting ------------------------------------------------------------------------------------------------------

    async def racing(self, agent: Person, ticket_id: str, act: Act) -> Ticket:
        """Does it to the ticket as it is. Who loses a race looks once more, and meets what the winner made of it."""
        await self.roles.require_agent(agent)
        return await self.in_turn(agent, ticket_id, act)

    async def in_turn(self, agent: Person, ticket_id: str, act: Act) -> Ticket:
        """The same for whoever was asked already whether they may."""
        return await in_turn(lambda: self._once(agent, ticket_id, act))

    async def _once(self, agent: Person, ticket_id: str, act: Act) -> Ticket:
        async with self.database.begin() as work:
            ticket = await existing(work, agent, ticket_id)
            if not ticket.is_open:
                raise TicketClosed(number=ticket.number)
            return await act(work, ticket)

    async def mine(self, work: Work, ticket: Ticket, agent: Person) -> Ticket:
        """Answering an unclaimed ticket claims it; another's is not answered over their head."""
        if ticket.assignee == agent.user_id:
            return ticket
        if ticket.assignee is not None:
            raise AlreadyClaimed(agent=ticket.assignee, number=ticket.number)
        return await self.claimed(work, ticket, agent)

    async def claimed(self, work: Work, ticket: Ticket, agent: Person) -> Ticket:
        claimed = await self.moved(work, ticket, TicketMove.CLAIM, to=agent.user_id)
        await self.say(work, claimed, agent, "claimed")
        await tell_seller(work, claimed, "claimed", agent=agent.user_id)
        return claimed

    async def moved(
        self,
        work: Work,
        ticket: Ticket,
        move: TicketMove,
        *,
        to: str | None = None,
        because: CloseReason | None = None,
    ) -> Ticket:
        now = self.clock()
        moved = ticket.after(move, at=now, to=to, because=because)
        return await work.tickets.put(self.targets.after(ticket, moved, move, now))

    async def say(self, work: Work, ticket: Ticket, agent: Person, what: str, **facts: str) -> None:
        """In the audit, and in the card's thread."""
        kept = {key: value for key, value in facts.items() if key != "words"}
        await work.audit.record(self.event(agent.team_id, agent.user_id, f"ticket.{what}", ticket, more=kept))
        self.observe.ticket(what, ticket.source.value)
        await show(work, ticket, now=self.clock(), line=what, who=agent.user_id, **facts)

    def event(
        self,
        team_id: str,
        actor: str,
        action: str,
        ticket: Ticket,
        *,
        behalf: str | None = None,
        more: Mapping[str, str] | None = None,
    ) -> AuditEvent:
        details = {"number": str(ticket.number), **(more or {})}
        return AuditEvent(self.clock(), team_id, actor, action, ticket.id, on_behalf_of=behalf, details=details)

    def resolved(self, ticket: Ticket) -> None:
        taken = self.targets.hours.between(ticket.opened_at, ticket.closed_at or self.clock())
        self.observe.resolution(ticket.topic, ticket.locale, taken, on_time=not ticket.late)


async def existing(work: Work, agent: Person, ticket_id: str) -> Ticket:
    """Raises UnknownTicket, also for another workspace's."""
    found = await work.tickets.get(agent.team_id, ticket_id)
    if found is None:
        raise UnknownTicket(given="?")
    return found
