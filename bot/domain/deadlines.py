"""What the desk promises: a first answer and a resolution, counted in its working hours, and when to speak of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.tickets import Alert, Ticket, TicketMove, TicketState
from bot.domain.working_hours import WorkingHours, usual_hours


@dataclass(frozen=True, slots=True)
class Targets:
    """All durations are working time."""

    hours: WorkingHours = field(default_factory=usual_hours)
    answer: timedelta = timedelta(hours=1)
    resolve: timedelta = timedelta(hours=9)
    #: how long before a target is missed its agent is warned
    warn: timedelta = timedelta(minutes=15)
    #: how often a missed one is spoken of until somebody acknowledges it
    remind: timedelta = timedelta(hours=1)
    #: how long before the desk closes open work is handed over
    hand_over: timedelta = timedelta(minutes=15)

    def opened(self, ticket: Ticket, at: datetime) -> Ticket:
        """A ticket whose clock starts at `at`, for the first time or again."""
        return self._anew(
            replace(
                ticket,
                answer_due_at=self.hours.after(at, self.answer),
                resolve_due_at=self.hours.after(at, self.resolve),
                waiting_since=None,
            ),
            at,
        )

    def after(self, before: Ticket, moved: Ticket, move: TicketMove, at: datetime) -> Ticket:
        """The targets of `moved`, which is `before` after `move` at `at`."""
        if move is TicketMove.WRITE and before.state is TicketState.CLOSED:
            return self.opened(moved, at)
        late = before.late or (before.due_at is not None and before.waiting_since is None and at > before.due_at)
        match move:
            case TicketMove.CLOSE:
                return replace(
                    moved,
                    late=late,
                    answer_due_at=None,
                    resolve_due_at=None,
                    waiting_since=None,
                    alert=Alert.QUIET,
                    alert_at=None,
                )
            case TicketMove.REPLY:
                return self._anew(replace(moved, late=late, answer_due_at=None), at)
            case TicketMove.ASK:
                return self._anew(
                    replace(moved, late=late, answer_due_at=None, waiting_since=before.waiting_since or at), at
                )
            case TicketMove.WRITE if before.waiting_since is not None:
                return self._anew(self._running_again(moved, before.waiting_since, at), at)
            case _:
                return replace(moved, late=late)

    def _running_again(self, ticket: Ticket, since: datetime, at: datetime) -> Ticket:
        """The clock stood still since then: what was left of the target is left now."""
        due = ticket.resolve_due_at
        left = timedelta() if due is None else self.hours.between(since, due)
        return replace(ticket, waiting_since=None, resolve_due_at=None if due is None else self.hours.after(at, left))

    def _anew(self, ticket: Ticket, at: datetime) -> Ticket:
        """Nothing has been said of the deadline that counts from now on."""
        due = ticket.due_at
        if due is None or ticket.waiting_since is not None:
            return replace(ticket, alert=Alert.QUIET, alert_at=None)
        return replace(ticket, alert=Alert.QUIET, alert_at=max(at, self.hours.before(due, self.warn)))

    def spoken(self, ticket: Ticket, at: datetime) -> Ticket | None:
        """The ticket once its deadline has been spoken of at `at`; None when there is nothing to say yet, or any more."""
        due = self.due(ticket, at)
        if due is None or ticket.alert_at is None or at < ticket.alert_at or not self.hours.is_open(at):
            return None
        if at < due:
            return replace(ticket, alert=Alert.WARNED, alert_at=due)
        return replace(ticket, alert=Alert.BREACHED, alert_at=self.hours.after(at, self.remind), late=True)

    def due(self, ticket: Ticket, at: datetime) -> datetime | None:
        """The target to speak of: the nearest, and the resolution's once that is near, whatever became of the answer's."""
        resolve = ticket.resolve_due_at
        near = resolve is not None and at >= self.hours.before(resolve, self.warn)
        return resolve if near else ticket.due_at

    def acknowledged(self, ticket: Ticket, at: datetime) -> Ticket:
        """Somebody has seen the reminder: it is not repeated. The next target is spoken of all the same."""
        if ticket.alert is not Alert.BREACHED:
            return ticket
        resolve = ticket.resolve_due_at
        ahead = resolve is not None and at < resolve
        then = max(at, self.hours.before(resolve, self.warn)) if resolve is not None and ahead else None
        return replace(ticket, alert=Alert.ACKNOWLEDGED, alert_at=then)
