"""Is it me or Amazon? Failures are watched as they are met; enough of the same make an incident, told once and ended once."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.desk_notices import IncidentTold
from bot.domain.features import FeatureKey
from bot.domain.incidents import LONGEST_WATCH, Failure, Incident, Watch, concerns, counts, least_sellers
from bot.domain.stores import Store
from bot.domain.tickets import Alert, CloseReason, TicketMove, TicketState
from bot.errors import IncidentOver
from bot.ports import AuditEvent, Clock, Entropy, Work
from bot.ports.desk import DeskObserver, Unobserved
from bot.services.desk_cards import show, show_incident, tell_seller

#: who acts in the audit when nobody does
GRANTDESK = "grantdesk"
#: counts of stores after which the card is brought up to date one by one, then by tens, then by hundreds
_FEW, _SOME = 10, 100


class Watching:
    """What happens within the transaction in which a failure is met."""

    def __init__(
        self, *, clock: Clock, entropy: Entropy, watch: Watch | None = None, observe: DeskObserver | None = None
    ) -> None:
        self._clock = clock
        self._entropy = entropy
        self._watch = watch or Watch()
        self._observe = observe or Unobserved()

    async def met(
        self, work: Work, *, user_id: str, store: Store, feature: FeatureKey | None, cause: str
    ) -> Incident | None:
        """Notes a failure; the incident it is part of, if it is part of one. Its seller is told once."""
        if not counts(cause):
            return None
        now = self._clock()
        about = concerns(cause, feature)
        await work.incidents.note(Failure(store.team_id, store.id, user_id, cause, about, now))
        incident = await work.incidents.open_for(store.team_id, cause, about)
        if incident is None:
            return await self._begin(work, store.team_id, cause, about)
        await work.incidents.seen(incident, now)
        first = await self._tell(work, incident, user_id)
        stores = await work.incidents.stores(store.team_id, cause, about, since=incident.opened_at - LONGEST_WATCH)
        if first and _is_worth_an_edit(stores):
            await show_incident(work, replace(incident, last_seen_at=now))
        return incident

    async def _begin(self, work: Work, team_id: str, cause: str, feature: FeatureKey | None) -> Incident | None:
        now = self._clock()
        since = now - self._watch.within
        if await work.incidents.stores(team_id, cause, feature, since=since) < self._watch.stores:
            return None
        if await work.incidents.sellers(team_id, cause, feature, since=since) < least_sellers(cause):
            return None
        fresh = Incident(
            id=self._entropy.new_id(), team_id=team_id, cause=cause, feature=feature, opened_at=now, last_seen_at=now
        )
        incident = await work.incidents.add(fresh)
        if incident is None:  # another replica saw it at the same moment
            return await work.incidents.open_for(team_id, cause, feature)
        await work.tickets.attach(team_id, incident)
        for user_id, _ in await work.incidents.victims(team_id, cause, feature, since=since):
            await self._tell(work, incident, user_id)
        await show_incident(work, incident, line="opened")
        for ticket in await work.tickets.of_incident(incident):
            await show(work, ticket, now=now, line="attached", incident=str(incident.number))
        await work.audit.record(
            AuditEvent(now, team_id, GRANTDESK, "incident.opened", incident.id, details={"cause": cause})
        )
        self._observe.incident("opened")
        return incident

    async def _tell(self, work: Work, incident: Incident, user_id: str) -> bool:
        if not await work.incidents.tell(incident, user_id, at=self._clock()):
            return False
        await work.outbox.tell(
            incident.team_id,
            user_id,
            IncidentTold(incident_id=incident.id, cause=incident.cause, feature=incident.feature),
        )
        return True

    async def end(self, work: Work, incident: Incident, *, by: str | None) -> None:
        """It is over: everybody who was told is told once more, and tickets nobody has taken are closed with it.

        Raises IncidentOver when somebody else ended it first.
        """
        now = self._clock()
        ended = replace(incident, closed_at=now, closed_by=by)
        if not await work.incidents.close(ended):
            raise IncidentOver(number=incident.number)
        for user_id in await work.incidents.told(incident):
            await work.outbox.tell(
                incident.team_id,
                user_id,
                IncidentTold(incident_id=incident.id, cause=incident.cause, feature=incident.feature, over=True),
            )
        for ticket in await work.tickets.of_incident(incident):
            if ticket.state is TicketState.OPEN:
                closed = ticket.after(TicketMove.CLOSE, at=now, because=CloseReason.INCIDENT)
                closed = replace(closed, answer_due_at=None, resolve_due_at=None, alert=Alert.QUIET, alert_at=None)
                written = await work.tickets.put(closed)
                await show(work, written, now=now, line="closed", because="incident")
                await tell_seller(work, written, "closed")
            else:
                await show(work, ticket, now=now, line="incident_ended", incident=str(incident.number))
                await tell_seller(work, ticket, "changed")
        await show_incident(work, ended, line="over" if by is None else "over_by", agent=by or "")
        await work.audit.record(
            AuditEvent(
                now,
                incident.team_id,
                by or GRANTDESK,
                "incident.over",
                incident.id,
                details={"number": str(incident.number)},
            )
        )
        self._observe.incident("over")


def _is_worth_an_edit(stores: int) -> bool:
    return stores <= _FEW or (stores < _SOME and stores % _FEW == 0) or stores % _SOME == 0
