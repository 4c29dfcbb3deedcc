"""The desk's clock: warnings before a target is missed, reminders after, hand-over before the desk closes. Quiet at night."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from bot.domain.deadlines import Targets
from bot.domain.desk_notices import HandOver, ShiftEnds, TicketAlert
from bot.domain.tickets import Alert, Ticket, TicketState
from bot.ports import AuditEvent, Clock, Database, Work
from bot.ports.desk import DeskObserver, Unobserved
from bot.services.desk_cards import show
from bot.services.watching import GRANTDESK

_BATCH = 100


class DeskTime:
    """Run every minute; says each thing once."""

    def __init__(
        self, database: Database, *, targets: Targets, clock: Clock, observe: DeskObserver | None = None
    ) -> None:
        self._database = database
        self._targets = targets
        self._clock = clock
        self._observe = observe or Unobserved()

    async def deadlines(self) -> int:
        """Speaks of targets that are near or missed; of how many."""
        async with self._database.read() as work:
            self._observe.open_tickets(await work.tickets.counts())
        now = self._clock()
        spoken = 0
        while self._targets.hours.is_open(now):
            async with self._database.begin() as work:
                due = await work.tickets.alerting(now=now, limit=_BATCH)
                for ticket in due:
                    spoken += await self._speak(work, ticket, now)
            if len(due) < _BATCH:
                break
        return spoken

    async def _speak(self, work: Work, ticket: Ticket, now: datetime) -> int:
        said, target = self._targets.spoken(ticket, now), self._targets.due(ticket, now)
        if said is None or target is None:
            return 0
        written = await work.tickets.put(said)
        missed = written.alert is Alert.BREACHED
        alert = TicketAlert(
            ticket_id=ticket.id,
            number=ticket.number,
            due=target.isoformat(),
            missed=missed,
            answer=target == ticket.answer_due_at,
            assignee=ticket.assignee or "",
        )
        if ticket.assignee:
            await work.outbox.tell(ticket.team_id, ticket.assignee, alert)
            await show(work, written, now=now, line="missed" if missed else "near")
        else:
            await show(work, written, now=now)
            await work.outbox.tell_support(ticket.team_id, alert)
        action = "ticket.late" if missed else "ticket.warned"
        await work.audit.record(
            AuditEvent(now, ticket.team_id, GRANTDESK, action, ticket.id, details={"number": str(ticket.number)})
        )
        self._observe.ticket("late" if missed else "warned", ticket.source.value)
        return 1

    async def hand_over(self) -> int:
        """Shortly before the desk closes: each agent hears what they hold, the channel what the next ones find. Once a day."""
        now = self._clock()
        closes = self._targets.hours.shift_end(now)
        if closes is None or now < self._targets.hours.before(closes, self._targets.hand_over):
            return 0
        async with self._database.read() as work:
            waiting = await work.tickets.open_everywhere()
        by_team: dict[str, list[Ticket]] = defaultdict(list)
        for ticket in waiting:
            by_team[ticket.team_id].append(ticket)
        told = 0
        for team_id, tickets in by_team.items():
            async with self._database.begin() as work:
                if await work.marks.first(team_id, f"hand_over:{closes.isoformat()}", at=now):
                    await self._tell_shift(work, team_id, tickets, closes)
                    told += 1
        return told

    async def _tell_shift(self, work: Work, team_id: str, tickets: list[Ticket], closes: datetime) -> None:
        held: dict[str, list[Ticket]] = defaultdict(list)
        for ticket in tickets:
            if ticket.assignee:
                held[ticket.assignee].append(ticket)
        for agent, theirs in held.items():
            await work.outbox.tell(
                team_id,
                agent,
                ShiftEnds(
                    closes=closes.isoformat(),
                    tickets=tuple((one.id, one.number, one.state.value, one.user_id) for one in theirs),
                ),
            )
        await work.outbox.tell_support(
            team_id,
            HandOver(
                closes=closes.isoformat(),
                opens=self._targets.hours.opens(closes).isoformat(),
                unclaimed=tuple(one.number for one in tickets if one.assignee is None),
                held=tuple((one.assignee, one.number, one.state.value) for one in tickets if one.assignee),
                incidents=tuple(one.number for one in await work.incidents.all_open(team_id)),
                waiting=tuple(one.number for one in tickets if not one.assignee and one.state is TicketState.WAITING),
            ),
        )
