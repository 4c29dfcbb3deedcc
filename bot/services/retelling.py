"""Tells the sister system of the stores that were here before it listened."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.domain.mirror import all_about
from bot.ports import Database

_BATCH = 200


class Retelling:
    """Puts what every store and grant is now into the outbox, store by store. Telling twice changes nothing on the other side."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, team_id: str = "") -> int:
        """How many stores there are to tell of; of every workspace when `team_id` is empty."""
        async with self._database.read() as work:
            return await work.mirror.count(team_id=team_id)

    async def tell(self, team_id: str = "") -> AsyncIterator[int]:
        """Yields the number of events after each store. What is deleted meanwhile is left out."""
        last = ""
        while True:
            async with self._database.read() as work:
                found = await work.mirror.stores(team_id=team_id, after=last, limit=_BATCH)
            for store in found:
                yield await self._tell(store.team_id, store.seller_id, store.id)
            if len(found) < _BATCH:
                return
            last = found[-1].id

    async def _tell(self, team_id: str, seller_id: str, store_id: str) -> int:
        async with self._database.begin() as work:
            seller = await work.sellers.get(team_id, seller_id)
            # read to write: what somebody changes just now is told after this, or is in it
            store = None if seller is None else await work.stores.get(seller, store_id, to_write=True)
            if store is None:
                return 0
            events = all_about(store, await work.grants.of_store(store))
            for event in events:
                await work.mirror.tell(event)
            return len(events)
