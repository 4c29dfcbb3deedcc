"""Whose a ticket is, and its end: claim, hand over, put back, acknowledge, close.

Of two agents who press at once the database lets one through, and the other is told who was quicker.
"""

from __future__ import annotations

from contextlib import suppress

from bot.domain.roles import Role
from bot.domain.tickets import CHOSEN_BY_AGENTS, CloseReason, Ticket, TicketMove
from bot.errors import AlreadyClaimed, NotAnAdmin, NotAtTheDesk, TicketClosed, UnknownTicket, WrongChoice
from bot.ports import Person, Work
from bot.services.desk_acts import Acts
from bot.services.desk_cards import tell_seller


class _NotTheirs(Exception):
    """Somebody else has it by now, or nobody."""


class Desk:
    """What agents do with a ticket as a whole."""

    def __init__(self, acts: Acts) -> None:
        self._acts = acts

    # --- whose it is -------------------------------------------------------------------------------------------------

    async def claim(self, agent: Person, ticket_id: str) -> Ticket:
        """Takes it. Raises AlreadyClaimed with the one who was quicker, TicketClosed, UnknownTicket or NotAnAgent."""

        async def act(work: Work, ticket: Ticket) -> Ticket:
            if ticket.assignee == agent.user_id:
                return ticket
            if ticket.assignee is not None:
                raise AlreadyClaimed(agent=ticket.assignee, number=ticket.number)
            return await self._acts.claimed(work, ticket, agent)

        return await self._acts.racing(agent, ticket_id, act)

    async def hand_over(self, agent: Person, ticket_id: str, to: str) -> Ticket:
        """Gives it to another agent, whoever had it. Raises NotAtTheDesk for somebody who is none."""
        if to not in await self._acts.roles.agents(agent.team_id):
            raise NotAtTheDesk

        async def act(work: Work, ticket: Ticket) -> Ticket:
            if ticket.assignee == to:
                return ticket
            given = await self._acts.moved(work, ticket, TicketMove.HAND_OVER, to=to)
            await self._acts.say(work, given, agent, "handed_over", to=to)
            await tell_seller(work, given, "claimed", agent=to)
            return given

        return await self._acts.racing(agent, ticket_id, act)

    async def release(self, agent: Person, ticket_id: str) -> Ticket:
        """Puts it back into the queue; what the seller was asked is waited for all the same."""

        async def act(work: Work, ticket: Ticket) -> Ticket:
            return ticket if ticket.assignee is None else await self._put_back(work, ticket, agent)

        return await self._acts.racing(agent, ticket_id, act)

    async def release_all(self, agent: Person) -> int:
        """Puts back everything the agent holds; how many."""
        await self._acts.roles.require_agent(agent)
        return await self._free(agent, agent.user_id)

    async def gone(self, admin: Person, user_id: str) -> int:
        """Somebody no longer works at the desk: what they hold goes back to the others, how many, and their role goes.

        Raises NotAnAdmin. Asked once whether they may: admins can take their own role.
        """
        if not await self._acts.roles.manages(admin):
            raise NotAnAdmin
        # first, so that nothing stays with them if this is interrupted; and again, for what they took meanwhile
        freed = await self._free(admin, user_id)
        await self._acts.roles.give(admin, user_id, Role.SELLER)
        return freed + await self._free(admin, user_id)

    async def _free(self, by: Person, holder: str) -> int:
        async with self._acts.database.read() as work:
            held = [
                one
                for one in await work.tickets.open_everywhere()
                if (one.team_id, one.assignee) == (by.team_id, holder)
            ]

        async def act(work: Work, ticket: Ticket) -> Ticket:
            if ticket.assignee != holder:
                raise _NotTheirs
            return await self._put_back(work, ticket, by)

        freed = 0
        for ticket in held:
            with suppress(_NotTheirs, TicketClosed, UnknownTicket):
                await self._acts.in_turn(by, ticket.id, act)
                freed += 1
        return freed

    async def _put_back(self, work: Work, ticket: Ticket, by: Person) -> Ticket:
        freed = await self._acts.moved(work, ticket, TicketMove.RELEASE)
        await self._acts.say(work, freed, by, "released")
        await tell_seller(work, freed, "changed")
        return freed

    async def close(self, agent: Person, ticket_id: str, because: CloseReason) -> Ticket:
        """Raises WrongChoice for a reason that is not an agent's to give, and what `claim` raises."""
        if because not in CHOSEN_BY_AGENTS:
            raise WrongChoice

        async def act(work: Work, ticket: Ticket) -> Ticket:
            if ticket.assignee not in (None, agent.user_id):
                raise AlreadyClaimed(agent=ticket.assignee, number=ticket.number)
            closed = await self._acts.moved(work, ticket, TicketMove.CLOSE, because=because)
            self._acts.resolved(closed)
            await self._acts.say(work, closed, agent, "closed", because=because.value)
            await tell_seller(work, closed, "closed", agent=agent.user_id)
            return closed

        return await self._acts.racing(agent, ticket_id, act)

    async def acknowledge(self, agent: Person, ticket_id: str) -> Ticket:
        """The reminder was seen: it is not repeated."""

        async def act(work: Work, ticket: Ticket) -> Ticket:
            acknowledged = self._acts.targets.acknowledged(ticket, self._acts.clock())
            if acknowledged == ticket:
                return ticket
            seen = await work.tickets.put(acknowledged)
            await self._acts.say(work, seen, agent, "acknowledged")
            return seen

        return await self._acts.racing(agent, ticket_id, act)
