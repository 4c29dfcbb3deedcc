"""The way into the desk, within the transaction of whatever leads there. One open ticket a store: others join it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.domain.deadlines import Targets
from bot.domain.error_codes import ERROR_CODES
from bot.domain.features import FeatureKey
from bot.domain.incidents import Watch, concerns
from bot.domain.stores import Store
from bot.domain.tickets import REOPEN_WITHIN, CloseReason, Source, Ticket, TicketMove, TicketState, safe_words
from bot.domain.verification import TURNS, Reason, Turn
from bot.errors import ConcurrentChange
from bot.ports import AuditEvent, Clock, Entropy, Work
from bot.ports.desk import DeskObserver, Unobserved
from bot.services.desk_cards import show, tell_seller
from bot.services.watching import GRANTDESK, Watching

#: closed for one of these, asking again is a new question
_NOT_REOPENED = frozenset({CloseReason.WITHDRAWN, CloseReason.DUPLICATE, CloseReason.INCIDENT})


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known when somebody, or something, turns to the desk."""

    team_id: str
    user_id: str
    source: Source
    locale: str = ""
    store: Store | None = None
    feature: FeatureKey | None = None
    question: str = ""
    topic: str = ""
    error_code: str = ""
    #: one of `Reason`
    cause: str = ""
    answers: tuple[str, ...] = ()
    #: the agent who opens it for the seller
    opened_by: str | None = None
    #: the message it came from, if it came from one
    channel_id: str = ""
    ts: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """The ticket, and whether it was there before."""

    ticket: Ticket
    joined: bool = False
    reopened: bool = False


class Intake:
    """Opens tickets and watches failures."""

    def __init__(
        self,
        *,
        clock: Clock,
        entropy: Entropy,
        targets: Targets | None = None,
        watch: Watch | None = None,
        observe: DeskObserver | None = None,
    ) -> None:
        self._clock = clock
        self._entropy = entropy
        self._targets = targets or Targets()
        self._observe = observe or Unobserved()
        self.watching = Watching(clock=clock, entropy=entropy, watch=watch, observe=observe)

    async def open(self, work: Work, draft: Draft) -> Opened:
        """A new ticket, or the one that is there already: open, or closed lately."""
        if known := await self._brought(work, draft):
            return Opened(known, joined=True)
        there = await self._there(work, draft)
        if there is not None:
            return await self._join(work, draft, there)
        if old := await self._closed(work, draft):
            return await self._reopen(work, draft, old)
        now = self._clock()
        incident = await self._incident(work, draft)
        fresh = Ticket(
            id=self._entropy.new_id(),
            team_id=draft.team_id,
            user_id=draft.user_id,
            locale=draft.locale,
            source=draft.source,
            opened_at=now,
            opened_by=draft.opened_by,
            seller_id=draft.store.seller_id if draft.store else None,
            store_id=draft.store.id if draft.store else None,
            feature=draft.feature,
            question=safe_words(draft.question),
            topic=draft.topic,
            error_code=draft.error_code,
            cause=draft.cause,
            answers=draft.answers,
            incident_id=incident,
        )
        ticket = await work.tickets.add(self._targets.opened(fresh, now))
        if ticket is None:  # somebody opened one at the same moment
            there = await self._there(work, draft)
            if there is None:
                raise ConcurrentChange
            return await self._join(work, draft, there)
        await self._came(work, ticket, draft, "opened", has_words=bool(ticket.question))
        await work.outbox.ask(draft.team_id, "desk_diagnose", {"ticket_id": ticket.id}, lane=f"ticket:{ticket.id}")
        await show(work, ticket, now=now)
        if draft.source is not Source.FAILURE:
            await tell_seller(work, ticket, "opened", only=draft.user_id)
        return Opened(ticket)

    async def failed(
        self,
        work: Work,
        *,
        user_id: str,
        store: Store,
        feature: FeatureKey,
        cause: str,
        may_open: bool = True,
    ) -> None:
        """Something did not work for a store. What many meet is an incident; what is ours to mend is a ticket.

        During an incident no tickets open by themselves: its card counts the stores.
        """
        incident = await self.watching.met(work, user_id=user_id, store=store, feature=feature, cause=cause)
        if incident is not None or not may_open or not _is_ours(cause):
            return
        await self.open(
            work,
            Draft(store.team_id, user_id, Source.FAILURE, store=store, feature=feature, cause=cause),
        )

    # --- parts -------------------------------------------------------------------------------------------------------

    @staticmethod
    async def _brought(work: Work, draft: Draft) -> Ticket | None:
        """The ticket that has the draft's message already: brought twice it says nothing new.

        From its channel a deleted message comes again only as a copy that is late; what an agent brings, they have before them.
        """
        if not draft.ts:
            return None
        known = await work.tickets.from_message(draft.team_id, channel_id=draft.channel_id, ts=draft.ts)
        if known is None and draft.source is Source.CHANNEL:
            return await work.tickets.from_deleted(draft.team_id, channel_id=draft.channel_id, ts=draft.ts)
        return known

    async def _there(self, work: Work, draft: Draft) -> Ticket | None:
        return await work.tickets.open_of(
            draft.team_id, user_id=draft.user_id, store_id=draft.store.id if draft.store else None
        )

    async def _closed(self, work: Work, draft: Draft) -> Ticket | None:
        """A ticket about the same store and feature that was closed lately: the same question again."""
        if draft.store is None or draft.source is Source.FAILURE:
            return None
        old = await work.tickets.closed_of(
            draft.team_id, user_id=draft.user_id, store_id=draft.store.id, since=self._clock() - REOPEN_WITHIN
        )
        if old is None or old.because in _NOT_REOPENED:
            return None
        return old if draft.feature in (None, old.feature) else None

    async def _incident(self, work: Work, draft: Draft) -> str | None:
        """The open incident that the new ticket belongs to."""
        for cause in filter(None, (draft.error_code, draft.cause)):
            if found := await work.incidents.open_for(draft.team_id, cause, concerns(cause, draft.feature)):
                return found.id
        if draft.store is None:
            return None
        met = await work.incidents.of_store(draft.team_id, draft.store.id)
        return None if met is None else met.id

    async def _join(self, work: Work, draft: Draft, there: Ticket) -> Opened:
        now = self._clock()
        automatic = draft.source is Source.FAILURE
        if (automatic and draft.cause == there.cause) or await self._is_known(work, draft, there):
            return Opened(there, joined=True)
        moved = there
        if there.state is TicketState.WAITING and not automatic and draft.opened_by is None:
            moved = there.after(TicketMove.WRITE, at=now)
            moved = self._targets.after(there, moved, TicketMove.WRITE, now)
        joined = await work.tickets.put(
            replace(
                moved,
                joined=there.joined + (not automatic),
                feature=there.feature or draft.feature,
                question=there.question or safe_words(draft.question),
                topic=there.topic or draft.topic,
                error_code=there.error_code or draft.error_code,
                cause=there.cause or draft.cause,
            )
        )
        await self._came(work, joined, draft, "joined", has_words=joined.question != there.question)
        await show(
            work,
            joined,
            now=now,
            line="failed_again" if automatic else "joined",
            who=draft.user_id,
            words=safe_words(draft.question) or draft.error_code,
            cause=draft.cause,
        )
        if not automatic:
            await tell_seller(work, joined, "joined", only=draft.user_id)
        return Opened(joined, joined=True)

    async def _is_known(self, work: Work, draft: Draft, there: Ticket) -> bool:
        """Whether a ticket has an error already, reported by the same person, who adds no words and is not waited for.

        A link shows its page to whoever has it, for as long as it likes to be asked: each code is news once.
        """
        if draft.source is not Source.ERROR or safe_words(draft.question) or there.state is TicketState.WAITING:
            return False
        if draft.user_id not in await work.tickets.people(there):
            return False
        if draft.error_code == there.error_code:
            return True
        said = f"error:{there.id}:{there.reopened}:{draft.error_code}"
        return not await work.announcements.first_time(draft.team_id, draft.user_id, said, at=self._clock())

    async def _reopen(self, work: Work, draft: Draft, old: Ticket) -> Opened:
        now = self._clock()
        moved = old.after(TicketMove.WRITE, at=now)
        again = await work.tickets.put(
            replace(
                self._targets.after(old, moved, TicketMove.WRITE, now),
                question=safe_words(draft.question) or old.question,
                topic=draft.topic or old.topic,
                error_code=draft.error_code or old.error_code,
                cause="",
            )
        )
        await self._came(work, again, draft, "reopened", has_words=bool(safe_words(draft.question)))
        await work.outbox.ask(draft.team_id, "desk_diagnose", {"ticket_id": again.id}, lane=f"ticket:{again.id}")
        await show(
            work, again, now=now, line="reopened", who=draft.user_id, words=again.question, agent=old.assignee or ""
        )
        await tell_seller(work, again, "reopened", only=draft.user_id)
        return Opened(again, reopened=True)

    async def _came(self, work: Work, ticket: Ticket, draft: Draft, event: str, *, has_words: bool) -> None:
        """Notes who asked, with what, and that they did. `has_words`: the ticket's question is the draft's."""
        if draft.source is not Source.FAILURE:
            await work.tickets.add_source(
                ticket,
                user_id=draft.user_id,
                channel_id=draft.channel_id,
                ts=draft.ts,
                at=self._clock(),
                has_words=has_words,
            )
        for_another = draft.opened_by is not None and draft.opened_by != draft.user_id
        actor = GRANTDESK if draft.source is Source.FAILURE else draft.opened_by or draft.user_id
        await work.audit.record(
            AuditEvent(
                self._clock(),
                draft.team_id,
                actor,
                f"ticket.{event}",
                ticket.id,
                on_behalf_of=draft.user_id if for_another else None,
                details={"number": str(ticket.number), "source": draft.source.value},
            )
        )
        self._observe.ticket(event, draft.source.value)


def _is_ours(cause: str) -> bool:
    if cause in ERROR_CODES:
        return ERROR_CODES[cause].turn is Turn.US
    return TURNS[Reason(cause)] is Turn.US
