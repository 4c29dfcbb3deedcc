"""The seller's side of a ticket: what they write next, that it is solved, and that they deleted what they wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.deadlines import Targets
from bot.domain.tickets import CloseReason, Source, Ticket, TicketMove, TicketState, safe_words, ticket_of
from bot.errors import EmptyQuestion, TicketClosed, UnknownTicket
from bot.ports import AuditEvent, CardAddress, CardFinder, Clock, Database, Person, Work
from bot.ports.desk import DeskObserver, SourceOf, Unobserved
from bot.services.contention import in_turn
from bot.services.desk_cards import show, tell_seller


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody wrote went to this ticket, and opened it again or not."""

    ticket: Ticket
    reopened: bool = False


class Talk:
    """Whoever asked keeps talking to the desk in the thread of their card; a closed ticket opens again with it."""

    def __init__(
        self,
        database: Database,
        *,
        cards: CardFinder,
        targets: Targets,
        clock: Clock,
        observe: DeskObserver | None = None,
    ) -> None:
        self._database = database
        self._cards = cards
        self._targets = targets
        self._clock = clock
        self._observe = observe or Unobserved()

    async def heard(self, person: Person, text: str, *, channel_id: str, ts: str, thread_ts: str = "") -> Heard | None:
        """A direct message: the ticket it goes to, or None when it is not for the desk. Raises EmptyQuestion.

        For the desk is what stands in a ticket's thread, and whatever a seller says while the desk waits for their word.
        The same message again, as Slack sends it when the first try took too long, says nothing new.
        """
        async with self._database.read() as work:
            if (there := await _of_message(work, person, channel_id, ts)) is not None:
                return Heard(there)
        ticket_id = await self._in_thread_of(person, channel_id, thread_ts)
        async with self._database.read() as work:
            if ticket_id is not None:
                found = await work.tickets.get(person.team_id, ticket_id)
                known = found is not None and person.user_id in await work.tickets.people(found)
            else:
                found = await work.tickets.waiting_for(person.team_id, person.user_id) if not thread_ts else None
                known = found is not None
        if found is None or not known:
            return None
        ticket = found.id
        return await in_turn(lambda: self._write(person, ticket, text, channel_id=channel_id, ts=ts))

    async def write(self, person: Person, ticket_id: str, text: str) -> Ticket:
        """The same from a form. Raises UnknownTicket, also for somebody else's, or EmptyQuestion."""
        await self._own(person, ticket_id)
        heard = await in_turn(lambda: self._write(person, ticket_id, text, channel_id="", ts=""))
        return heard.ticket

    async def solved(self, person: Person, ticket_id: str) -> Ticket:
        """The seller says that it is solved. Raises UnknownTicket or TicketClosed."""
        await self._own(person, ticket_id)
        return await in_turn(lambda: self._solve(person, ticket_id))

    async def _solve(self, person: Person, ticket_id: str) -> Ticket:
        now = self._clock()
        async with self._database.begin() as work:
            ticket = await _existing(work, person, ticket_id)
            if not ticket.is_open:
                raise TicketClosed(number=ticket.number)
            moved = ticket.after(TicketMove.CLOSE, at=now, because=CloseReason.SOLVED)
            closed = await work.tickets.put(self._targets.after(ticket, moved, TicketMove.CLOSE, now))
            taken = self._targets.hours.between(closed.opened_at, now)
            self._observe.resolution(closed.topic, closed.locale, taken, on_time=not closed.late)
            await self._say(work, person, closed, "solved")
            await tell_seller(work, closed, "closed")
        return closed

    async def gone(self, team_id: str, *, channel_id: str, ts: str) -> Sequence[Ticket]:
        """A message was deleted. A ticket that stood on it alone and that nobody has taken goes with it, unless it opened by
        itself; of any other its question goes, if that is in the message's words. The tickets it was behind.
        """
        return await in_turn(lambda: self._forget(team_id, channel_id=channel_id, ts=ts))

    async def _forget(self, team_id: str, *, channel_id: str, ts: str) -> Sequence[Ticket]:
        now = self._clock()
        async with self._database.begin() as work:
            left: list[tuple[str, Ticket, str]] = []
            for source in await work.tickets.sources(team_id, channel_id=channel_id, ts=ts):
                before = await work.tickets.get(team_id, source.ticket_id)
                if before is None:
                    continue
                ticket = await work.tickets.put(self._without(source, before, now))
                line = "withdrawn" if before.is_open and not ticket.is_open else "source_gone"
                left.append((source.user_id, ticket, line))
            await work.tickets.forget(team_id, channel_id=channel_id, ts=ts, at=now)
            for author, ticket, line in left:
                number = {"number": str(ticket.number)}
                await work.audit.record(AuditEvent(now, team_id, author, f"ticket.{line}", ticket.id, details=number))
                await show(work, ticket, now=now, line=line, who=author)
                await tell_seller(work, ticket, "changed" if line == "source_gone" else "closed")
        return [ticket for _, ticket, _ in left]

    def _without(self, source: SourceOf, ticket: Ticket, now: datetime) -> Ticket:
        """What is left of a ticket when that source of it was deleted."""
        if source.has_words:
            ticket = replace(ticket, question="", suggestion="")
        by_itself = ticket.source is Source.FAILURE
        if not source.is_only or by_itself or ticket.state is not TicketState.OPEN:
            return ticket
        moved = ticket.after(TicketMove.CLOSE, at=now, because=CloseReason.WITHDRAWN)
        return self._targets.after(ticket, moved, TicketMove.CLOSE, now)

    # --- parts -------------------------------------------------------------------------------------------------------

    async def _in_thread_of(self, person: Person, channel_id: str, thread_ts: str) -> str | None:
        if not thread_ts:
            return None
        subject = await self._cards.subject_at(person.team_id, CardAddress(channel_id, thread_ts))
        return None if subject is None else ticket_of(subject)

    async def _own(self, person: Person, ticket_id: str) -> None:
        async with self._database.read() as work:
            found = await work.tickets.get(person.team_id, ticket_id)
            if found is None or person.user_id not in await work.tickets.people(found):
                raise UnknownTicket(given="?")

    async def _write(self, person: Person, ticket_id: str, text: str, *, channel_id: str, ts: str) -> Heard:
        words = safe_words(text)
        if not words:
            raise EmptyQuestion
        now = self._clock()
        async with self._database.begin() as work:
            if (there := await _of_message(work, person, channel_id, ts)) is not None:
                return Heard(there)  # delivered twice at the same moment
            ticket = await _existing(work, person, ticket_id)
            if not ticket.is_open:
                # another one about the same store may have been opened since: then that one hears it
                ticket = (
                    await work.tickets.open_of(ticket.team_id, user_id=ticket.user_id, store_id=ticket.store_id)
                    or ticket
                )
            reopens = not ticket.is_open
            moved = ticket.after(TicketMove.WRITE, at=now)
            heard = await work.tickets.put(self._targets.after(ticket, moved, TicketMove.WRITE, now))
            await work.tickets.add_source(heard, user_id=person.user_id, channel_id=channel_id, ts=ts, at=now)
            await self._say(
                work, person, heard, "reopened" if reopens else "wrote", words=words, agent=ticket.assignee or ""
            )
            if reopens or ticket.state is TicketState.WAITING:
                await tell_seller(work, heard, "reopened" if reopens else "changed")
        return Heard(heard, reopened=reopens)

    async def _say(self, work: Work, person: Person, ticket: Ticket, what: str, **facts: str) -> None:
        await work.audit.record(
            AuditEvent(
                self._clock(),
                person.team_id,
                person.user_id,
                f"ticket.{what}",
                ticket.id,
                details={"number": str(ticket.number)},
            )
        )
        self._observe.ticket(what, ticket.source.value)
        await show(work, ticket, now=self._clock(), line=what, who=person.user_id, **facts)


async def _of_message(work: Work, person: Person, channel_id: str, ts: str) -> Ticket | None:
    """The ticket that has a message already; what comes from a form is no message."""
    return await work.tickets.of_message(person.team_id, channel_id=channel_id, ts=ts) if ts else None


async def _existing(work: Work, person: Person, ticket_id: str) -> Ticket:
    found = await work.tickets.get(person.team_id, ticket_id)
    if found is None:
        raise UnknownTicket(given="?")
    return found
