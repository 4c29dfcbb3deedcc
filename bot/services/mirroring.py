"""Mirroring stores with the sister system: what moved here is told there, what is done there shows here, and nothing echoes.

What came from the sister system is written by this module alone, which tells nothing on. Its word about a grant is kept and
shown beside our own state, and never becomes it: no token comes with it, so nothing here could ever check it
(docs/decisions/0013).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from bot.domain.grants import Grant, GrantState
from bot.domain.mirror import (
    AMAZONS_DOING,
    SAYS,
    MirrorEvent,
    SisterEvent,
    SisterNews,
    SisterState,
    SisterWord,
    what_happened,
)
from bot.domain.notices import StoreRef
from bot.domain.stores import Seller, Store
from bot.ports import AuditEvent, Clock, Database, Work
from bot.services.contention import in_turn

#: who did it, in the audit; and the reader under whom received messages are noted
MIRROR = "mirror"


async def put_grant(work: Work, store: Store, before: Grant, after: Grant) -> None:
    """Writes a grant that moved, and tells the sister system what that is to it. Raises ConcurrentChange."""
    await work.grants.put(after)
    happening = what_happened(before, after)
    if happening is not None:
        await work.mirror.tell(MirrorEvent(happening, after.since, store, after))


class Heard(StrEnum):
    """What came of an event; the sender is answered with it."""

    APPLIED = "applied"
    #: it says what is so already
    UNCHANGED = "unchanged"
    #: the same message came before
    REPEATED = "repeated"
    #: something later about the same has been said or done
    OUTDATED = "outdated"
    #: no such store of that distributor in that workspace
    UNKNOWN = "unknown"


class Mirroring:
    """What the sister system says, applied once, and told to everybody who shares the store."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def hear(self, event: SisterEvent, *, message_id: str) -> Heard:
        """Applies one event. `message_id` is the sender's: a message that comes again does nothing.

        Raises ConcurrentChange when others stay quicker: nothing is noted then, and the message can come again.
        """
        return await in_turn(lambda: self._hear(event, message_id))

    async def _hear(self, event: SisterEvent, message_id: str) -> Heard:
        now = self._clock()
        async with self._database.begin() as work:
            seller = await work.sellers.get(event.workspace, event.distributor)
            store = None if seller is None else await work.stores.get(seller, event.store_id)
            if seller is None or store is None:
                return Heard.UNKNOWN
            # together with what follows from it: a message whose work was rolled back is not noted
            if not await work.announcements.first_time(store.team_id, MIRROR, f"message:{message_id}", at=now):
                return Heard.REPEATED
            if event.feature is not None:
                return await self._hear_of_grant(work, seller, store, event, message_id, now)
            if SAYS[event.happening] is SisterState.DELETED:
                return await self._delete(work, seller, store, event, message_id, now)
            return await self._switch(work, seller, store, event, message_id, now)

    # --- a store -----------------------------------------------------------------------------------------------------

    async def _delete(
        self, work: Work, seller: Seller, store: Store, event: SisterEvent, message_id: str, now: datetime
    ) -> Heard:
        await work.stores.delete(store)
        await self._note(work, store, event, message_id, now, action=event.happening.value)
        await self._tell(work, seller, SisterNews(store=StoreRef.of(store), state=SisterState.DELETED.value))
        return Heard.APPLIED

    async def _switch(
        self, work: Work, seller: Seller, store: Store, event: SisterEvent, message_id: str, now: datetime
    ) -> Heard:
        state = SAYS[event.happening]
        # read again, and first of all: whoever edits the store is waited for before anything that they would wait for
        store = await work.stores.get(seller, store.id, to_write=True) or store
        # a clock that is ahead must not outdate what is said until then
        if not await work.mirror.hear(SisterWord(store.id, None, state, min(event.at, now))):
            return Heard.OUTDATED
        off = state is SisterState.DISABLED
        if (store.disabled_at is not None) is off:
            return Heard.UNCHANGED
        await work.stores.update(replace(store, disabled_at=now if off else None))
        await self._note(work, store, event, message_id, now, action=event.happening.value)
        await self._tell(work, seller, SisterNews(store=StoreRef.of(store), state=state.value))
        return Heard.APPLIED

    # --- a feature of it ---------------------------------------------------------------------------------------------

    async def _hear_of_grant(
        self, work: Work, seller: Seller, store: Store, event: SisterEvent, message_id: str, now: datetime
    ) -> Heard:
        if event.feature is None:
            raise TypeError("an event about no feature")
        state = SAYS[event.happening]
        before = (await work.mirror.of_store(store)).get(event.feature)
        word = SisterWord(
            store.id,
            event.feature,
            state,
            min(event.at, now),
            # *on again* and *restored* may come without the dates that are known
            consented_at=event.consented_at or (before.consented_at if before else None),
            expires_at=event.expires_at or (before.expires_at if before else None),
        )
        if not await work.mirror.hear(word):
            return Heard.OUTDATED
        if before is not None and (before.state, before.expires_at) == (word.state, word.expires_at):
            return Heard.UNCHANGED
        grant = (await work.grants.of_store(store))[event.feature]
        stands = grant.standing(now) is GrantState.GRANTED
        await self._note(work, store, event, message_id, now, action=f"{MIRROR}.{event.happening.value}")
        if state is SisterState.GRANTED and stands:
            return Heard.APPLIED  # nothing that its people do not see already
        asking = state in AMAZONS_DOING and stands and grant.authorization_id is not None
        if asking and grant.authorization_id is not None:
            # what Amazon answers us counts; the sweep asks within a minute
            await work.health.ask_soon(grant.authorization_id, at=now)
        ends_at = word.expires_at.isoformat() if word.expires_at and state is SisterState.GRANTED else ""
        news = SisterNews(
            store=StoreRef.of(store),
            state=state.value,
            feature=event.feature,
            ends_at=ends_at,
            stands=stands,
            asking=asking,
        )
        await self._tell(work, seller, news)
        return Heard.APPLIED

    # --- parts -------------------------------------------------------------------------------------------------------

    @staticmethod
    async def _note(
        work: Work, store: Store, event: SisterEvent, message_id: str, now: datetime, *, action: str
    ) -> None:
        details = {"source": MIRROR, "message": message_id, "said_at": event.at.isoformat()}
        if event.feature is not None:
            details["feature"] = event.feature.value
        await work.audit.record(AuditEvent(now, store.team_id, MIRROR, action, store.id, details=details))

    @staticmethod
    async def _tell(work: Work, seller: Seller, news: SisterNews) -> None:
        await work.outbox.tell_all([(seller.team_id, member, news) for member in await work.sellers.members(seller)])
